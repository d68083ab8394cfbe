#include "guidegen/text/bert_encoder.hpp"

#include <torch/torch.h>

#include "guidegen/core/error.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/nn/module_io.hpp"
#include "guidegen/nn/safetensors.hpp"

namespace guidegen {

namespace {

std::string hash_of_folder(const std::filesystem::path& folder) {
  std::string hashes;
  for (const char* name :
       {"config.json", "vocab.txt", "tokenizer_config.json", "model.safetensors"}) {
    hashes += std::filesystem::exists(folder / name) ? sha256_file(folder / name) : "none";
    hashes += '\n';
  }
  return sha256_hex(hashes);
}

}  // namespace

BertEncoder::BertEncoder(WordPieceTokenizer tokenizer, BertNetwork network, std::string fingerprint)
    : tokenizer_(std::move(tokenizer)),
      network_(std::move(network)),
      fingerprint_(std::move(fingerprint)) {}

BertEncoder BertEncoder::from_folder(const std::filesystem::path& folder) {
  const auto config_path = folder / "config.json", weights_path = folder / "model.safetensors";
  const auto config =
      BertConfig::from_hugging_face(read_json_file(config_path), config_path.string());
  auto tokenizer = WordPieceTokenizer::from_folder(folder);
  if (tokenizer.size() > config.vocabulary) {
    throw_usage((folder / "vocab.txt").string(), ": ", tokenizer.size(),
                " pieces, expected no more than vocab_size of config.json, ", config.vocabulary);
  }
  const auto file = read_safetensors(weights_path);
  BertNetwork network(config);
  load_state(*network, from_hugging_face_names(file.tensors), weights_path.string());
  network->eval();
  for (auto& parameter : network->parameters()) parameter.set_requires_grad(false);
  return {std::move(tokenizer), std::move(network), hash_of_folder(folder)};
}

TextFeatures BertEncoder::encode(const std::vector<std::string>& texts) {
  const torch::NoGradGuard no_grad;
  const auto batch =
      token_batch(tokenizer_, texts, static_cast<size_t>(network_->config().positions));
  TextFeatures features;
  features.tokens = network_(batch.ids, batch.present);
  features.present = batch.present;
  features.sentence = unit_length(mean_of_present(features.tokens, features.present));
  return features;
}

}  // namespace guidegen
