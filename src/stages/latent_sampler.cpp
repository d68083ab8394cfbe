#include "stages/latent_sampler.hpp"

#include <torch/torch.h>

#include "guidegen/core/error.hpp"
#include "guidegen/diffusion/flow.hpp"
#include "guidegen/nn/device_transfer.hpp"
#include "guidegen/nn/random_tensor.hpp"
#include "guidegen/stages/hdr_autoencoder.hpp"
#include "guidegen/volume/labels.hpp"

namespace guidegen {
namespace {

constexpr int64_t kFactor = HdrAutoencoderImpl::kDownsampling;

/// First voxels of the tiles along one axis.
std::vector<int64_t> starts_of(int64_t size, int64_t tile) {
  const int64_t room = size - tile;
  const int64_t step = std::max<int64_t>(1, tile - std::max<int64_t>(1, tile / 4));
  const int64_t steps = (room + step - 1) / step;
  std::vector<int64_t> starts = {0};
  for (int64_t i = 1; i <= steps; ++i) starts.push_back(i * room / steps);
  return starts;
}

/// Weights along one axis: 1 in the middle, falling evenly over the quarter at either end.
at::Tensor fading(int64_t size) {
  std::vector<float> weights;
  const int64_t ramp = std::max<int64_t>(1, size / 4);
  for (int64_t i = 0; i < size; ++i) {
    const auto inside = static_cast<float>(std::min(i, size - 1 - i) + 1);
    weights.push_back(std::min(1.0F, inside / static_cast<float>(ramp + 1)));
  }
  return torch::tensor(weights);
}

}  // namespace

std::string solver_for(const std::string& wanted, const FeatureGeneratorConfig& config) {
  const auto solvers = solvers_of(config.objective);
  auto solver = wanted == "auto" ? config.solver : wanted;
  if (solver == "auto") solver = solvers.front();
  if (std::find(solvers.begin(), solvers.end(), solver) == solvers.end()) {
    throw_usage("solver ", solver, ": the model's objective is ", config.objective, ", expected ",
                solvers[0], " or ", solvers[1]);
  }
  return solver;
}

std::vector<Box> overlapping_tiles(const Extent& size, const Extent& tile) {
  std::vector<Box> boxes;
  for (const int64_t d : starts_of(size[0], tile[0])) {
    for (const int64_t h : starts_of(size[1], tile[1])) {
      for (const int64_t w : starts_of(size[2], tile[2])) {
        boxes.push_back({{d, h, w}, {d + tile[0], h + tile[1], w + tile[2]}});
      }
    }
  }
  return boxes;
}

LatentSampler::LatentSampler(FeatureGeneratorImpl& generator, const LatentRequest& request)
    : generator_(generator), request_(request), device_(generator.device()) {
  const auto voxels = to_dhw(request.mask.geometry.size);
  for (size_t axis = 0; axis < 3; ++axis) {
    size_[axis] = (voxels[axis] + kFactor - 1) / kFactor;
    tile_size_[axis] = request.tile ? std::min((*request.tile)[axis], size_[axis]) : size_[axis];
  }
  if (request.mask.data.defined() && generator.config().mask_condition != "none") {
    position_ = body_position(request.mask, generator.vocabulary());
  }
  if (generator.config().low_resolution > 0) {
    if (!request.coarse.defined()) {
      throw_usage("the model refines coarse CTs: expected one, of voxels ",
                  generator.config().low_resolution, " times as large");
    }
    coarse_ = generator.normalized(request.coarse.to(device_));
  }
  without_ = encode(std::nullopt);
  scenes_.push_back(make_scene(request.mask.data, request.prompt));
  if (scenes_.front().tiles.size() > 1) fade_tiles();
  if (!request.counterpart.defined()) return;
  scenes_.push_back(make_scene(request.counterpart, request.counterpart_prompt));
  const auto changed = wide_labels(request.mask.data).ne(wide_labels(request.counterpart));
  constexpr int64_t kReach = 2;  // latent voxels
  const auto latent =
      at::max_pool3d(pad_to_multiple(changed.to(at::kFloat).unsqueeze(0), kFactor, 0),
                     {kFactor, kFactor, kFactor});
  differs_ = at::max_pool3d(latent, {2 * kReach + 1, 2 * kReach + 1, 2 * kReach + 1}, {1, 1, 1},
                            {kReach, kReach, kReach})
                 .gt(0)
                 .to(device_);
}

PromptFeatures LatentSampler::encode(const std::optional<Prompt>& prompt) const {
  const auto text = generator_.encode_prompts({prompt});
  return request_.graphed ? with_round_length(text) : text;
}

LatentSampler::Scene LatentSampler::make_scene(const at::Tensor& labels, const Prompt& prompt) {
  Scene scene{labels, encode(prompt), {}};
  for (const auto& box : overlapping_tiles(size_, tile_size_)) {
    scene.tiles.push_back(make_tile(box, labels));
  }
  return scene;
}

void LatentSampler::fade_tiles() {
  window_ = (fading(tile_size_[0]).view({-1, 1, 1}) * fading(tile_size_[1]).view({-1, 1}) *
             fading(tile_size_[2]))
                .to(device_);
  coverage_ = torch::zeros({size_[0], size_[1], size_[2]}, window_.options());
  for (const auto& tile : scenes_.front().tiles) {
    cut(coverage_, tile.box, whole(size_)).add_(window_);
  }
}

at::Tensor LatentSampler::mask_of(const Box& box, const at::Tensor& labels) const {
  const auto voxels = finer(box, kFactor);
  if (!labels.defined()) {
    return torch::full({1, voxels.size(0), voxels.size(1), voxels.size(2)}, generator_.no_label(),
                       at::TensorOptions(device_).dtype(at::kInt));
  }
  // A tile at the far border of a volume may reach over it, into the padding.
  Box inside = voxels;
  const auto size = to_dhw(request_.mask.geometry.size);
  for (size_t axis = 0; axis < 3; ++axis) {
    inside.high[axis] = std::min(voxels.high[axis], size[axis]);
  }
  const auto part = cut(labels, inside, whole({size[0], size[1], size[2]})).to(at::kInt);
  return pad_to_multiple(part, kFactor, 0).to(device_);
}

LatentSampler::Tile LatentSampler::make_tile(const Box& box, const at::Tensor& labels) {
  Tile tile;
  tile.box = box;
  const auto& whole_grid = request_.mask.geometry;
  auto grid = whole_grid;
  if (tile_size_ != size_) {
    const auto voxels = finer(box, kFactor);
    grid.size = to_xyz({voxels.size(0), voxels.size(1), voxels.size(2)});
  }
  auto position = position_;
  if (position) {
    const double spacing = whole_grid.spacing[2];
    position->bottom_mm += spacing * static_cast<double>(box.low[0] * kFactor);
    position->top_mm = position->bottom_mm + spacing * static_cast<double>(grid.size[2]);
  }
  tile.place = place_features(grid, position).to(device_);
  const auto coarse = coarse_.defined() ? cut(coarse_, box, whole(size_)) : at::Tensor();
  tile.image = generator_.encode_image(mask_of(box, labels), coarse);
  if (request_.mask_guidance != 1.0) {
    const bool alike = !coarse.defined();
    if (!alike || !unmasked_.defined()) {
      unmasked_ = generator_.encode_image(mask_of(box, {}), coarse);
    }
    tile.without_mask = unmasked_;
  }
  return tile;
}

at::Tensor LatentSampler::predict_tile(const at::Tensor& z, const at::Tensor& time,
                                       const Tile& tile, const PromptFeatures& text) {
  const auto call = [&](const at::Tensor& image, const PromptFeatures& words) {
    const auto output = generator_.denoise(z, time, image, words, tile.place, request_.graphed);
    return request_.graphed ? output.clone() : output;  // the next replay overwrites it
  };
  // Each condition is stepped away from the prediction without it (Brooks et al.,
  // "InstructPix2Pix", CVPR 2023, eq. 3): first the mask, then the text.
  const auto full = call(tile.image, text);
  const bool guides_text = request_.text_guidance != 1.0;
  const bool guides_mask = request_.mask_guidance != 1.0;
  if (!guides_text && !guides_mask) return full;
  const auto masked = call(tile.image, without_);
  auto guided = masked + request_.text_guidance * (full - masked);
  if (guides_mask) {
    const auto nothing = call(tile.without_mask, without_);
    guided = guided + (request_.mask_guidance - 1.0) * (masked - nothing);
  }
  return guided;
}

at::Tensor LatentSampler::predict_scene(const at::Tensor& z, const at::Tensor& time,
                                        const Scene& scene) {
  if (!window_.defined()) return predict_tile(z, time, scene.tiles.front(), scene.text);
  auto sum = torch::zeros_like(z);
  for (const auto& tile : scene.tiles) {
    const auto part = cut(z, tile.box, whole(size_)).contiguous();
    cut(sum, tile.box, whole(size_)).add_(predict_tile(part, time, tile, scene.text) * window_);
  }
  return sum / coverage_;
}

at::Tensor LatentSampler::predict(const at::Tensor& z, double time) {
  const auto t = torch::full({1}, time, z.options());
  if (scenes_.size() == 1) return predict_scene(z, t, scenes_.front());
  // Where nothing was changed both walk the path of the first, so that they stay one patient.
  const auto first = predict_scene(z.narrow(0, 0, 1), t, scenes_[0]);
  const auto second = predict_scene(z.narrow(0, 1, 1), t, scenes_[1]);
  return torch::cat({first, at::where(differs_, second, first)});
}

at::Tensor LatentSampler::walk(const at::Tensor& noise,
                               const std::function<void(int64_t, int64_t)>& on_step) {
  const auto& config = generator_.config();
  const auto solver = solver_for(request_.solver, config);
  if (config.objective == "flow") {
    const int64_t seen = tile_size_[0] * tile_size_[1] * tile_size_[2];
    return sample_flow([&](const at::Tensor& x, double t) { return predict(x, t); }, noise,
                       request_.steps, solver, config.size_shift(seen), on_step);
  }
  const auto network = [&](const at::Tensor& x, int64_t t) {
    return predict(x, static_cast<double>(t) / static_cast<double>(config.timesteps));
  };
  GaussianDiffusion::Bounded bounded;
  if (config.space == "pixels") {  // which lie in [-1,1]; latents may be anything
    bounded = [&](const at::Tensor& x0) {
      return generator_.normalized(generator_.denormalized(x0).clamp(-1.0, 1.0));
    };
  }
  return generator_.gaussian().sample(network, noise, request_.steps, solver, on_step, bounded);
}

at::Tensor LatentSampler::run(const std::function<void(int64_t, int64_t)>& on_step) {
  RandomStream stream(request_.seed, request_.case_id, "ct/noise");
  const auto noise = queue_to(
      random_normal(stream, {1, generator_.latent_channels(), size_[0], size_[1], size_[2]}),
      device_);
  const auto pair = static_cast<int64_t>(scenes_.size());
  return generator_.denormalized(walk(noise.expand({pair, -1, -1, -1, -1}), on_step));
}

}  // namespace guidegen
