#pragma once

#include <vector>

#include "evaluate/report_table.hpp"
#include "guidegen/evaluate/fidelity.hpp"

namespace guidegen {

/// A section of the summary as text.
ReportTable cells_of(const FidelitySummary& section, const std::vector<Exposure>& windows);

}  // namespace guidegen
