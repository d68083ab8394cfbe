#include "stages/segmenter_crops.hpp"

#include <torch/torch.h>

#include "guidegen/nn/random_tensor.hpp"
#include "guidegen/volume/labels.hpp"

namespace guidegen {

namespace {

constexpr int64_t kFieldNodes = 4;  // of the smooth field, along each axis

// A label that the mask holds, the background aside; -1 where there is none.
int64_t draw_label(const at::Tensor& mask, const SegmenterConfig& config, int64_t tumor,
                   RandomStream& stream) {
  const auto counts = count_labels(mask, tumor + 1);
  const auto* count = counts.const_data_ptr<int64_t>();
  if (count[tumor] > 0 && stream.flip(config.tumor_crops)) return tumor;
  std::vector<int64_t> present;
  for (int64_t label = 1; label < counts.numel(); ++label) {
    if (count[label] > 0) present.push_back(label);
  }
  if (present.empty()) return -1;
  return present[static_cast<size_t>(stream.integer(static_cast<int64_t>(present.size())))];
}

// One voxel of a label, any as likely as another: index along D, H, W. Only one slice is listed,
// because a list of all voxels of a body takes hundreds of megabytes.
std::array<int64_t, 3> draw_voxel(const at::Tensor& mask, int64_t label, RandomStream& stream) {
  const auto where = voxels_of(mask, label);
  const auto counts = where.sum(c10::IntArrayRef{1, 2});
  const auto* count = counts.const_data_ptr<int64_t>();
  int64_t chosen = stream.integer(counts.sum().item<int64_t>());
  int64_t slice = 0;
  while (chosen >= count[slice]) chosen -= count[slice++];
  const auto place = where[slice].nonzero()[chosen];
  return {slice, place[0].item<int64_t>(), place[1].item<int64_t>()};
}

// Where a crop of `extent` starts along each axis D,H,W.
std::array<int64_t, 3> draw_start(const at::Tensor& mask, const SegmenterConfig& config,
                                  int64_t tumor, RandomStream& stream) {
  const bool balanced = stream.flip(config.balanced_crops);
  const int64_t label = balanced ? draw_label(mask, config, tumor, stream) : -1;
  std::array<int64_t, 3> voxel{};
  if (label >= 0) voxel = draw_voxel(mask, label, stream);
  std::array<int64_t, 3> start{};
  for (int64_t axis = 0; axis < 3; ++axis) {
    const int64_t room = std::max<int64_t>(mask.size(axis) - config.crop, 0);
    const int64_t anywhere = stream.integer(room + 1);
    if (label < 0) {
      start[static_cast<size_t>(axis)] = anywhere;
      continue;
    }
    // Not always in the middle of the crop.
    const int64_t before = config.crop / 4 + stream.integer(config.crop / 2);
    const int64_t place = voxel[static_cast<size_t>(axis)];
    start[static_cast<size_t>(axis)] = std::clamp<int64_t>(place - before, 0, room);
  }
  return start;
}

at::Tensor cut(at::Tensor image, const std::array<int64_t, 3>& start, int64_t extent,
               double outside) {
  std::vector<int64_t> pad;
  for (int64_t axis = 0; axis < 3; ++axis) {
    const auto from = start[static_cast<size_t>(axis)];
    image = image.slice(axis, from, from + extent);
  }
  for (int64_t axis = 2; axis >= 0; --axis) {
    pad.push_back(0);
    pad.push_back(extent - image.size(axis));
  }
  return at::constant_pad_nd(image, pad, outside);
}

}  // namespace

LabeledCrop draw_crop(const TrainingCase& item, const SegmenterConfig& config, int64_t tumor,
                      RandomStream& stream) {
  const auto start = draw_start(item.mask, config, tumor, stream);
  const auto ct = cut(item.ct, start, config.crop, kMinHu);
  const auto mask = cut(wide_labels(item.mask), start, config.crop, 0);
  return {ct.to(at::kFloat).unsqueeze(0), mask.to(at::kLong)};
}

at::Tensor augmented(const at::Tensor& hu, const CtAugmentation& how, RandomStream& stream) {
  auto out = hu.unsqueeze(0);
  const double smooth = stream.uniform(0, how.smoothing);
  const double scale = 1 + stream.uniform(-how.scale, how.scale);
  const double shift = stream.uniform(-how.shift_hu, how.shift_hu);
  const double noise = stream.uniform(0, how.noise_hu);
  if (smooth > 0) {
    const auto mean = at::avg_pool3d(out, 3, 1, 1, /*ceil_mode=*/false,
                                     /*count_include_pad=*/false);
    out = at::lerp(out, mean, smooth);
  }
  out = out * scale + shift;
  if (how.field_hu > 0) {
    const auto nodes = random_normal(stream, {1, 1, kFieldNodes, kFieldNodes, kFieldNodes});
    out = out + how.field_hu * at::upsample_trilinear3d(nodes, out.sizes().slice(2), true);
  }
  if (noise > 0) out = out + noise * random_normal(stream, out.sizes());
  return out.squeeze(0).clamp_(kMinHu, kMaxHu);
}

}  // namespace guidegen
