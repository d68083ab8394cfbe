#include "guidegen/generate/batch_report.hpp"

#include <algorithm>
#include <fstream>

#include "guidegen/anatomy/color_tables.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/progress.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/volume/nifti.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {
namespace fs = std::filesystem;
namespace {

constexpr size_t kSheetCases = 60;
constexpr int64_t kSheetHeight = 260;  ///< pixels of a case's picture at most

/// Whether the page notes the digest in its head (the first kilobytes; the rest is cases).
bool shows(const fs::path& page, const std::string& digest) {
  std::ifstream file(page, std::ios::binary);
  std::string head(4096, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<size_t>(file.gcount()));
  return head.find(digest) != std::string::npos;
}

int64_t columns_for(size_t pictures) {
  if (pictures <= 2) return static_cast<int64_t>(std::max<size_t>(pictures, 1));
  return pictures <= 9 ? 3 : 4;
}

/// Captions may be cut at their end, so what matters stands first.
std::string caption_of(const Json& record) {
  return (record.value("gates_passed", false) ? "" : "! ") + record["id"].get<std::string>();
}

/// What `read` makes of a case's preview, which is drawn anew where it can't be read.
template <typename Read>
auto from_preview(const fs::path& folder, const Vocabulary& vocabulary, Read read) {
  const fs::path preview = folder / "preview.png";
  try {
    return read(preview);
  } catch (const Error& error) {
    log_warning(concat(error.what(), "; it is made anew"));
  }
  const Volume mask = read_mask(folder / "mask.nii.gz", vocabulary.size());
  const Volume ct = read_ct(folder / "ct.nii.gz");
  write_png(preview, render_preview(&ct, &mask, vocabulary));
  return read(preview);
}

Picture sheet_picture(const fs::path& preview) {
  const Picture picture = read_png(preview);
  return shrunk(picture, std::min(kSheetHeight, picture.height));
}

void write_if_changed(const fs::path& path, const std::string& text) {
  if (fs::exists(path) && read_file(path) == text) return;
  write_file_atomic(path, text);
}

void write_label_files(const fs::path& out, const Vocabulary& vocabulary) {
  write_if_changed(out / "labels.ctbl", slicer_color_table(vocabulary));
  write_if_changed(out / "labels.label", itksnap_label_descriptions(vocabulary));
  write_if_changed(out / "vocabulary.json", dump_json(vocabulary.document()));
}

}  // namespace

void write_batch_report(const fs::path& out, const std::vector<Json>& records,
                        const Vocabulary& vocabulary) {
  const fs::path sheet = out / "contact_sheet.png";
  const fs::path page = out / "index.html";
  if (records.empty()) return;
  write_label_files(out, vocabulary);
  if (fs::exists(sheet) && shows(page, page_digest(records))) return;

  Progress progress("pictures", static_cast<int64_t>(records.size()));
  std::vector<Picture> pictures;
  std::vector<std::string> captions;
  std::vector<PageCase> cases;
  for (const Json& record : records) {
    throw_if_stopped();
    const fs::path folder = out / record["id"].get<std::string>();
    if (pictures.size() < kSheetCases) {
      pictures.push_back(from_preview(folder, vocabulary, sheet_picture));
      captions.push_back(caption_of(record));
    }
    const auto [width, height] = from_preview(folder, vocabulary, png_size);
    cases.push_back({record, width, height});
    progress.update(static_cast<int64_t>(cases.size()));
  }
  progress.finish();
  write_png(sheet, contact_sheet(pictures, captions, columns_for(pictures.size())));
  const std::string name = fs::absolute(out).lexically_normal().filename().string();
  write_file_atomic(page, render_page(cases, "guidegen: " + (name.empty() ? "cases" : name)));
}

}  // namespace guidegen
