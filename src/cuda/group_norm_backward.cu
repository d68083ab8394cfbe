#include "cuda/group_norm_device.cuh"

namespace guidegen::group_norm {
namespace {

/// dy silu'(z)
__device__ inline float through_silu(float dy, float z) {
  const float s = sigmoid(z);
  return dy * s * (1.0F + z * (1.0F - s));
}

/// A thread's values of x and of dL/dy at one voxel.
template <typename T, int V>
struct Pair {
  Vector<T, V> x, dy;

  __device__ static Pair load(const T* x, const T* dy) {
    return {Vector<T, V>::load(x), Vector<T, V>::load(dy)};
  }
};

/// What the backward pass keeps a channel: [B,C] each.
struct ChannelScratch {
  float *mean, *slope, *intercept, *product, *of_x, *constant;
};

/// One thread a channel of a sample.
__global__ void prepare_backward(Plan plan, int64_t batch, Parameters parameters, const float* mean,
                                 const float* rstd, ChannelScratch out) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= batch * plan.channels) return;
  const int64_t b = i / plan.channels;
  const int c = static_cast<int>(i % plan.channels);
  const int64_t group = b * plan.groups + c / plan.in_group();
  out.mean[i] = mean[group];
  write_affine(plan, parameters, b, c, mean[group], rstd[group], out.slope, out.intercept);
}

/// Sums of dz and of dz (x - mean), of each lane of each chunk.
template <typename T, int V>
__global__ void __launch_bounds__(kThreads)
    sum_gradients(Plan plan, const T* dy, const T* x, ChannelScratch channels, float2* out) {
  const Place place(plan);
  float slope[V] = {}, intercept[V] = {}, mean[V] = {}, sum[V] = {}, product[V] = {};
  if (place.active) {
    load_coefficients(plan, place, channels.slope, slope);
    load_coefficients(plan, place, channels.intercept, intercept);
    load_coefficients(plan, place, channels.mean, mean);
  }
  const auto load = [&](int64_t offset) { return Pair<T, V>::load(x + offset, dy + offset); };
  for_each_voxel(plan, place, load, [&](const Pair<T, V>& in, int64_t) {
#pragma unroll
    for (int i = 0; i < V; ++i) {
      const float value = to_float(in.x.value[i]);
      const float dz = through_silu(to_float(in.dy.value[i]), value * slope[i] + intercept[i]);
      sum[i] += dz;
      product[i] += dz * (value - mean[i]);
    }
  });
  add_rows(plan, place, sum, product);
  write_partials(plan, place, sum, product, out);
}

__device__ inline double warp_sum(double value) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffU, value, step);
  return value;
}

/// One block a group, one warp a channel: dscale, dshift, the sum of dz xhat, and of_x and constant
/// of dx = slope dz + of_x x + constant.
__global__ void finish_gradients(Plan plan, const float2* partials, Parameters p,
                                 const float* means, const float* rstds, ChannelScratch scratch,
                                 GradientsOut out) {
  constexpr int kWarp = 32, kWarps = kFinishers / kWarp;
  const int64_t b = blockIdx.x / plan.groups;
  const int first = static_cast<int>(blockIdx.x % plan.groups) * plan.in_group();
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const double mean = means[blockIdx.x], rstd = rstds[blockIdx.x];
  double group_sum = 0, group_product = 0;  // of gain dz and gain dz xhat; counted by lane 0
  for (int c = first + static_cast<int>(threadIdx.x) / kWarp; c < first + plan.in_group();
       c += kWarps) {
    double sum = 0, product = 0;
    int64_t of_chunk = 0;
    for (int64_t i = lane; i < plan.per_channel(); i += kWarp) {
      const float2 part = partials[plan.partial(b, c, i, of_chunk)];
      sum += static_cast<double>(part.x);
      product += static_cast<double>(part.y);
    }
    sum = warp_sum(sum);
    product = warp_sum(product) * rstd;
    if (lane != 0) continue;
    const int64_t i = b * plan.channels + c;
    const double gain = p.weight[c] * (p.scale == nullptr ? 1.0F : 1.0F + p.scale[i]);
    scratch.product[i] = static_cast<float>(product);
    out.dshift[i] = static_cast<float>(sum);
    out.dscale[i] = static_cast<float>(p.weight[c] * product + p.bias[c] * sum);
    group_sum += gain * sum;
    group_product += gain * product;
  }
  const double values = static_cast<double>(plan.in_group()) * static_cast<double>(plan.voxels) *
                        (plan.channels_last ? 1 : plan.lanes);
  const double mean_product = block_sum(group_product) / values;
  const double mean_sum = block_sum(group_sum) / values;
  for (int c = first + static_cast<int>(threadIdx.x); c < first + plan.in_group();
       c += kFinishers) {
    const int64_t i = b * plan.channels + c;
    scratch.of_x[i] = static_cast<float>(-rstd * rstd * mean_product);
    scratch.constant[i] = static_cast<float>(mean * rstd * rstd * mean_product - rstd * mean_sum);
  }
}

