#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include "guidegen/core/json.hpp"
#include "guidegen/nn/attention.hpp"

namespace guidegen {

/// Shape of a BERT encoder.
struct BertConfig {
  int64_t vocabulary = 30522;
  int64_t width = 384;  ///< C, a multiple of heads
  int64_t layers = 6;
  int64_t heads = 12;
  int64_t inner_width = 1536;  ///< of the feed-forward networks
  int64_t positions = 512;     ///< longest text in tokens
  int64_t token_types = 2;
  double norm_epsilon = 1e-12;

  /// config.json of a Hugging Face folder. Refuses what BertNetwork does not compute: another
  /// model_type than "bert", hidden_act than "gelu" (exact), position_embedding_type than
  /// "absolute", decoders. Keys that change nothing at inference are passed over. Throws
  /// Error(kUsage).
  static BertConfig from_hugging_face(const Json& document, const std::string& source);
};

/// One layer of BERT: attention, then a feed-forward network, each with residual and LayerNorm
/// after it.
class BertLayerImpl : public torch::nn::Module {
 public:
  explicit BertLayerImpl(const BertConfig& config);
  /// x [B,T,C], present [B,T] bool -> [B,T,C].
  at::Tensor forward(const at::Tensor& x, const at::Tensor& present);

 private:
  Attention attention_{nullptr};
  torch::nn::LayerNorm attention_norm_{nullptr}, output_norm_{nullptr};
  torch::nn::Linear inner_{nullptr}, outer_{nullptr};
};
TORCH_MODULE(BertLayer);

/// The encoder of BERT (Devlin et al., NAACL 2019) without dropout and pooler, token type 0.
class BertNetworkImpl : public torch::nn::Module {
 public:
  explicit BertNetworkImpl(const BertConfig& config);
  /// ids [B,T] int64 with T <= positions, present [B,T] bool -> hidden states [B,T,C]. What stands
  /// at padding means nothing.
  at::Tensor forward(const at::Tensor& ids, const at::Tensor& present);
  const BertConfig& config() const { return config_; }

 private:
  BertConfig config_;
  torch::nn::Embedding words_{nullptr}, positions_{nullptr}, types_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::ModuleList layers_;
};
TORCH_MODULE(BertNetwork);

/// Tensors of a Hugging Face file under the names of BertNetwork: the prefix "bert." goes, and so
/// do pooler, output heads ("cls.") and buffers of positions, which are not used.
std::map<std::string, at::Tensor> from_hugging_face_names(
    const std::map<std::string, at::Tensor>& tensors);

}  // namespace guidegen
