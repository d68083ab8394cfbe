#include "guidegen/stages/segment_ct.hpp"

#include <torch/torch.h>

#include <cmath>

#include "guidegen/core/error.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/nn/autocast.hpp"
#include "guidegen/nn/device_transfer.hpp"
#include "guidegen/nn/module_io.hpp"
#include "guidegen/stages/model_directory.hpp"
#include "guidegen/volume/labels.hpp"
#include "guidegen/volume/resample.hpp"

namespace guidegen {

namespace {

constexpr int64_t kLeastExtent = 16;

// Places of windows along one axis.
struct WindowAxis {
  int64_t size = 0;    // of the volume, padded to the extent
  int64_t extent = 0;  // of a window
  std::vector<int64_t> starts;
};

WindowAxis windows_along(int64_t size, int64_t window, int64_t multiple, double overlap) {
  const int64_t rounded = (std::max(size, kLeastExtent) + multiple - 1) / multiple * multiple;
  WindowAxis axis;
  axis.extent = std::min(rounded, window);
  axis.size = std::max(size, axis.extent);
  const int64_t room = axis.size - axis.extent;
  const double step = std::max(1.0, static_cast<double>(axis.extent) * (1 - overlap));
  const auto gaps = static_cast<int64_t>(std::ceil(static_cast<double>(room) / step));
  for (int64_t i = 0; i <= gaps; ++i) axis.starts.push_back(gaps == 0 ? 0 : i * room / gaps);
  return axis;
}

// [n] float32, highest in the middle.
at::Tensor bell(int64_t n) {
  constexpr double kDeviation = 1.0 / 8;  // of the extent
  const auto place = torch::arange(n, at::kFloat) - static_cast<double>(n - 1) / 2;
  return torch::exp(-0.5 * (place / (kDeviation * static_cast<double>(n))).square());
}

// Labels of a volume window by window: slices are decided as soon as no window to come covers them.
class SlidingWindow {
 public:
  SlidingWindow(Segmenter& segmenter, const Volume& ct, const WindowOptions& options)
      : segmenter_(segmenter),
        device_(segmenter->parameters().front().device()),
        log_spacing_(log_spacing_of(ct.geometry).to(device_)) {
    const auto& config = segmenter->config();
    const int64_t multiple = int64_t{1} << config.channels.size();
    const int64_t wanted = options.window > 0 ? options.window : config.window;
    const int64_t window = std::max<int64_t>(1, wanted / multiple) * multiple;
    const auto dhw = to_dhw(ct.geometry.size);
    std::vector<int64_t> pad;
    for (size_t axis = 0; axis < 3; ++axis) {
      axes_[axis] = windows_along(dhw[axis], window, multiple, options.overlap);
      pad.insert(pad.begin(), {0, axes_[axis].size - dhw[axis]});
    }
    hu_ = at::constant_pad_nd(ct.data[0].to(at::kFloat), pad, kMinHu).clamp(kMinHu, kMaxHu);
    weights_ = bell(axes_[0].extent).view({-1, 1, 1}) * bell(axes_[1].extent).view({-1, 1}) *
               bell(axes_[2].extent);
  }

  at::Tensor run(const WindowCallback& on_window) {
    const auto& [z, y, x] = axes_;
    auto labels = torch::empty({z.size, y.size, x.size}, label_type(segmenter_->labels()));
    auto sums = torch::zeros({segmenter_->labels(), z.extent, y.size, x.size});
    const auto total = static_cast<int64_t>(z.starts.size() * y.starts.size() * x.starts.size());
    int64_t done = 0;
    for (size_t i = 0; i < z.starts.size(); ++i) {
      for (const int64_t row : y.starts) {
        for (const int64_t column : x.starts) {
          add(sums, {z.starts[i], row, column});
          if (on_window) on_window(++done, total);
        }
      }
      const bool last = i + 1 == z.starts.size();
      const int64_t decided = last ? z.extent : z.starts[i + 1] - z.starts[i];
      labels.slice(0, z.starts[i], z.starts[i] + decided)
          .copy_(sums.slice(1, 0, decided).argmax(0));
      if (!last) {
        sums = torch::cat(
            {sums.slice(1, decided), torch::zeros({sums.size(0), decided, y.size, x.size})}, 1);
      }
    }
    return labels;
  }

