#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/output_folder.hpp"
#include "guidegen/core/progress.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/core/version.hpp"
#include "guidegen/data/dataset.hpp"
#include "guidegen/data/dicom_case.hpp"
#include "guidegen/data/export_cases.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNote = "export.json";
constexpr const char* kFormat = "guidegen-dicom-case";

/// What export.json says: equal notes stand for equal files.
Json note_of(const fs::path& folder, const Vocabulary& vocabulary, bool segmentation) {
  Json files = Json::object();
  for (const char* name : {"prompt.json", "mask.nii.gz", "ct.nii.gz"}) {
    files[name] = sha256_file(folder / name);
  }
  return {{"format", kFormat},
          {"version", 1},
          {"made_by", "guidegen " + version()},
          {"segmentation", segmentation},
          {"vocabulary", sha256_hex(vocabulary.document().dump())},
          {"files", std::move(files)}};
}

/// Throws Error(kUsage) unless the folder of a case is free or one that we made.
void check_is_ours(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(folder, error))) return;
  const fs::path note = folder / kNote;
  if (!fs::is_regular_file(note, error)) {
    throw_usage(folder.string(), ": holds no ", kNote,
                ", so it is no export, expected another --out");
  }
  const Json document = read_json_file(note);
  JsonObject(document, note.string()).choice("format", {kFormat});
}

void export_case(const fs::path& folder, const fs::path& out, const Json& note,
                 const Vocabulary& vocabulary, bool segmentation) {
  const Volume ct = read_ct(folder / "ct.nii.gz");
  Volume mask;
  if (segmentation) mask = read_mask(folder / "mask.nii.gz", vocabulary.size());
  AtomicDirectory staged(out);
  write_dicom_case(staged.staging(), read_case_prompt(folder), ct, segmentation ? &mask : nullptr,
                   vocabulary);
  write_file_atomic(staged.staging() / kNote, dump_json(note));
  staged.commit();
}

ExportedCase try_case(const ExportSource& source, const std::string& id, const fs::path& out,
                      const Vocabulary& vocabulary, bool segmentation) {
  const fs::path folder = source.root / id;
  try {
    const Json note = note_of(folder, vocabulary, segmentation);
    if (fs::exists(out / id / kNote) && read_json_file(out / id / kNote) == note) {
      return {id, ExportState::kKept, ""};
    }
    export_case(folder, out / id, note, vocabulary, segmentation);
    return {id, ExportState::kWritten, ""};
  } catch (const Error& error) {
    log_error(concat("case ", id, " failed: ", error.what()));
    return {id, ExportState::kFailed, error.what()};
  }
}

}  // namespace

std::vector<ExportedCase> export_dicom(const ExportSource& source, const fs::path& out,
                                       const Vocabulary& vocabulary, bool segmentation) {
  std::error_code error;
  if (fs::equivalent(source.root, out, error)) {
    throw_usage(out.string(), ": holds the cases themselves, expected another --out");
  }
  for (const std::string& id : source.ids) check_is_ours(out / id);
  const OutputFolder folder(out);
  std::vector<ExportedCase> cases;
  Progress progress("DICOM", static_cast<int64_t>(source.ids.size()));
  for (const std::string& id : source.ids) {
    throw_if_stopped();
    cases.push_back(try_case(source, id, out, vocabulary, segmentation));
    progress.update(static_cast<int64_t>(cases.size()), id);
  }
  progress.finish();
  return cases;
}

}  // namespace guidegen
