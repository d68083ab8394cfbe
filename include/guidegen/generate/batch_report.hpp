#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/core/json.hpp"

namespace guidegen {

/// One case of the page.
struct PageCase {
  Json record;      ///< line of the manifest
  std::string png;  ///< picture as PNG bytes
};

/// One self-contained HTML page of a batch: pictures inlined, nothing loaded from anywhere, filters
/// by organ, sex, contrast, gates and words. Depends on its arguments alone.
std::string render_page(const std::vector<PageCase>& cases, const std::string& title);

/// SHA-256 over what a page shows of the records, which render_page notes in its head. Time taken
/// is not part of it: equal batches have equal pages.
std::string page_digest(const std::vector<Json>& records);

/// Writes <out>/contact_sheet.png (at most 60 cases) and <out>/index.html from finished case
/// folders, unless both show exactly these records already.
void write_batch_report(const std::filesystem::path& out, const std::vector<Json>& records,
                        const Vocabulary& vocabulary);

}  // namespace guidegen
