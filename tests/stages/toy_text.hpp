#pragma once

#include <torch/torch.h>

#include "guidegen/core/files.hpp"
#include "guidegen/nn/module_io.hpp"
#include "guidegen/stages/model_directory.hpp"
#include "guidegen/text/student_encoder.hpp"
#include "guidegen/text/word_piece_training.hpp"

namespace guidegen::toy {

inline constexpr int64_t kSentenceWidth = 10;

/// A text encoder with few, random weights.
inline StudentEncoder student() {
  torch::manual_seed(8);
  auto pieces = learn_word_pieces({"left kidney right kidney", "left right male female"}, 170);
  StudentConfig config;
  config.vocabulary = static_cast<int64_t>(pieces.size());
  config.width = 16;
  config.layers = 1;
  config.heads = 2;
  config.inner_width = 24;
  config.positions = 48;
  config.sentence_width = kSentenceWidth;
  StudentEncoder student(config, WordPieceTokenizer(pieces, {}, "toy"));
  student->eval();
  for (auto& parameter : student->parameters()) parameter.set_requires_grad(false);
  return student;
}

/// Its model directory.
inline void write_student(const std::filesystem::path& folder) {
  const auto encoder = student();
  TextEntry entry;
  entry.weights = "text.safetensors";
  entry.vocabulary = "text-vocab.txt";
  entry.config = encoder->config().to_json();
  write_text_model(folder, entry, state_of(*encoder), to_lines(encoder->tokenizer().vocabulary()));
}

}  // namespace guidegen::toy
