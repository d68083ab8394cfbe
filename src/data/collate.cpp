#include "guidegen/data/collate.hpp"

#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

void check_alike(const TrainingCase& first, const TrainingCase& other) {
  const auto fail = [&](const auto&... difference) {
    throw_failure("cases '", first.id, "' and '", other.id, "' ", difference...);
  };
  if (first.mask.sizes() != other.mask.sizes()) {
    fail(
        "are of ", first.mask.sizes(), " and ", other.mask.sizes(),
        " voxels (z, y, x): batches need one size; use training.batch=1 or a data set of one size");
  }
  if (first.mask.scalar_type() != other.mask.scalar_type()) {
    fail("have masks of ", first.mask.scalar_type(), " and ", other.mask.scalar_type(),
         ", expected one vocabulary");
  }
  if (first.ct.defined() != other.ct.defined()) fail("are with and without a CT");
}

at::Tensor buffer(const TrainingBatch& batch, const at::Tensor& like, bool pin) {
  std::vector<int64_t> sizes{static_cast<int64_t>(batch.size())};
  sizes.insert(sizes.end(), like.sizes().begin(), like.sizes().end());
  return at::empty(sizes, at::TensorOptions().dtype(like.scalar_type()).pinned_memory(pin));
}

}  // namespace

Collated collate(const TrainingBatch& batch, bool pin) {
  if (batch.empty()) throw_failure("collate: the batch is empty, expected at least one case");
  const TrainingCase& first = *batch.front();
  for (const auto& item : batch) check_alike(first, *item);
  Collated out{buffer(batch, first.mask, pin), {}};
  if (first.ct.defined()) out.ct = buffer(batch, first.ct, pin).unsqueeze(1);
  for (size_t i = 0; i < batch.size(); ++i) {
    const auto place = static_cast<int64_t>(i);
    out.mask[place].copy_(batch[i]->mask);
    if (out.ct.defined()) out.ct[place][0].copy_(batch[i]->ct);
  }
  return out;
}

}  // namespace guidegen
