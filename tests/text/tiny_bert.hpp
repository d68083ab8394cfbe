#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <string>

#include "guidegen/core/files.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/nn/random_tensor.hpp"
#include "guidegen/nn/safetensors.hpp"

/// A Hugging Face folder of a BERT encoder with few, random weights.
namespace guidegen::tiny_bert {

using Tensors = std::map<std::string, at::Tensor>;

inline constexpr int64_t kWidth = 12, kHeads = 3, kInner = 20, kLayers = 2, kVocabulary = 9;

inline Json small_config() {
  return {{"model_type", "bert"},
          {"hidden_act", "gelu"},
          {"hidden_size", kWidth},
          {"num_hidden_layers", kLayers},
          {"num_attention_heads", kHeads},
          {"intermediate_size", kInner},
          {"max_position_embeddings", 16},
          {"type_vocab_size", 2},
          {"vocab_size", kVocabulary},
          {"layer_norm_eps", 1e-12},
          {"use_cache", true}};
}

inline Tensors small_weights() {
  RandomStream stream(3, "bert", "weights");
  Tensors t;
  const auto add = [&](const std::string& name, at::IntArrayRef sizes) {
    t[name] = 0.5 * random_normal(stream, sizes);
  };
  const auto linear = [&](const std::string& name, int64_t in, int64_t out) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  };
  const auto norm = [&](const std::string& name) {
    add(name + ".weight", {kWidth});
    add(name + ".bias", {kWidth});
  };
  add("embeddings.word_embeddings.weight", {kVocabulary, kWidth});
  add("embeddings.position_embeddings.weight", {16, kWidth});
  add("embeddings.token_type_embeddings.weight", {2, kWidth});
  norm("embeddings.LayerNorm");
  for (int64_t i = 0; i < kLayers; ++i) {
    const std::string layer = "encoder.layer." + std::to_string(i);
    for (const char* part : {"query", "key", "value"}) {
      linear(layer + ".attention.self." + part, kWidth, kWidth);
    }
    linear(layer + ".attention.output.dense", kWidth, kWidth);
    norm(layer + ".attention.output.LayerNorm");
    linear(layer + ".intermediate.dense", kWidth, kInner);
    linear(layer + ".output.dense", kInner, kWidth);
    norm(layer + ".output.LayerNorm");
  }
  linear("pooler.dense", kWidth, kWidth);
  t["embeddings.position_ids"] = at::arange(16).unsqueeze(0);
  return t;
}

inline void write_tiny_bert(const std::filesystem::path& folder,
                            const Json& config = small_config(),
                            const Tensors& weights = small_weights()) {
  write_file_atomic(folder / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\nc\nd\ne\n");
  write_file_atomic(folder / "tokenizer_config.json", "{}");
  write_file_atomic(folder / "config.json", dump_json(config));
  write_safetensors(folder / "model.safetensors", {weights, {}});
}

}  // namespace guidegen::tiny_bert
