#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "guidegen/text/bert_network.hpp"
#include "guidegen/text/token_batch.hpp"

namespace guidegen {

/// A frozen language model of the BERT type and its tokenizer.
class BertEncoder {
 public:
  /// Reads a Hugging Face folder: config.json, vocab.txt, tokenizer_config.json and
  /// model.safetensors (F32 or F16; computed in float32). Throws Error(kUsage) for configurations
  /// that are not supported, Error(kFailure) for files that are missing or damaged.
  static BertEncoder from_folder(const std::filesystem::path& folder);

  /// tokens [B,T,C] are the last hidden states, sentence [B,C] their mean over the text at length
  /// 1 (as sentence-transformers has it). Texts longer than config().positions lose their end. No
  /// gradients. There must be a text.
  TextFeatures encode(const std::vector<std::string>& texts);

  const BertConfig& config() const { return network_->config(); }
  const WordPieceTokenizer& tokenizer() const { return tokenizer_; }
  /// SHA-256 of all that decides what a text is encoded to.
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  BertEncoder(WordPieceTokenizer tokenizer, BertNetwork network, std::string fingerprint);

  WordPieceTokenizer tokenizer_;
  BertNetwork network_;
  std::string fingerprint_;
};

}  // namespace guidegen
