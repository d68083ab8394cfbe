#pragma once

#include <optional>
#include <string>
#include <vector>

#include "guidegen/prompt/prompt.hpp"

namespace guidegen::language {

enum class Side { kLeft, kRight, kBoth };

/// What words say of where something is. "upper lobe" implies the lung until an organ is named;
/// "left" alone says nothing of the organ.
struct Place {
  std::optional<TumorOrgan> organ;
  bool implied = false;  ///< the organ is a guess that a named organ overrules
  bool outside = false;  ///< an organ that prompts cannot ask tumors for
  std::optional<Side> side;
  bool each = false;  ///< on both sides, and a number of tumors is meant for either
  std::string part;   ///< upper, middle, lower, or a position of colon or pancreas; or empty

  bool operator==(const Place&) const = default;
};

/// "lung left upper", "liver? right", "kidney", "left", "tail", "outside". Empty when the words are
/// none of these.
std::optional<Place> parse_place(const std::string& words);

/// Both together, where they do not contradict each other ("left" and "kidney", "upper lobe" and
/// "right lung").
std::optional<Place> merged(const Place& a, const Place& b);

/// The position of a prompt; empty where the place does not decide it ("left lung") or where its
/// side is kBoth.
std::optional<TumorPosition> position_of(const Place& place);

/// `both` sides as two places where the organ is paired, or the place alone.
std::vector<Place> one_sided(const Place& place);

}  // namespace guidegen::language
