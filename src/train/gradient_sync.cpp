#include "guidegen/train/gradient_sync.hpp"

#include <torch/csrc/distributed/c10d/reducer.hpp>

#include "guidegen/train/collective.hpp"

namespace guidegen {

namespace {

constexpr int64_t kBucketBytes = int64_t{25} << 20;  // as DistributedDataParallel
constexpr int64_t kFirstBucketBytes = int64_t{1} << 20;

std::vector<std::vector<size_t>> buckets_of(const std::vector<at::Tensor>& parameters) {
  // Gradients come roughly in reverse order of registration.
  std::vector<at::Tensor> reversed(parameters.rbegin(), parameters.rend());
  auto buckets = std::get<0>(c10d::compute_bucket_assignment_by_size(
      reversed, {size_t(kFirstBucketBytes), size_t(kBucketBytes)}));
  for (auto& bucket : buckets) {
    for (auto& index : bucket) index = parameters.size() - 1 - index;
  }
  return buckets;
}

// The Reducer orders its buckets anew after the first backward pass. Gradients summed by a ring
// depend in their last bits on where they lie in a bucket, so a resumed run would differ from an
// undisturbed one: let a pass over zeros be that first one.
void settle_buckets(c10d::Reducer& reducer, const std::vector<at::Tensor>& parameters) {
  const at::AutoGradMode with_grad(true);
  auto total = at::zeros({}, parameters.front().options());
  for (const auto& parameter : parameters) total = total + 0.0 * parameter.sum();
  reducer.prepare_for_backward({});
  total.backward();
  reducer.rebuild_buckets();
  for (const auto& parameter : parameters) parameter.mutable_grad().zero_();
}

}  // namespace

GradientSync::GradientSync(const std::vector<at::Tensor>& parameters,
                           const Collective& collective) {
  if (collective.world().alone()) return;
  const auto buckets = buckets_of(parameters);
  reducer_ = std::make_unique<c10d::Reducer>(
      parameters, buckets, collective.gradients(), std::vector<bool>(parameters.size(), false),
      kBucketBytes, /*find_unused_parameters=*/false, /*gradient_as_bucket_view=*/true,
      std::unordered_map<size_t, std::string>{}, kFirstBucketBytes,
      /*skip_all_reduce_unused_params=*/false, /*use_python_reducer=*/false,
      std::vector<int64_t>{});
  settle_buckets(*reducer_, parameters);
}

GradientSync::~GradientSync() = default;

void GradientSync::before_backward(bool reduce) {
  if (reducer_ && reduce) reducer_->prepare_for_backward({});
}

}  // namespace guidegen
