#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/core/json.hpp"

namespace guidegen {

/// One case of the page.
struct PageCase {
  Json record;                ///< line of the manifest
  int64_t picture_width = 0;  ///< pixels of <id>/preview.png
  int64_t picture_height = 0;
};

/// The HTML page of a batch, to lie beside the case folders: it shows their pictures and loads
/// nothing else. The cases are a block of JSON, from which a script makes the cards in view; it
/// filters by the fields of the prompts, gates and words, and sorts. Depends on its arguments
/// alone.
std::string render_page(const std::vector<PageCase>& cases, const std::string& title);

/// SHA-256 over what a page shows of the records, which render_page notes in its head. Time taken
/// is not part of it: equal batches have equal pages.
std::string page_digest(const std::vector<Json>& records);

/// Writes <out>/contact_sheet.png (at most 60 cases) and <out>/index.html from the previews of
/// finished case folders, unless both show exactly these records already, and what tells the labels
/// of the masks: labels.ctbl (3D Slicer), labels.label (ITK-SNAP) and vocabulary.json. A preview
/// that can't be read is made anew from its case.
void write_batch_report(const std::filesystem::path& out, const std::vector<Json>& records,
                        const Vocabulary& vocabulary);

}  // namespace guidegen
