#include "stages/frozen_norm.hpp"

#include <torch/torch.h>

#include <cmath>

namespace guidegen {

// Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm", 1982.
void ChannelMoments::Moments::add(const Moments& other) {
  const double total = count + other.count;
  if (total == 0) return;
  const double delta = other.mean - mean;
  mean += delta * other.count / total;
  deviation += other.deviation + delta * delta * count * other.count / total;
  count = total;
}

void ChannelMoments::add(const at::Tensor& x) {
  const std::vector<int64_t> places = {0, 2, 3, 4};
  const auto values = x.to(at::kFloat);
  // The deviation is taken from the tile's own mean: no digits are lost where that is large.
  const auto mean = values.mean(places, /*keepdim=*/true);
  auto off = values - mean;
  const auto rest = off.mean(places).to(at::kCPU, at::kDouble);  // what rounding left of the mean
  const auto square = off.square_().mean(places).to(at::kCPU, at::kDouble);
  const auto center = mean.flatten().to(at::kCPU, at::kDouble);
  const auto channels = static_cast<size_t>(x.size(1));
  const auto count = static_cast<double>(x.numel() / x.size(1));
  channels_.resize(channels);
  for (size_t c = 0; c < channels; ++c) {
    const double shift = rest.const_data_ptr<double>()[c];
    const double deviation = square.const_data_ptr<double>()[c] - shift * shift;
    channels_[c].add(
        {count, center.const_data_ptr<double>()[c] + shift, count * std::max(deviation, 0.0)});
  }
}

FrozenNorm::FrozenNorm(const torch::nn::GroupNormImpl& norm, const ChannelMoments& moments) {
  const auto& channels = moments.channels();
  const size_t in_group = channels.size() / static_cast<size_t>(norm.options.num_groups());
  const auto weight = norm.weight.to(at::kCPU, at::kFloat).contiguous();
  const auto bias = norm.bias.to(at::kCPU, at::kFloat).contiguous();
  const auto size = static_cast<int64_t>(channels.size());
  auto slope = at::empty({1, size, 1, 1, 1}), intercept = at::empty_like(slope);
  for (size_t first = 0; first < channels.size(); first += in_group) {
    ChannelMoments::Moments group;
    for (size_t c = first; c < first + in_group; ++c) group.add(channels[c]);
    // Rounded where group_norm_silu() rounds.
    const double mean = static_cast<float>(group.mean);
    const double rstd =
        static_cast<float>(1.0 / std::sqrt(group.deviation / group.count + norm.options.eps()));
    for (size_t c = first; c < first + in_group; ++c) {
      const double gain = weight.const_data_ptr<float>()[c];
      slope.mutable_data_ptr<float>()[c] = static_cast<float>(gain * rstd);
      intercept.mutable_data_ptr<float>()[c] = static_cast<float>(
          static_cast<double>(bias.const_data_ptr<float>()[c]) - mean * rstd * gain);
    }
  }
  slope_ = slope.to(norm.weight.device());
  intercept_ = intercept.to(norm.weight.device());
}

FrozenNorm::FrozenNorm(const torch::nn::GroupNormImpl& norm) : of_voxels_(&norm) {}

at::Tensor FrozenNorm::silu(const at::Tensor& x) const {
  if (of_voxels_) return silu_of_voxels(*of_voxels_, x);
  auto y = at::addcmul(intercept_, x, slope_);
  return at::silu_(y);
}

}  // namespace guidegen
