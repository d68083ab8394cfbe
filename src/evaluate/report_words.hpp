#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "guidegen/core/json.hpp"
#include "guidegen/evaluate/answer_summary.hpp"

namespace guidegen {

/// "93 % (81-98) of 42", the interval being the hull; "-" where nothing was asked.
std::string in_percent(const Share& share);
/// "0.92 (0.85-0.96)"; "-" where there is none. `scale` multiplies all three.
std::string in_numbers(const Estimate& estimate, int digits, double scale = 1);

/// null for NaN and infinity, which JSON does not have.
Json number_or_null(double value);
Json number_or_null(const std::optional<double>& value);  ///< null where there is none, too

/// Figures of a summary as cells, in the order of summary_heads().
std::vector<std::string> summary_cells(const AnswerSummary& summary);
std::vector<std::string> summary_heads();

/// What all pages and tables say about their intervals, one sentence.
extern const char* const kIntervalNote;

}  // namespace guidegen
