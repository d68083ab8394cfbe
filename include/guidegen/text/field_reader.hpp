#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include <map>
#include <string>
#include <vector>

#include "guidegen/prompt/prompt.hpp"

namespace guidegen {

/// Fields of prompts as numbers to learn.
struct FieldTargets {
  at::Tensor choices;    ///< [B,5] int64: sex, race, contrast, tumors and count, 0 where open
  at::Tensor organs;     ///< [B,5] float32, 1 where a tumor is asked for
  at::Tensor positions;  ///< [B,15] float32, the same for positions
  at::Tensor
      numbers;       ///< [B,2] float32: age in units of 20 years from 55, log of largest size/30 mm
  at::Tensor given;  ///< [B,2] float32, 0 where the number is open

  explicit FieldTargets(const std::vector<Prompt>& prompts);
};

/// Reads the fields of a prompt from its sentence embedding: the judge that keeps what matters in
/// the embedding while a text encoder is trained. It is no part of the model.
class FieldReaderImpl : public torch::nn::Module {
 public:
  explicit FieldReaderImpl(int64_t sentence_width);
  /// Sum of cross-entropies of all fields (and of absolute errors of the numbers), a scalar.
  at::Tensor loss(const at::Tensor& sentence, const FieldTargets& targets);
  /// Share of texts whose field is read right, by its name: "sex", "race", "contrast", "tumors"
  /// (open, none, some), "count", "organs" and "positions" (all of them right), and
  /// "age_error_years", mean over texts that give it.
  std::map<std::string, double> accuracy(const at::Tensor& sentence, const FieldTargets& targets);

 private:
  std::vector<at::Tensor> read(const at::Tensor& sentence);

  int64_t sentence_width_;
  torch::nn::Linear hidden_{nullptr}, fields_{nullptr};
};
TORCH_MODULE(FieldReader);

/// What teaches a student the embeddings of its teacher, both [B,E] of length 1: one minus their
/// cosine, and the cross-entropy of telling, in the batch, which embedding belongs to which text
/// (InfoNCE; Oord et al., 2018), both ways, at `temperature`.
struct DistillationLoss {
  at::Tensor cosine, contrast;  ///< scalars
};
DistillationLoss distillation_loss(const at::Tensor& student, const at::Tensor& teacher,
                                   double temperature);

}  // namespace guidegen