/// One thread a channel: adds up over the batch.
__global__ void finish_parameters(Plan plan, int64_t batch, Parameters p, ChannelScratch scratch,
                                  GradientsOut out) {
  const int c = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (c >= plan.channels) return;
  float dweight = 0, dbias = 0;
  for (int64_t b = 0; b < batch; ++b) {
    const int64_t i = b * plan.channels + c;
    const float factor = p.scale == nullptr ? 1.0F : 1.0F + p.scale[i];
    dweight += factor * scratch.product[i];
    dbias += factor * out.dshift[i];
  }
  out.dweight[c] = dweight;
  out.dbias[c] = dbias;
}

template <typename T, int V>
__global__ void __launch_bounds__(kThreads)
    input_gradient(Plan plan, const T* dy, const T* x, ChannelScratch channels, T* dx) {
  const Place place(plan);
  float slope[V] = {}, intercept[V] = {}, of_x[V] = {}, constant[V] = {};
  if (place.active) {
    load_coefficients(plan, place, channels.slope, slope);
    load_coefficients(plan, place, channels.intercept, intercept);
    load_coefficients(plan, place, channels.of_x, of_x);
    load_coefficients(plan, place, channels.constant, constant);
  }
  const auto load = [&](int64_t offset) { return Pair<T, V>::load(x + offset, dy + offset); };
  for_each_voxel(plan, place, load, [&](Pair<T, V>& in, int64_t offset) {
#pragma unroll
    for (int i = 0; i < V; ++i) {
      const float value = to_float(in.x.value[i]);
      const float dz = through_silu(to_float(in.dy.value[i]), value * slope[i] + intercept[i]);
      in.x.value[i] = from_float<T>(slope[i] * dz + of_x[i] * value + constant[i]);
    }
    in.x.store(dx + offset);
  });
}

unsigned blocks_of(int64_t threads) {
  return static_cast<unsigned>((threads + kThreads - 1) / kThreads);
}

}  // namespace

int64_t backward_scratch(const Problem& problem) {
  return round_up(2 * Plan(problem).partials()) + 6 * round_up(problem.batch * problem.channels);
}

void backward(const Problem& problem, const void* dy, const void* x, const float* mean,
              const float* rstd, const Parameters& parameters, float* scratch,
              const GradientsOut& out, cudaStream_t stream) {
  const Plan plan(problem);
  auto* partials = reinterpret_cast<float2*>(scratch);
  const int64_t size = round_up(problem.batch * problem.channels);
  float* arrays = scratch + round_up(2 * plan.partials());
  const ChannelScratch channels{
      arrays,           arrays + size, arrays + 2 * size, arrays + 3 * size, arrays + 4 * size,
      arrays + 5 * size};
  prepare_backward<<<blocks_of(problem.batch * problem.channels), kThreads, 0, stream>>>(
      plan, problem.batch, parameters, mean, rstd, channels);
  with_type(problem.type, plan.vector, [&](auto* null, auto v) {
    using T = std::remove_pointer_t<decltype(null)>;
    constexpr int kV = decltype(v)::value;
    const auto *in = static_cast<const T*>(x), *outer = static_cast<const T*>(dy);
    sum_gradients<T, kV><<<plan.grid(), kThreads, 0, stream>>>(plan, outer, in, channels, partials);
    finish_gradients<<<static_cast<unsigned>(problem.batch * problem.groups), kFinishers, 0,
                       stream>>>(plan, partials, parameters, mean, rstd, channels, out);
    finish_parameters<<<blocks_of(problem.channels), kThreads, 0, stream>>>(
        plan, problem.batch, parameters, channels, out);
    input_gradient<T, kV>
        <<<plan.grid(), kThreads, 0, stream>>>(plan, outer, in, channels, static_cast<T*>(out.dx));
  });
}

}  // namespace guidegen::group_norm
