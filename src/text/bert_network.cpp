#include "guidegen/text/bert_network.hpp"

#include <torch/torch.h>

#include <array>

#include "guidegen/core/error.hpp"

namespace guidegen {

namespace {

torch::nn::LayerNorm layer_norm(const BertConfig& config) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({config.width}).eps(config.norm_epsilon));
}

}  // namespace

BertConfig BertConfig::from_hugging_face(const Json& document, const std::string& source) {
  JsonObject object(document, source);
  object.choice("model_type", {"bert"});
  object.choice("hidden_act", {"gelu"});
  object.choice("position_embedding_type", {"absolute"}, "absolute");
  for (const char* key : {"is_decoder", "add_cross_attention"}) {
    if (object.boolean(key, false)) object.fail(key, "decoders are not supported, expected false");
  }
  BertConfig config;
  config.vocabulary = object.integer("vocab_size", 4, 10'000'000);
  config.width = object.integer("hidden_size", 1, 16384);
  config.layers = object.integer("num_hidden_layers", 1, 200);
  config.heads = object.integer("num_attention_heads", 1, 1024);
  config.inner_width = object.integer("intermediate_size", 1, 65536);
  config.positions = object.integer("max_position_embeddings", 2, 100'000);
  config.token_types = object.integer("type_vocab_size", 1, 1000, 2);
  config.norm_epsilon = object.number("layer_norm_eps", 1e-20, 0.1, 1e-12);
  if (config.width % config.heads != 0) {
    object.fail("num_attention_heads", "does not divide hidden_size, expected a divisor of " +
                                           std::to_string(config.width));
  }
  return config;
}

BertLayerImpl::BertLayerImpl(const BertConfig& config) {
  attention_ = register_module("attention", Attention(config.width, config.width, config.heads));
  attention_norm_ = register_module("attention_norm", layer_norm(config));
  inner_ = register_module("inner", torch::nn::Linear(config.width, config.inner_width));
  outer_ = register_module("outer", torch::nn::Linear(config.inner_width, config.width));
  output_norm_ = register_module("output_norm", layer_norm(config));
}

at::Tensor BertLayerImpl::forward(const at::Tensor& x, const at::Tensor& present) {
  const auto attended = attention_norm_(x + attention_(x, x, present));
  return output_norm_(attended + outer_(torch::gelu(inner_(attended))));
}

BertNetworkImpl::BertNetworkImpl(const BertConfig& config) : config_(config) {
  words_ = register_module("words", torch::nn::Embedding(config.vocabulary, config.width));
  positions_ = register_module("positions", torch::nn::Embedding(config.positions, config.width));
  types_ = register_module("types", torch::nn::Embedding(config.token_types, config.width));
  norm_ = register_module("norm", layer_norm(config));
  layers_ = register_module("layers", torch::nn::ModuleList());
  for (int64_t i = 0; i < config.layers; ++i) layers_->push_back(BertLayer(config));
}

at::Tensor BertNetworkImpl::forward(const at::Tensor& ids, const at::Tensor& present) {
  auto x = words_(ids) + positions_->weight.slice(0, 0, ids.size(1)) + types_->weight[0];
  x = norm_(x);
  for (const auto& layer : *layers_) x = layer->as<BertLayerImpl>()->forward(x, present);
  return x;
}

namespace {

struct Renaming {
  std::string_view theirs, ours;
};
constexpr std::array kRenamings{
    Renaming{"embeddings.word_embeddings.", "words."},
    Renaming{"embeddings.position_embeddings.", "positions."},
    Renaming{"embeddings.token_type_embeddings.", "types."},
    Renaming{"embeddings.LayerNorm.", "norm."},
    Renaming{"encoder.layer.", "layers."},
    Renaming{".attention.self.", ".attention."},
    Renaming{".attention.output.dense.", ".attention.output."},
    Renaming{".attention.output.LayerNorm.", ".attention_norm."},
    Renaming{".intermediate.dense.", ".inner."},
    Renaming{".output.dense.", ".outer."},
    Renaming{".output.LayerNorm.", ".output_norm."},
};

}  // namespace

std::map<std::string, at::Tensor> from_hugging_face_names(
    const std::map<std::string, at::Tensor>& tensors) {
  std::map<std::string, at::Tensor> renamed;
  for (const auto& [full_name, tensor] : tensors) {
    std::string name = full_name.starts_with("bert.") ? full_name.substr(5) : full_name;
    if (name.starts_with("pooler.") || name.starts_with("cls.") || name.ends_with("position_ids") ||
        name.ends_with("token_type_ids")) {
      continue;
    }
    for (const auto& [theirs, ours] : kRenamings) {
      if (const auto at = name.find(theirs); at != name.npos) {
        name.replace(at, theirs.size(), ours);
      }
    }
    renamed[name] = tensor;
  }
  return renamed;
}

}  // namespace guidegen
