#include "guidegen/stages/model.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "guidegen/core/error.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/nn/autocast.hpp"
#include "guidegen/nn/device_transfer.hpp"
#include "guidegen/nn/module_io.hpp"
#include "guidegen/stages/feature_generator.hpp"
#include "guidegen/stages/hdr_autoencoder.hpp"
#include "guidegen/stages/model_directory.hpp"
#include "guidegen/stages/pixel_space.hpp"
#include "guidegen/stages/synthesizer.hpp"
#include "guidegen/stages/tiled_autoencoder.hpp"
#include "guidegen/volume/refine_labels.hpp"
#include "guidegen/volume/resample.hpp"
#include "stages/latent_sampler.hpp"

namespace guidegen {

struct Model::Parts {
  at::Device device = at::kCPU;
  ModelDescription description;
  std::map<std::string, std::string> hashes;
  // Forward passes of LibTorch modules are not const; the weights do not change.
  mutable StudentEncoder text_encoder{nullptr};
  mutable Synthesizer synthesizer{nullptr};
  mutable HdrAutoencoder autoencoder{nullptr};
  mutable FeatureGenerator generator{nullptr};

  const std::string& autoencoder_sha256() const {
    return hashes.at(description.stages.at(2).weights);
  }
  void load_text_encoder(const std::filesystem::path& directory, const std::string& source);
  Volume draw_mask(MaskRequest request, const StepCallback& on_step) const;
  /// Tiles of the size that the generator was trained on for volumes clearly larger than that;
  /// absent: the volume is drawn as a whole.
  std::optional<std::array<int64_t, 3>> latent_tile(const ImageGeometry& grid) const;
  /// Adds what `options` say to the request, and draws.
  at::Tensor draw_latents(LatentRequest request, const CtSampling& options,
                          const StepCallback& on_step) const;
  Volume decode_latents(const at::Tensor& latents, const Volume& mask, int64_t memory) const;
};

namespace {

template <typename Holder>
void finish_loading(Holder& module, const std::filesystem::path& weights,
                    const at::Device& device) {
  load_module(weights, *module);
  module->to(device);
  if (device.is_cuda()) order_channels_last(*module);
  module->eval();
  for (auto& parameter : module->parameters()) parameter.set_requires_grad(false);
}

}  // namespace

std::optional<std::array<int64_t, 3>> Model::Parts::latent_tile(const ImageGeometry& grid) const {
  constexpr double kClearly = 1.25;
  const auto trained = generator->config().crop.value_or(description.geometry.size);
  std::array<int64_t, 3> tile{};
  bool larger = false;
  for (size_t axis = 0; axis < 3; ++axis) {
    larger = larger || double(grid.size[axis]) > kClearly * double(trained[axis]);
    tile[2 - axis] =
        (trained[axis] + HdrAutoencoderImpl::kDownsampling - 1) / HdrAutoencoderImpl::kDownsampling;
  }
  return larger ? std::optional(tile) : std::nullopt;
}

void Model::Parts::load_text_encoder(const std::filesystem::path& directory,
                                     const std::string& source) {
  const auto& entry = *description.text;
  hashes[entry.weights] = sha256_file(directory / entry.weights);
  hashes[entry.vocabulary] = sha256_file(directory / entry.vocabulary);
  text_encoder = read_student(JsonObject(entry.config, source, "text.config"),
                              directory / entry.vocabulary, directory / entry.weights);
  if (synthesizer && synthesizer->config().text_encoder_width != 0 &&
      synthesizer->config().text_encoder_width != text_encoder->config().width) {
    throw_usage(source, ": text: its encoder has tokens of width ", text_encoder->config().width,
                ", stage 1 was trained with ", synthesizer->config().text_encoder_width);
  }
}

Model Model::load(const std::filesystem::path& directory, const at::Device& device) {
  auto parts = std::make_unique<Parts>();
  parts->device = device;
  parts->description = read_model_description(directory);
  const auto& description = parts->description;
  const int64_t labels = description.vocabulary.size();
  const std::string source = (directory / "model.json").string();
  for (const auto& [stage, entry] : description.stages) {
    if (stage == kSegmenter) continue;  // no part of sampling
    const auto weights = directory / entry.weights;
    parts->hashes[entry.weights] = sha256_file(weights);
    JsonObject config(entry.config, source, concat("stages.", stage, ".config"));
    if (stage == 1) {
      parts->synthesizer =
          Synthesizer(SynthesizerConfig::from_json(config), labels, description.vocabulary.tumor());
      finish_loading(parts->synthesizer, weights, device);
    } else if (stage == 2) {
      parts->autoencoder = HdrAutoencoder(HdrAutoencoderConfig::from_json(config), labels);
      finish_loading(parts->autoencoder, weights, device);
    } else {
      parts->generator = FeatureGenerator(FeatureGeneratorConfig::from_json(config),
                                          description.vocabulary, entry.latent_channels);
      finish_loading(parts->generator, weights, device);
    }
  }
  if (description.text) parts->load_text_encoder(directory, source);
  if (parts->synthesizer && parts->synthesizer->config().text_encoder_width > 0 &&
      !parts->text_encoder) {
    throw_usage(source,
                ": text: missing; stage 1 reads texts by the encoder it was trained with, "
                "add it by `guidegen export model`");
  }
  if (parts->generator && parts->autoencoder && parts->generator->config().space == "latent" &&
      parts->autoencoder->config().latent_channels != description.stages.at(3).latent_channels) {
    throw_usage(source, ": stages.3.latent_channels: does not fit the autoencoder of stage 2");
  }
  return Model(std::move(parts));
}

Model::Model(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;

const Vocabulary& Model::vocabulary() const { return parts_->description.vocabulary; }
const ImageGeometry& Model::geometry() const { return parts_->description.geometry; }
const Json& Model::description() const { return parts_->description.document; }
const std::map<std::string, std::string>& Model::weight_hashes() const { return parts_->hashes; }

bool Model::has_stage(int stage) const { return parts_->description.stages.count(stage) > 0; }

bool Model::makes_ct() const {
  return has_stage(3) && (has_stage(2) || parts_->generator->config().space == "pixels");
}

ImageGeometry Model::geometry_for(const Prompt& prompt) const {
  ImageGeometry geometry =
      centered_geometry(prompt.size.value_or(parts_->description.geometry.size),
                        prompt.spacing_mm.value_or(parts_->description.geometry.spacing));
  for (const auto extent : geometry.size) {
    if (extent < 16) {
      throw_usage("prompt ", prompt.id, ": size: ", extent,
                  " voxels along an axis, the networks take 16 or more");
    }
  }
  return geometry;
}

void Model::check_sampling(const MaskSampling& mask, const CtSampling& ct) const {
  const auto check_steps = [](const char* what, int64_t steps, int64_t most) {
    if (steps <= most) return;
    throw_usage(what, ": ", steps, " steps, expected at most ", most, ", the model's schedule");
  };
  if (parts_->synthesizer) {
    check_steps("mask", mask.steps, parts_->synthesizer->config().timesteps);
  }
  if (!parts_->generator) return;
  const auto& config = parts_->generator->config();
  solver_for(ct.solver, config);
  if (config.objective != "flow") check_steps("CT", ct.steps, config.timesteps);
  if (config.low_resolution > 0 && !ct.coarse) {
    throw_usage("the model refines coarse CTs, expected one: `guidegen sample stage3 --coarse`");
  }
}

namespace {

[[noreturn]] void refuse_missing_stage(int stage, const char* purpose) {
  throw_usage("the model holds no stage ", stage, ", which ", purpose,
              " needs; train it, or join trained stages by `guidegen export model`");
}

void require_stage(const Model& model, int stage, const char* purpose) {
  if (!model.has_stage(stage)) refuse_missing_stage(stage, purpose);
}

// Sampling calls the same networks again and again: on a GPU in bfloat16, as they are trained
// there; on the CPU in float32, which is faster at the widths of the shipped model.
AutocastState sampling_precision(const at::Device& device) {
  return device.is_cuda() ? AutocastState::on(device) : AutocastState::current();
}

}  // namespace

Volume Model::Parts::draw_mask(MaskRequest request, const StepCallback& on_step) const {
  if (!synthesizer) refuse_missing_stage(1, "sampling a mask");
  request.vocabulary = &description.vocabulary;
  if (synthesizer->config().text_encoder_width > 0) {
    request.text =
        text_encoder->encode({request.prompt.text.value_or(describe(request.prompt, 0))});
  }
  request.graphed = worth_graphs(device, request.geometry);
  const AutocastScope precision(sampling_precision(device));
  return {synthesizer->sample(request, on_step).unsqueeze(0), request.geometry};
}

namespace {

/// The grid to sample a mask on that is wanted on `wanted`: the network has learned anatomy at one
/// spacing, so where a finer one is asked for, its own over the same field of view. The rest is the
/// refiner's work.
ImageGeometry sampling_grid(const ImageGeometry& wanted, const ImageGeometry& trained) {
  constexpr double kFinestRatio = 1.25;  // between the trained spacing and what the network may see
  constexpr int64_t kSmallest = 16;
  bool finer = false;
  std::array<int64_t, 3> size{};
  Vec3 spacing = trained.spacing;
  for (size_t axis = 0; axis < 3; ++axis) {
    finer = finer || trained.spacing[axis] > kFinestRatio * wanted.spacing[axis];
    spacing[axis] = std::max(trained.spacing[axis], wanted.spacing[axis]);
    const double extent = wanted.spacing[axis] * static_cast<double>(wanted.size[axis]);
    size[axis] = std::max<int64_t>(kSmallest,
                                   static_cast<int64_t>(std::ceil(extent / spacing[axis] - 1e-6)));
  }
  return finer ? centered_geometry(size, spacing) : wanted;
}

}  // namespace

ImageGeometry Model::mask_grid(const ImageGeometry& wanted) const {
  return sampling_grid(wanted, parts_->description.geometry);
}

bool worth_graphs(const at::Device& device, const ImageGeometry& geometry) {
  constexpr int64_t kMostVoxels = 128 * 128 * 128;
  return device.is_cuda() && geometry.voxels() <= kMostVoxels;
}

Volume Model::sample_mask(const Prompt& prompt, const std::string& case_id, uint64_t seed,
                          const MaskSampling& options, const StepCallback& on_step) const {
  MaskRequest request;
  request.prompt = prompt;
  const ImageGeometry wanted = geometry_for(prompt);
  request.geometry = mask_grid(wanted);
  request.seed = seed;
  request.case_id = case_id;
  request.sampling = options;
  const Volume mask = parts_->draw_mask(std::move(request), on_step);
  return same_geometry(mask.geometry, wanted) ? mask : refine_labels(mask, wanted);
}

Volume Model::complete_mask(const Prompt& prompt, const GivenLabels& given,
                            const ImageGeometry& geometry, const std::string& case_id,
                            uint64_t seed, const MaskSampling& options,
                            const StepCallback& on_step) const {
  MaskRequest request;
  request.prompt = prompt;
  request.geometry = geometry;
  request.seed = seed;
  request.case_id = case_id;
  request.sampling = options;
  request.given = &given;
  return parts_->draw_mask(std::move(request), on_step);
}

namespace {

/// What a coarse CT does not show would be refined from air.
void check_covers(const ImageGeometry& coarse, const ImageGeometry& wanted) {
  for (int corner = 0; corner < 8; ++corner) {
    Vec3 index{};
    for (size_t axis = 0; axis < 3; ++axis) {
      index[axis] = (corner >> axis) % 2 == 0 ? 0.0 : static_cast<double>(wanted.size[axis] - 1);
    }
    const Vec3 place = coarse.to_index(wanted.to_world(index));
    for (size_t axis = 0; axis < 3; ++axis) {
      constexpr double kSlack = 1.5;  // voxels: grids of other spacings end elsewhere
      if (place[axis] > -kSlack &&
          place[axis] < static_cast<double>(coarse.size[axis] - 1) + kSlack) {
        continue;
      }
      throw_usage(
          "the coarse CT does not cover the grid of the mask, expected both of one patient ",
          "in one world");
    }
  }
}

}  // namespace

at::Tensor Model::Parts::draw_latents(LatentRequest request, const CtSampling& options,
                                      const StepCallback& on_step) const {
  if (!generator) refuse_missing_stage(3, "sampling a CT");
  const auto& config = generator->config();
  if (!autoencoder && config.space != "pixels") refuse_missing_stage(2, "sampling a CT");
  if (config.low_resolution > 0 && options.coarse) {
    check_covers(options.coarse->geometry, request.mask.geometry);
    const Volume coarse = resample_ct(*options.coarse, request.mask.geometry);
    request.coarse =
        config.space == "pixels" ? fold_pixels(coarse) : encode_ct(autoencoder, coarse).mean;
  }
  request.steps = options.steps > 0 ? options.steps : config.sampling_steps;
  request.solver = options.solver;
  request.text_guidance = options.text_guidance.value_or(config.text_guidance);
  request.mask_guidance = options.mask_guidance.value_or(config.mask_guidance);
  request.tile = latent_tile(request.mask.geometry);
  request.graphed = worth_graphs(device, request.mask.geometry);
  const AutocastScope precision(sampling_precision(device));
  return generator->sample(request, on_step);
}

Volume Model::Parts::decode_latents(const at::Tensor& latents, const Volume& mask,
                                    int64_t memory) const {
  const AutocastScope precision(sampling_precision(device));
  Volume ct = generator->config().space == "pixels" ? unfold_pixels(latents, mask.geometry)
                                                    : decode_ct(autoencoder, latents, mask, memory);
  ct.data.round_();
  return ct;
}

namespace {

LatentRequest request_for(const Prompt& prompt, const Volume& mask, const std::string& case_id,
                          uint64_t seed) {
  if (mask.data.defined()) check_volume(mask, "mask");
  LatentRequest request;
  request.prompt = prompt;
  request.mask = mask;
  request.seed = seed;
  request.case_id = case_id;
  return request;
}

}  // namespace

Volume Model::sample_ct(const Prompt& prompt, const Volume& mask, const std::string& case_id,
                        uint64_t seed, const CtSampling& options,
                        const StepCallback& on_step) const {
  const auto latents =
      parts_->draw_latents(request_for(prompt, mask, case_id, seed), options, on_step);
  return parts_->decode_latents(latents, mask, options.memory);
}

std::pair<Volume, Volume> Model::sample_ct_pair(const Prompt& prompt, const Volume& mask,
                                                const Prompt& counterpart_prompt,
                                                const Volume& counterpart,
                                                const std::string& case_id, uint64_t seed,
                                                const CtSampling& options,
                                                const StepCallback& on_step) const {
  auto request = request_for(prompt, mask, case_id, seed);
  request.counterpart = counterpart.data;
  request.counterpart_prompt = counterpart_prompt;
  const auto latents = parts_->draw_latents(std::move(request), options, on_step);
  return {parts_->decode_latents(latents.narrow(0, 0, 1), mask, options.memory),
          parts_->decode_latents(latents.narrow(0, 1, 1), counterpart, options.memory)};
}

TilePlan Model::plan_ct(const ImageGeometry& grid, TiledWork work, int64_t memory) const {
  require_stage(*this, 2, "reconstruction");
  return plan_tiles(parts_->autoencoder->config(), grid.size, work, memory);
}

CtLatents Model::encode(const Volume& ct, const TilePlan& plan, const TileCallback& on_tile) const {
  require_stage(*this, 2, "encoding a CT");
  const auto posterior = encode_tiled(parts_->autoencoder, ct, plan, on_tile);
  return {posterior.mean, posterior.log_variance, ct.geometry, parts_->autoencoder_sha256()};
}

void Model::check_origin(const CtLatents& latents, const std::string& source) const {
  require_stage(*this, 2, "decoding latents");
  const auto& own = parts_->autoencoder_sha256();
  if (latents.weights_sha256 == own) return;
  throw_usage(source, ": latents of the autoencoder ", latents.weights_sha256.substr(0, 12),
              "..., expected those of the model's own, ", own.substr(0, 12), "...");
}

Volume Model::decode(const CtLatents& latents, const Volume* mask, const TilePlan& plan,
                     const TileCallback& on_tile) const {
  require_stage(*this, 2, "decoding latents");
  return decode_tiled(parts_->autoencoder, latents.mean, mask, latents.geometry, plan, on_tile);
}

}  // namespace guidegen
