#include "guidegen/data/training_case.hpp"

namespace guidegen {

std::shared_ptr<const TrainingCase> load_training_case(const Dataset& dataset, size_t index,
                                                       bool with_ct) {
  auto result = std::make_shared<TrainingCase>();
  const auto& entry = dataset.cases().at(index);
  CaseImages images;
  if (with_ct) {
    images = dataset.read_case(index);
    result->ct = images.ct.data.select(0, 0).to(at::kShort).contiguous();
  } else {
    images.mask = dataset.read_case_mask(index);
  }
  result->id = entry.id;
  result->prompt = entry.prompt;
  result->geometry = images.mask.geometry;
  result->mask = images.mask.data.select(0, 0).contiguous();
  result->tumors = find_tumors(images.mask, dataset.vocabulary());
  return result;
}

}  // namespace guidegen
