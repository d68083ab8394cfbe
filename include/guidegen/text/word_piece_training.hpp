#pragma once

#include <string>
#include <vector>

#include "guidegen/text/word_piece.hpp"

namespace guidegen {

/// Learns at most `size` pieces from texts: the special tokens, all ASCII characters (with and
/// without "##"), then pairs merged by how often they occur (byte-pair encoding; Sennrich et al.,
/// ACL 2016), down to twice. Ties go to what sorts first, so the result depends on the texts alone.
/// Characters beyond ASCII become pieces by no merge: they stay unknown. Throws Error(kUsage) when
/// `size` has no room for the characters.
std::vector<std::string> learn_word_pieces(const std::vector<std::string>& texts, size_t size,
                                           const WordPieceOptions& options = {});

/// The pieces, one a line, as vocab.txt has them.
std::string to_lines(const std::vector<std::string>& vocabulary);

}  // namespace guidegen
