#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "guidegen/data/tumor_census.hpp"
#include "guidegen/prompt/prompt.hpp"

namespace guidegen {

/// One tumor that a prompt asks for, and the tumor of the mask that answers it.
struct AskedTumor {
  TumorOrgan organ = TumorOrgan::kLung;
  std::optional<TumorPosition> position;
  std::optional<double> size_mm;
  std::optional<size_t> found;  ///< index into the tumors found; absent when none was left for it
};

/// Tumors asked for and found in one organ that a prompt names.
struct OrganCount {
  int64_t requested = 0;  ///< a group whose count is open asks for one
  int64_t found = 0;
  bool count_open = false;  ///< some group of this organ leaves its count open
};

/// One case: what was asked and what the mask holds.
struct CaseAnswer {
  std::string id;
  Prompt prompt;
  std::vector<FoundTumor> found;
  std::vector<AskedTumor> asked;
  std::map<TumorOrgan, OrganCount> organs;  ///< those that the prompt names
  bool judged = false;                      ///< the prompt says something about tumors
  bool asks_none = false;                   ///< the prompt asks for no tumor at all

  /// The tumor that answers `asked`, null when none does.
  const FoundTumor* answer_to(const AskedTumor& asked) const;
  bool organ_right(const AskedTumor& asked) const;
  /// False where the prompt leaves the position open, too.
  bool position_right(const AskedTumor& asked) const;
  /// Tumors found that answer nothing.
  std::vector<const FoundTumor*> not_asked() const;
  /// Tumors found outside the organs that the prompt names.
  int64_t stray() const;
};

/// Cost of taking `found` as the answer to a tumor asked for: 10⁶ for another organ, 10³ for
/// another position (or an unknown one) where one is asked for, and min(1, |ln(found / asked)| / 5)
/// of the diameters where one is asked for. So, for up to 999 pairs, the organ decides, then the
/// position, then the size.
double answer_cost(const AskedTumor& asked, const FoundTumor& found);

/// Judges one mask's tumors against its prompt. Tumors asked for and found are paired one to one at
/// the least total cost, so that no other pairing has more organs right or, among those with as
/// many, more positions.
CaseAnswer judge_tumors(const Prompt& prompt, const std::vector<FoundTumor>& found);

}  // namespace guidegen
