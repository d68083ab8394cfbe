#include "cuda/group_norm_device.cuh"

namespace guidegen::group_norm {
namespace {

/// Mean and sum of squared deviations of each lane of each chunk.
template <typename T, int V>
__global__ void __launch_bounds__(kThreads) find_moments(Plan plan, const T* x, float2* out) {
  const Place place(plan);
  // Sums of differences from the chunk's first value lose no digits where the mean is large.
  float shift[V] = {}, sum[V] = {}, square[V] = {};
  if (place.active) {
    const auto first = Vector<T, V>::load(x + place.offset(plan, place.first));
#pragma unroll
    for (int i = 0; i < V; ++i) shift[i] = to_float(first.value[i]);
  }
  const auto load = [&](int64_t offset) { return Vector<T, V>::load(x + offset); };
  for_each_voxel(plan, place, load, [&](const Vector<T, V>& in, int64_t) {
#pragma unroll
    for (int i = 0; i < V; ++i) {
      const float d = to_float(in.value[i]) - shift[i];
      sum[i] += d;
      square[i] += d * d;
    }
  });
  add_rows(plan, place, sum, square);
  const auto count = static_cast<float>(plan.size_of(place.of_chunk));
#pragma unroll
  for (int i = 0; i < V; ++i) {
    square[i] = fmaxf(square[i] - sum[i] * sum[i] / count, 0.0F);
    sum[i] = shift[i] + sum[i] / count;
  }
  write_partials(plan, place, sum, square, out);
}

/// One block a group: mean, rstd and the affine map of its channels.
__global__ void finish_moments(Plan plan, const float2* partials, Parameters parameters, float eps,
                               float* mean, float* rstd, float* slope, float* intercept) {
  const int64_t b = blockIdx.x / plan.groups;
  const int first = static_cast<int>(blockIdx.x % plan.groups) * plan.in_group();
  const int64_t per_channel = plan.per_channel();
  const int64_t count = plan.in_group() * per_channel;
  double values = 0, sum = 0, deviation = 0;
  int64_t of_chunk = 0;
  for (int64_t i = threadIdx.x; i < count; i += kFinishers) {
    const int c = first + static_cast<int>(i / per_channel);
    const float2 part = partials[plan.partial(b, c, i % per_channel, of_chunk)];
    const auto size = static_cast<double>(plan.size_of(of_chunk));
    values += size;
    sum += size * static_cast<double>(part.x);
  }
  values = block_sum(values);
  const double center = block_sum(sum) / values;
  for (int64_t i = threadIdx.x; i < count; i += kFinishers) {
    const int c = first + static_cast<int>(i / per_channel);
    const float2 part = partials[plan.partial(b, c, i % per_channel, of_chunk)];
    const double away = static_cast<double>(part.x) - center;
    deviation +=
        static_cast<double>(part.y) + static_cast<double>(plan.size_of(of_chunk)) * away * away;
  }
  deviation = block_sum(deviation);
  const auto m = static_cast<float>(center);
  const auto r = static_cast<float>(1.0 / sqrt(deviation / values + static_cast<double>(eps)));
  if (threadIdx.x == 0) mean[blockIdx.x] = m, rstd[blockIdx.x] = r;
  for (int c = first + static_cast<int>(threadIdx.x); c < first + plan.in_group();
       c += kFinishers) {
    write_affine(plan, parameters, b, c, m, r, slope, intercept);
  }
}

template <typename T, int V>
__global__ void __launch_bounds__(kThreads)
    normalize(Plan plan, const T* x, const float* slopes, const float* intercepts, T* y) {
  const Place place(plan);
  float slope[V] = {}, intercept[V] = {};
  if (place.active) {
    load_coefficients(plan, place, slopes, slope);
    load_coefficients(plan, place, intercepts, intercept);
  }
  const auto load = [&](int64_t offset) { return Vector<T, V>::load(x + offset); };
  for_each_voxel(plan, place, load, [&](Vector<T, V>& in, int64_t offset) {
#pragma unroll
    for (int i = 0; i < V; ++i) {
      const float z = to_float(in.value[i]) * slope[i] + intercept[i];
      in.value[i] = from_float<T>(z * sigmoid(z));
    }
    in.store(y + offset);
  });
}

}  // namespace

int64_t forward_scratch(const Problem& problem) {
  return round_up(2 * Plan(problem).partials()) + 2 * round_up(problem.batch * problem.channels);
}

void forward(const Problem& problem, const void* x, const Parameters& parameters, float eps,
             float* scratch, void* y, float* mean, float* rstd, cudaStream_t stream) {
  const Plan plan(problem);
  auto* partials = reinterpret_cast<float2*>(scratch);
  float* slope = scratch + round_up(2 * plan.partials());
  float* intercept = slope + round_up(problem.batch * problem.channels);
  with_type(problem.type, plan.vector, [&](auto* null, auto v) {
    using T = std::remove_pointer_t<decltype(null)>;
    constexpr int kV = decltype(v)::value;
    const auto* in = static_cast<const T*>(x);
    find_moments<T, kV><<<plan.grid(), kThreads, 0, stream>>>(plan, in, partials);
    finish_moments<<<static_cast<unsigned>(problem.batch * problem.groups), kFinishers, 0,
                     stream>>>(plan, partials, parameters, eps, mean, rstd, slope, intercept);
    normalize<T, kV>
        <<<plan.grid(), kThreads, 0, stream>>>(plan, in, slope, intercept, static_cast<T*>(y));
  });
}

}  // namespace guidegen::group_norm
