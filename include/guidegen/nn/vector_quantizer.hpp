#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <functional>
#include <string>

#include "guidegen/core/random_stream.hpp"

namespace guidegen {

/// Vector quantization (van den Oord et al., "VQ-VAE", NeurIPS 2017): each latent voxel becomes
/// the nearest of K learned vectors. JSON keys of the stages are the member names.
struct VectorQuantizerOptions {
  int64_t codes = 8192;
  /// "ema": codes follow the mean of the latents assigned to them; "gradient": they are weights
  /// with a loss of their own.
  std::string update = "ema";
  double decay = 0.99;       ///< of the moving means, a step
  double commitment = 0.25;  ///< weight of the term that holds latents near their codes
  int64_t dead_after = 200;  ///< steps without use after which a code is put elsewhere
};

class VectorQuantizerImpl : public torch::nn::Module {
 public:
  VectorQuantizerImpl(const VectorQuantizerOptions& options, int64_t channels);

  /// Adds what training alone needs, as buffers of a child "training": once, before the first step.
  void prepare_for_training();

  struct Quantized {
    at::Tensor latents;  ///< [B,Z,D,H,W] float32, codes; gradients pass straight through
    at::Tensor codes;    ///< [B,D,H,W] int64 in [0,K)
    at::Tensor loss;     ///< scalar; commitment, and the codes' own term for "gradient"
  };
  /// z [B,Z,D,H,W]. In training mode with gradients on, and once prepared for it, remembers what
  /// `end_step` needs.
  Quantized forward(const at::Tensor& z);

  /// codes [B,D,H,W] integers -> latents [B,Z,D,H,W]. Throws Error(kFailure) for codes outside
  /// [0,K).
  at::Tensor look_up(const at::Tensor& codes) const;

  /// The processes of a run.
  struct Peers {
    int64_t rank = 0, size = 1;
    std::function<void(at::Tensor values)> sum{};  ///< element-wise, in place, of CPU tensors
  };
  /// Once after each optimizer step: moves codes of "ema" towards the latents that they stood for,
  /// and puts codes that nothing has used for `dead_after` steps onto latents of this step, drawn
  /// by `random`, which is alike in all processes. All end with the same codes. A step with latents
  /// that are not finite changes nothing. One process waits for no device.
  void end_step(const Peers& peers, RandomStream random);

  /// Codes used within the last `dead_after` steps, of all; and the perplexity exp(H) of the use in
  /// the last step, between 1 and K.
  struct Usage {
    at::Tensor share_alive, perplexity;  ///< float32 scalars on the device of the codes
  };
  /// Throws Error(kFailure) where it was not prepared for training.
  Usage usage() const;

  const VectorQuantizerOptions& options() const { return options_; }
  const at::Tensor& codebook() const { return codebook_; }  ///< [K,Z] float32

 private:
  at::Tensor nearest(const at::Tensor& rows) const;
  void remember(const at::Tensor& rows, const at::Tensor& codes);
  at::Tensor candidates(const Peers& peers, RandomStream& random) const;

  VectorQuantizerOptions options_;
  int64_t channels_;
  at::Tensor codebook_;  // parameter for "gradient", buffer for "ema"
  // Of training:
  at::Tensor mean_count_, mean_sum_;                // moving means of "ema": [K], [K,Z]
  at::Tensor idle_;                                 // [K], steps without use
  at::Tensor last_use_;                             // [K], latents of the last step
  at::Tensor started_;                              // scalar, 0 until the first step
  at::Tensor step_counts_, step_sums_, step_rows_;  // of the step at hand: [K], [K,Z], [N,Z]
};
TORCH_MODULE(VectorQuantizer);

}  // namespace guidegen