 private:
  void add(at::Tensor& sums, const std::array<int64_t, 3>& start) {
    auto window = hu_;
    auto target = sums;
    for (size_t axis = 0; axis < 3; ++axis) {
      const auto along = static_cast<int64_t>(axis);
      window = window.narrow(along, start[axis], axes_[axis].extent);
      // Sums begin with the first slice of the window.
      if (axis > 0) target = target.narrow(along + 1, start[axis], axes_[axis].extent);
    }
    const auto input = window.unsqueeze(0).unsqueeze(0).to(device_);
    const auto logits = segmenter_->forward(input, log_spacing_);
    target.addcmul_(torch::softmax(logits, 1)[0].to(at::kCPU), weights_);
  }

  Segmenter& segmenter_;
  at::Device device_;
  at::Tensor log_spacing_;          // [1,3]
  std::array<WindowAxis, 3> axes_;  // z, y, x
  at::Tensor hu_;                   // padded, [D,H,W]
  at::Tensor weights_;              // of a window's voxels
};

}  // namespace

Volume segment_ct(Segmenter& segmenter, const Volume& ct, const WindowOptions& options,
                  const WindowCallback& on_window) {
  check_volume(ct, "CT");
  const torch::NoGradGuard no_grad;
  const auto spacing = segmenter->working_spacing(ct.geometry.spacing);
  if (spacing != ct.geometry.spacing) {
    const Volume seen = resample_ct(ct, respaced(ct.geometry, spacing));
    return resample_mask(segment_ct(segmenter, seen, options, on_window), ct.geometry);
  }
  const auto device = segmenter->parameters().front().device();
  const AutocastScope precision(device.is_cuda() ? AutocastState::on(device)
                                                 : AutocastState::current());
  const auto dhw = to_dhw(ct.geometry.size);
  const auto labels = SlidingWindow(segmenter, ct, options).run(on_window);
  return {
      labels.slice(0, 0, dhw[0]).slice(1, 0, dhw[1]).slice(2, 0, dhw[2]).contiguous().unsqueeze(0),
      ct.geometry};
}

SegmenterModel::SegmenterModel(Segmenter segmenter, Vocabulary vocabulary, std::string sha256)
    : segmenter_(std::move(segmenter)),
      vocabulary_(std::move(vocabulary)),
      sha256_(std::move(sha256)) {}

SegmenterModel SegmenterModel::load(const std::filesystem::path& directory,
                                    const at::Device& device) {
  const auto description = read_model_description(directory);
  const auto found = description.stages.find(kSegmenter);
  if (found == description.stages.end()) {
    throw_usage(directory.string(),
                ": holds no segmenter; train one by `guidegen train segmenter`");
  }
  const auto& entry = found->second;
  const auto source = (directory / "model.json").string();
  Segmenter segmenter(
      SegmenterConfig::from_json(JsonObject(entry.config, source, "stages.segmenter.config")),
      description.vocabulary.size(), description.vocabulary.tumor());
  const auto weights = directory / entry.weights;
  load_module(weights, *segmenter);
  segmenter->to(device);
  if (device.is_cuda()) order_channels_last(*segmenter);
  segmenter->eval();
  for (auto& parameter : segmenter->parameters()) parameter.set_requires_grad(false);
  return {std::move(segmenter), description.vocabulary, sha256_file(weights)};
}

Volume SegmenterModel::segment(const Volume& ct, const WindowOptions& options,
                               const WindowCallback& on_window) const {
  return segment_ct(segmenter_, ct, options, on_window);
}

}  // namespace guidegen
