#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "guidegen/prompt/free_text.hpp"

namespace guidegen {

/// Sentence embeddings of texts: [B,E] float32 on the CPU, of length 1.
using SentenceEncoder = std::function<at::Tensor(const std::vector<std::string>&)>;

struct TermMatching {
  /// How much nearer the best candidate must be than the best of another meaning.
  double margin = 0.02;
  /// What is encoded of words and terms, "{}" standing for them. The cosines of all are averaged:
  /// encoders of sentences say little of a word that stands alone, and less in one frame.
  std::vector<std::string> frames = {"{}", "The patient has a {}."};
};

/// Takes words for the candidate of the highest cosine, the first of equals; for none where that
/// candidate means nothing (number 0 in TermCandidates) or another meaning is within the margin.
/// The candidates are encoded when they are first asked for, and kept, as words are. Equal input
/// gives equal answers. Copies share what they keep; safe to call from several threads. Rethrows
/// what `encode` throws; throws Error(kUsage) where there is no frame or one lacks "{}".
TermMatcher term_matcher(SentenceEncoder encode, TermMatching options = {});

/// Of a BertEncoder of this folder, and with its errors.
TermMatcher bert_term_matcher(const std::filesystem::path& folder);

}  // namespace guidegen
