#pragma once

#include <torch/nn/module.h>

#include <vector>

#include "guidegen/prompt/prompt.hpp"

namespace guidegen {

/// What the networks see of a batch of prompts.
struct PromptFeatures {
  at::Tensor tokens;   ///< [B,T,C] float32
  at::Tensor present;  ///< [B,T] bool, false where a token is padding
  at::Tensor pooled;   ///< [B,C] float32, one vector a prompt
};

/// Turns prompts into features. The attribute encoder and the text encoders share this face.
class PromptEncoderImpl : public torch::nn::Module {
 public:
  /// An empty optional stands for "no prompt" (the unconditional branch of classifier-free
  /// guidance).
  virtual PromptFeatures forward(const std::vector<std::optional<Prompt>>& prompts) = 0;
  virtual int64_t width() const = 0;  ///< C
};

}  // namespace guidegen
