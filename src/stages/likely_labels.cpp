#include "guidegen/stages/likely_labels.hpp"

namespace guidegen {

namespace {

constexpr double kMostOffset = 2.0;  // nats
constexpr int kRounds = 32;
constexpr double kFirstStep = 0.5;  // nats
constexpr double kShrink = 0.87;    // of the steps, so that they settle where counts jump
constexpr double kCertain = 0.98;   // voxels beyond keep their label whatever the offsets

}  // namespace

at::Tensor likely_labels(const at::Tensor& log_probabilities) {
  const int64_t labels = log_probabilities.size(0);
  const auto [largest, first] = log_probabilities.max(0);
  auto result = first.clone();
  // Most voxels are certain; the rounds need look at the others alone.
  const auto open = (largest < std::log(kCertain)).nonzero().flatten();
  if (open.numel() == 0) return result;
  const auto doubtful = log_probabilities.index_select(1, open);
  const auto expected = doubtful.exp().sum(1);
  auto offset = at::zeros({labels, 1}, log_probabilities.options());
  auto chosen = first.index_select(0, open);
  double step = kFirstStep;
  for (int round = 0; round < kRounds; ++round) {
    const auto count = chosen.bincount({}, labels).to(expected.scalar_type());
    const auto lack = at::log((expected + 1) / (count + 1)).clamp_(-1, 1).unsqueeze(1);
    offset = (offset + step * lack).clamp_(-kMostOffset, kMostOffset);
    step *= kShrink;
    chosen = (doubtful + offset).argmax(0);
  }
  return result.index_copy_(0, open, chosen);
}

}  // namespace guidegen
