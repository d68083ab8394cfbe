#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "guidegen/text/word_piece.hpp"

namespace guidegen {

/// Texts as a language model takes them.
struct TokenBatch {
  at::Tensor ids;      ///< [B,T] int64, padded at the end
  at::Tensor present;  ///< [B,T] bool, false where a token is padding
};

/// Cuts each text into at most `most` pieces, [CLS] and [SEP] included; T is the longest of them.
/// On the CPU. There must be a text.
TokenBatch token_batch(const WordPieceTokenizer& tokenizer, const std::vector<std::string>& texts,
                       size_t most);

/// What a language model makes of texts.
struct TextFeatures {
  at::Tensor tokens;    ///< [B,T,C] float32, last hidden states
  at::Tensor present;   ///< [B,T] bool
  at::Tensor sentence;  ///< [B,E] float32, of length 1
};

/// Mean over the tokens that are present: [B,T,C], [B,T] -> [B,C].
at::Tensor mean_of_present(const at::Tensor& tokens, const at::Tensor& present);
/// Vectors of length 1 (a null vector stays): [B,C] -> [B,C].
at::Tensor unit_length(const at::Tensor& vectors);

}  // namespace guidegen
