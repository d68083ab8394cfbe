#pragma once

#include <string>
#include <vector>

#include "guidegen/evaluate/fidelity.hpp"

namespace guidegen {

/// A section of the summary as text, for the terminal and the page alike.
struct FidelityCells {
  std::string title;
  std::string note;                            ///< what the rows and columns are, one sentence
  std::vector<std::vector<std::string>> rows;  ///< the first is the head
};

FidelityCells cells_of(const FidelitySummary& section, const std::vector<Exposure>& windows);

}  // namespace guidegen
