#include "guidegen/stages/hdr_autoencoder.hpp"

#include <torch/torch.h>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/autocast.hpp"
#include "guidegen/nn/pointwise.hpp"
#include "guidegen/stages/tiled_autoencoder.hpp"

namespace guidegen {

namespace {

torch::nn::Conv3d conv(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1) {
  return torch::nn::Conv3d(
      torch::nn::Conv3dOptions(in, out, kernel).stride(stride).padding(kernel / 2));
}

// Spatially-adaptive modulation (Park et al., "SPADE", CVPR 2019): scale and shift from the mask.
at::Tensor modulate(const at::Tensor& x, torch::nn::Conv3d& from_mask, const at::Tensor& mask) {
  const auto parts = pointwise(from_mask, mask).chunk(2, 1);
  return torch::addcmul(parts[1], x, 1 + parts[0]);
}

constexpr double kNoVariance = -60;  // its logarithm, of the latents of "vq"

}  // namespace

HdrAutoencoderImpl::HdrAutoencoderImpl(const HdrAutoencoderConfig& config, int64_t labels)
    : config_(config), labels_(labels) {
  const auto exposures = static_cast<int64_t>(config.exposures.size());
  const auto scope = config.norm == "voxel" ? NormScope::kVoxel : NormScope::kVolume;
  const int64_t half = config.half_width, quarter = config.quarter_width;
  encoder_in_ = register_module("encoder_in", conv(8 * exposures, half, 3));
  encoder_down_ = register_module("encoder_down", conv(half, quarter, 3, 2));
  const bool quantizes = config.bottleneck == "vq";
  encoder_out_ = register_module("encoder_out",
                                 conv(quarter, (quantizes ? 1 : 2) * config.latent_channels, 1));
  if (quantizes) {
    quantizer_ =
        register_module("quantizer", VectorQuantizer(config.quantizer, config.latent_channels));
  }
  decoder_in_ = register_module("decoder_in", conv(config.latent_channels, quarter, 3));
  decoder_up_ = register_module("decoder_up", conv(quarter, half, 1));
  label_embedding_ =
      register_module("label_embedding", torch::nn::Embedding(labels + 1, config.label_width));
  for (int64_t i = 0; i < config.blocks; ++i) {
    const auto add = [this, i, scope](const char* name, std::vector<ResidualBlock3d>& list,
                                      int64_t width) {
      list.push_back(register_module(concat(name, i), ResidualBlock3d(width, width, 0, scope)));
    };
    add("encoder_half", encoder_half_, half);
    add("encoder_quarter", encoder_quarter_, quarter);
    add("decoder_quarter", decoder_quarter_, quarter);
    add("decoder_half", decoder_half_, half);
    quarter_modulation_.push_back(
        register_module(concat("quarter_modulation", i), conv(config.label_width, 2 * quarter, 1)));
    half_modulation_.push_back(
        register_module(concat("half_modulation", i), conv(config.label_width, 2 * half, 1)));
  }
  expand_ = register_module("expand", conv(half, 8 * config.full_width, 1));
  full_ =
      register_module("full", conv(config.full_width + config.label_width, config.full_width, 3));
  output_ = register_module("output", conv(config.full_width, 2 * exposures, 1));
  if (config.fusion_prior) {
    fusion_prior_ = register_module("fusion_prior", conv(config.label_width, exposures, 1));
    torch::nn::init::zeros_(fusion_prior_->weight);
    torch::nn::init::zeros_(fusion_prior_->bias);
  }
}

at::Tensor HdrAutoencoderImpl::Posterior::sample(const at::Tensor& noise) const {
  return mean + torch::exp(0.5 * log_variance) * noise;
}

at::Tensor HdrAutoencoderImpl::enter_encoder(const at::Tensor& hu) {
  return encoder_in_(space_to_depth(expose(hu, config_.exposures), 2));
}

at::Tensor HdrAutoencoderImpl::descend(const at::Tensor& half) { return encoder_down_(half); }

HdrAutoencoderImpl::Posterior HdrAutoencoderImpl::leave_encoder(const at::Tensor& quarter) {
  const auto out = pointwise(encoder_out_, torch::silu(quarter)).to(at::kFloat);
  if (quantizer_) return {out, at::full_like(out, kNoVariance)};
  const auto parts = out.chunk(2, 1);
  return {parts[0], parts[1].clamp(-12.0, 4.0)};
}

HdrAutoencoderImpl::Posterior HdrAutoencoderImpl::encode(const at::Tensor& hu) {
  auto h = enter_encoder(hu);
  for (auto& block : encoder_half_) h = block(h);
  h = descend(h);
  for (auto& block : encoder_quarter_) h = block(h);
  return leave_encoder(h);
}

void HdrAutoencoderImpl::checkpoint_activations(const std::vector<int64_t>& levels) {
  const auto set = [&levels](std::vector<ResidualBlock3d>& blocks, int64_t level) {
    const bool on = std::find(levels.begin(), levels.end(), level) != levels.end();
    for (auto& block : blocks) block->checkpoint_activations(on);
  };
  set(encoder_half_, 0);
  set(decoder_half_, 0);
  set(encoder_quarter_, 1);
  set(decoder_quarter_, 1);
}

at::Tensor HdrAutoencoderImpl::embed_mask(const at::Tensor& mask, at::IntArrayRef dhw,
                                          int64_t batch) {
  const auto labels = mask.defined() && config_.mask_guidance
                          ? mask.to(at::kInt)
                          : torch::full({batch, dhw[0], dhw[1], dhw[2]}, labels_,
                                        label_embedding_->weight.options().dtype(at::kInt));
  return label_embedding_(labels).permute({0, 4, 1, 2, 3});
}

at::Tensor HdrAutoencoderImpl::enter_decoder(const at::Tensor& z) {
  return decoder_in_(z.contiguous(at::MemoryFormat::ChannelsLast3d));
}

at::Tensor HdrAutoencoderImpl::ascend(const at::Tensor& quarter) {
  const std::vector<int64_t> half = {2 * quarter.size(2), 2 * quarter.size(3), 2 * quarter.size(4)};
  return at::upsample_nearest3d(pointwise(decoder_up_, quarter), half);
}

at::Tensor HdrAutoencoderImpl::guide(Level level, size_t index, const at::Tensor& x,
                                     const at::Tensor& labels) {
  auto& modulation = level == Level::kHalf ? half_modulation_ : quarter_modulation_;
  return modulate(x, modulation[index], labels);
}

HdrAutoencoderImpl::Decoded HdrAutoencoderImpl::leave_decoder(const at::Tensor& half,
                                                              const at::Tensor& labels) {
  auto h = depth_to_space(pointwise(expand_, torch::silu(half)), 2);
  h = torch::silu(h);
  h = full_(torch::cat({h, labels.to(h.scalar_type())}, 1));
  const AutocastScope full_precision(AutocastState::off());  // 12 bits of HU don't fit bfloat16
  const auto parts = pointwise(output_, torch::silu(h.to(at::kFloat))).chunk(2, 1);
  auto log_weights = parts[1];
  if (fusion_prior_) log_weights = log_weights + pointwise(fusion_prior_, labels.to(at::kFloat));
  Decoded out;
  out.exposures = exposed_from_output(parts[0], config_.exposures);
  out.hu = fuse(out.exposures, config_.exposures, log_weights);
  return out;
}

at::Tensor HdrAutoencoderImpl::quantized(const at::Tensor& latents) {
  return quantizer_ ? quantizer_(latents).latents : latents;
}

HdrAutoencoderImpl::Decoded HdrAutoencoderImpl::decode(const at::Tensor& latents,
                                                       const at::Tensor& mask) {
  auto z = latents;
  at::Tensor codebook_loss;
  if (quantizer_) {
    const auto taken = quantizer_(latents);
    z = taken.latents;
    codebook_loss = taken.loss;
  }
  const std::vector<int64_t> dhw = {z.size(2) * 4, z.size(3) * 4, z.size(4) * 4};
  const auto labels = embed_mask(mask, dhw, z.size(0));
  const auto labels_half = block_mean(labels, 2);
  const auto labels_quarter = block_mean(labels_half, 2);
  auto h = enter_decoder(z);
  for (size_t i = 0; i < decoder_quarter_.size(); ++i) {
    h = decoder_quarter_[i](guide(Level::kQuarter, i, h, labels_quarter));
  }
  h = ascend(h);
  for (size_t i = 0; i < decoder_half_.size(); ++i) {
    h = decoder_half_[i](guide(Level::kHalf, i, h, labels_half));
  }
  auto out = leave_decoder(h, labels);
  out.codebook_loss = codebook_loss;
  return out;
}

namespace {

// The corner of a padded [1,1,D,H,W] volume that holds the image.
Volume cropped(const at::Tensor& hu, const ImageGeometry& geometry) {
  const auto size = to_dhw(geometry.size);
  return {hu[0]
              .slice(1, 0, size[0])
              .slice(2, 0, size[1])
              .slice(3, 0, size[2])
              .to(at::kCPU)
              .contiguous(),
          geometry};
}

}  // namespace

Volume reconstruct_ct(HdrAutoencoder& autoencoder, const Volume& ct, const Volume* mask) {
  const torch::NoGradGuard no_grad;
  constexpr int64_t f = HdrAutoencoderImpl::kDownsampling;
  const auto device = autoencoder->parameters().front().device();
  const auto hu = pad_to_multiple(ct.data.to(at::kFloat).unsqueeze(0), f, -1024.0).to(device);
  const auto guide = mask ? pad_to_multiple(mask->data, f, 0).to(device) : at::Tensor();
  return cropped(autoencoder->decode(autoencoder->encode(hu).mean, guide).hu, ct.geometry);
}

namespace {

constexpr int64_t kMostAtOnce = 128 * 128 * 128;  // voxels; beyond, memory matters more than calls

}  // namespace

HdrAutoencoderImpl::Posterior encode_ct(HdrAutoencoder& autoencoder, const Volume& ct) {
  if (ct.geometry.voxels() > kMostAtOnce) {
    const auto plan = plan_tiles(autoencoder->config(), ct.geometry.size, TiledWork::kEncode);
    return encode_tiled(autoencoder, ct, plan);
  }
  const torch::NoGradGuard no_grad;
  const auto device = autoencoder->parameters().front().device();
  const auto hu = pad_to_multiple(ct.data.to(device).to(at::kFloat).unsqueeze(0),
                                  HdrAutoencoderImpl::kDownsampling, -1024.0);
  const auto posterior = autoencoder->encode(hu);
  return {posterior.mean.to(at::kCPU).contiguous(),
          posterior.log_variance.to(at::kCPU).contiguous()};
}

bool decodes_in_tiles(const ImageGeometry& grid) { return grid.voxels() > kMostAtOnce; }

Volume decode_ct(HdrAutoencoder& autoencoder, const at::Tensor& latents, const Volume& mask,
                 int64_t memory) {
  const bool guided = mask.data.defined();
  if (decodes_in_tiles(mask.geometry)) {
    const auto plan =
        plan_tiles(autoencoder->config(), mask.geometry.size, TiledWork::kDecode, memory);
    return decode_tiled(autoencoder, latents, guided ? &mask : nullptr, mask.geometry, plan);
  }
  const torch::NoGradGuard no_grad;
  const auto guide =
      guided ? pad_to_multiple(mask.data, HdrAutoencoderImpl::kDownsampling, 0).to(latents.device())
             : at::Tensor();
  return cropped(autoencoder->decode(latents, guide).hu, mask.geometry);
}

}  // namespace guidegen
