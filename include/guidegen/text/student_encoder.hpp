#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include <filesystem>
#include <string>
#include <vector>

#include "guidegen/core/json.hpp"
#include "guidegen/text/bert_network.hpp"
#include "guidegen/text/token_batch.hpp"

namespace guidegen {

/// Shape of the student. JSON keys are the member names.
struct StudentConfig {
  int64_t vocabulary = 0;  ///< pieces; set by whoever has learned them
  int64_t width = 128;     ///< C of its tokens, a multiple of heads
  int64_t layers = 3;
  int64_t heads = 4;
  int64_t inner_width = 512;
  int64_t positions = 192;       ///< longest text in tokens
  int64_t sentence_width = 384;  ///< E, of the teacher

  /// Throws Error(kUsage).
  static StudentConfig from_json(JsonObject object);
  Json to_json() const;
};

/// A small text encoder that is taught the sentence embeddings of a large one: WordPiece, a BERT
/// encoder, and a linear map of its mean to the teacher's space. It reads any text; what matters
/// for the networks is in `tokens` and `sentence`.
class StudentEncoderImpl : public torch::nn::Module {
 public:
  /// `config.vocabulary` must be tokenizer.size().
  StudentEncoderImpl(const StudentConfig& config, WordPieceTokenizer tokenizer);

  /// tokens [B,T,C] (zeros at padding), present [B,T] bool, sentence [B,E] of length 1, on the
  /// device of the weights. Longer texts lose their end. There must be a text.
  TextFeatures encode(const std::vector<std::string>& texts);
  /// The same for texts cut by tokenizer(), on any device.
  TextFeatures forward(const TokenBatch& batch);
  TokenBatch cut(const std::vector<std::string>& texts) const;

  const StudentConfig& config() const { return config_; }
  const WordPieceTokenizer& tokenizer() const { return tokenizer_; }

 private:
  StudentConfig config_;
  WordPieceTokenizer tokenizer_;
  BertNetwork network_{nullptr};
  torch::nn::Linear sentence_{nullptr};
};
TORCH_MODULE(StudentEncoder);

/// A trained student, frozen, in evaluation mode. `config` and the two files are those of the entry
/// "text" of a model directory. Throws
/// Error(kUsage) or Error(kFailure).
StudentEncoder read_student(const JsonObject& config, const std::filesystem::path& vocabulary,
                            const std::filesystem::path& weights);

}  // namespace guidegen
