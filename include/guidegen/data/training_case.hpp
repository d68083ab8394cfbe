#pragma once

#include <memory>
#include <string>
#include <vector>

#include "guidegen/data/dataset.hpp"
#include "guidegen/data/tumor_census.hpp"

namespace guidegen {

/// One case in memory, as training needs it. Cases are shared: never write to their tensors (those
/// of a `mapped` case are read-only memory, where a write ends the program).
struct TrainingCase {
  std::string id;
  Prompt prompt;
  ImageGeometry geometry;
  at::Tensor mask;                 ///< uint8 (uint16 above 256 labels) [D,H,W]
  at::Tensor ct;                   ///< int16 HU [D,H,W]; undefined when not asked for
  std::vector<FoundTumor> tumors;  ///< measured from the mask
  bool mapped = false;             ///< the tensors are views of a file of CaseCache
};
using TrainingBatch = std::vector<std::shared_ptr<const TrainingCase>>;

/// Decodes a case and counts its tumors. Throws Error(kFailure) naming the file.
std::shared_ptr<const TrainingCase> load_training_case(const Dataset& dataset, size_t index,
                                                       bool with_ct);

}  // namespace guidegen
