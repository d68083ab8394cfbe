#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "guidegen/core/json.hpp"
#include "guidegen/evaluate/bootstrap.hpp"
#include "guidegen/evaluate/proportion.hpp"
#include "guidegen/evaluate/tumor_answers.hpp"

namespace guidegen {

/// A share with two intervals at 95 %: Wilson's, which takes every tumor for an independent trial,
/// and the bootstrap's over cases, which does not (tumors of one mask succeed and fail together)
/// but shrinks to a point at 0 and 100 %. NaN where the bootstrap has none.
struct Share {
  Proportion proportion;
  std::pair<double, double> by_case;
  /// The hull of both, which errs on the safe side; {0, 1} for a total of 0.
  std::pair<double, double> interval() const;
};

/// A figure of `of` things with its bootstrap interval over cases; NaN where there is none.
struct Estimate {
  double value = 0;
  std::pair<double, double> interval;
  int64_t of = 0;
};

/// Diameter classes of tumors asked for: below 16 mm (a few voxels of 6 mm), up to 30 mm, above.
enum class SizeClass { kSmall, kMedium, kLarge };
inline constexpr int kSizeClassCount = 3;
SizeClass size_class_of(double diameter_mm);
std::string name_of(SizeClass value);  ///< "<16 mm", "16-30 mm", ">30 mm"

/// Which tumors of a case count: all, those asked for in one organ, those of one size.
struct TumorFilter {
  std::optional<TumorOrgan> organ;
  std::optional<SizeClass> size;
};

/// Figures over cases. All are over what prompts ask for, so that open fields never count.
struct AnswerSummary {
  Share organ;     ///< tumors asked for that are in the organ asked for
  Share position;  ///< tumors asked for at a position that are at that position
  Share count;     ///< (case, organ) with a given count whose number of tumors is exactly that
  Estimate count_error;          ///< mean of |found - asked| over those (case, organ)
  Estimate size_correlation;     ///< Spearman, over pairs in the organ asked for
  Estimate size_error_mm;        ///< mean of |found - asked| over those pairs
  Estimate size_relative_error;  ///< mean of |found - asked| / asked
  Share stray;                   ///< tumors found outside the organs named, where some are asked
  Share false_tumors;            ///< cases that ask for none and hold some
};

/// Judged cases to figures. The bootstrap draws prompts: cases that are samples of one prompt
/// (prompt_id_of) go together. Cases to which the filter leaves nothing are not drawn. With a
/// filter by size, a (case, organ) counts when all tumors asked for there are of that size.
AnswerSummary summarize(const std::vector<const CaseAnswer*>& cases, const TumorFilter& filter = {},
                        const BootstrapOptions& options = {});

/// "case-7-s02", the name of a sample of several, to "case-7"; other ids to themselves.
std::string prompt_id_of(const std::string& case_id);

/// {"hits", "total", "share", "low", "high", "case_low", "case_high"}: Wilson, then bootstrap.
Json to_json(const Share& share);
/// {"value", "low", "high", "of"}
Json to_json(const Estimate& estimate);
Json to_json(const AnswerSummary& summary);

}  // namespace guidegen
