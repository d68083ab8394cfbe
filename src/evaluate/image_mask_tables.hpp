#pragma once

#include "evaluate/report_table.hpp"
#include "guidegen/evaluate/image_mask.hpp"

namespace guidegen {

/// The figures of a report as text, what matters most first.
std::vector<ReportTable> tables_of(const ImageMaskReport& report);

}  // namespace guidegen
