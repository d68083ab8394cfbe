#include "guidegen/data/stack_masks.hpp"

#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

void check_alike(const TrainingCase& first, const TrainingCase& other) {
  if (first.mask.sizes() != other.mask.sizes()) {
    throw_failure("cases '", first.id, "' and '", other.id, "' are of ", first.mask.sizes(),
                  " and ", other.mask.sizes(),
                  " voxels (z, y, x): batches need one size; use training.micro_batch=1 or a data "
                  "set of one size");
  }
  if (first.mask.scalar_type() != other.mask.scalar_type()) {
    throw_failure("cases '", first.id, "' and '", other.id, "' have masks of ",
                  first.mask.scalar_type(), " and ", other.mask.scalar_type(),
                  ", expected one vocabulary");
  }
}

}  // namespace

at::Tensor stack_masks(const TrainingBatch& batch) {
  if (batch.empty()) throw_failure("a batch is empty, expected at least one case");
  std::vector<at::Tensor> masks;
  for (const auto& item : batch) {
    check_alike(*batch.front(), *item);
    masks.push_back(item->mask);
  }
  return at::stack(masks);
}

}  // namespace guidegen
