#pragma once

#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include "guidegen/text/prompt_encoder.hpp"

namespace guidegen {

/// Learned attribute tokens: one token each for sex, age, race, contrast and "which tumors", then
/// one token for every tumor request (at most 8). Fields that a prompt leaves open have a token of
/// their own, so that the networks learn what "open" means. Free text is not read here; the text
/// encoders do that.
class AttributeEncoderImpl : public PromptEncoderImpl {
 public:
  explicit AttributeEncoderImpl(int64_t width);

  PromptFeatures forward(const std::vector<std::optional<Prompt>>& prompts) override;
  int64_t width() const override { return width_; }

 private:
  int64_t width_;
  torch::nn::Embedding category_{nullptr};  // every categorical value, one table
  torch::nn::Linear age_{nullptr}, request_numbers_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Linear pooled_{nullptr};
};
TORCH_MODULE(AttributeEncoder);

/// The coarse tumor stage 1…4 in "T1b", "stage III", "IV"; 0 when there is none to be read.
int stage_number(const std::optional<std::string>& stage);

}  // namespace guidegen
