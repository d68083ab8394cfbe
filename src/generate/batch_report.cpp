#include "guidegen/generate/batch_report.hpp"

#include <fstream>

#include "guidegen/core/files.hpp"
#include "guidegen/core/progress.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/volume/nifti.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {
namespace fs = std::filesystem;
namespace {

constexpr size_t kSheetCases = 60;
constexpr int64_t kSheetPanel = 128;  ///< pixels of a panel's height
constexpr int64_t kPagePanel = 200;

/// Whether the page notes the digest in its head (the first kilobytes; the rest is pictures).
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

}  // namespace

void write_batch_report(const fs::path& out, const std::vector<Json>& records,
                        const Vocabulary& vocabulary) {
  const fs::path sheet = out / "contact_sheet.png";
  const fs::path page = out / "index.html";
  if (records.empty()) return;
  if (fs::exists(sheet) && shows(page, page_digest(records))) return;

  Progress progress("pictures", static_cast<int64_t>(records.size()));
  std::vector<Picture> pictures;
  std::vector<std::string> captions;
  std::vector<PageCase> cases;
  for (const Json& record : records) {
    throw_if_stopped();
    const fs::path folder = out / record["id"].get<std::string>();
    const Volume mask = read_mask(folder / "mask.nii.gz", vocabulary.size());
    const Volume ct = read_ct(folder / "ct.nii.gz");
    PreviewOptions options;
    options.height = kPagePanel;
    cases.push_back({record, encode_png(render_preview(&ct, &mask, vocabulary, options))});
    if (pictures.size() < kSheetCases) {
      options.height = kSheetPanel;
      pictures.push_back(render_preview(&ct, &mask, vocabulary, options));
      captions.push_back(caption_of(record));
    }
    progress.update(static_cast<int64_t>(cases.size()));
  }
  progress.finish();
  write_png(sheet, contact_sheet(pictures, captions, columns_for(pictures.size())));
  const std::string name = fs::absolute(out).lexically_normal().filename().string();
  write_file_atomic(page, render_page(cases, "guidegen: " + (name.empty() ? "cases" : name)));
}

}  // namespace guidegen
