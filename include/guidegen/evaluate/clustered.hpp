#pragma once

#include <string>
#include <utility>
#include <vector>

#include "guidegen/evaluate/answer_summary.hpp"

namespace guidegen {

/// Values with the prompt that each belongs to (prompt_id_of): what the bootstrap draws together.
/// Values that are not finite count as absent.
using ClusteredValues = std::vector<std::pair<std::string, double>>;

/// Mean and median over values, with 95 % bootstrap intervals over prompts; the intervals are NaN
/// for a single prompt, everything is for no value.
Estimate mean_of(const ClusteredValues& values, const BootstrapOptions& options = {});
Estimate median_of(const ClusteredValues& values, const BootstrapOptions& options = {});
/// Values that are not 0 among all.
Share share_of(const ClusteredValues& values, const BootstrapOptions& options = {});

}  // namespace guidegen
