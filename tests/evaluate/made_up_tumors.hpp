#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "guidegen/data/tumor_census.hpp"
#include "guidegen/prompt/prompt.hpp"

namespace guidegen {

inline FoundTumor found(std::optional<TumorPosition> position, double diameter,
                        std::optional<TumorOrgan> organ = std::nullopt) {
  FoundTumor tumor;
  tumor.position = position;
  tumor.organ = position ? std::make_optional(organ_of(*position)) : organ;
  tumor.component.diameter_mm = diameter;
  return tumor;
}

inline TumorRequest request(TumorPosition position, std::optional<int> count,
                            std::optional<double> size = std::nullopt) {
  TumorRequest result;
  result.organ = organ_of(position);
  result.position = position;
  result.count = count;
  result.size_mm = size;
  return result;
}

inline Prompt asking(std::vector<TumorRequest> tumors, std::string id = "case") {
  Prompt prompt;
  prompt.id = std::move(id);
  prompt.tumors = std::move(tumors);
  return prompt;
}

}  // namespace guidegen
