#include "guidegen/generate/case_writer.hpp"

#include "guidegen/core/files.hpp"
#include "guidegen/core/output_folder.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/core/version.hpp"
#include "guidegen/data/dicom_case.hpp"
#include "guidegen/volume/nifti.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {
namespace {

Json gates_json(const GateReport& report) {
  Json gates = Json::array();
  for (const Gate& gate : report.gates) gates.push_back(to_json(gate));
  return gates;
}

Json tumors_json(const GateReport& report) {
  Json tumors = Json::array();
  for (const FoundTumor& tumor : report.tumors) tumors.push_back(to_json(tumor));
  return tumors;
}

Json make_record(const FinishedCase& finished, Json files) {
  const ImageGeometry& grid = finished.mask.geometry;
  const Recipe& recipe = finished.recipe;
  Json record = {{"id", finished.planned.id},
                 {"text", text_of(finished.planned.prompt)},
                 {"prompt", to_json(finished.planned.prompt)},
                 {"seed", finished.kept_mask.seed},
                 {"attempt", finished.kept_mask.attempt},
                 {"attempts", finished.kept_mask.attempts},
                 {"ct_seed", finished.kept_ct.seed},
                 {"ct_attempt", finished.kept_ct.attempt},
                 {"ct_attempts", finished.kept_ct.attempts},
                 {"gates_passed", finished.report.passed()},
                 {"gates", gates_json(finished.report)},
                 {"tumors_found", tumors_json(finished.report)},
                 {"size", grid.size},
                 {"spacing_mm", grid.spacing},
                 {"files", std::move(files)},
                 {"prompt_sha256", recipe.prompt_sha256},
                 {"weights", recipe.weights},
                 {"settings", recipe.settings},
                 {"gate_settings", recipe.gates},
                 {"retries", recipe.retries},
                 {"version", version()},
                 {"seconds", finished.seconds}};
  const std::vector<std::string>& contradictions = finished.planned.contradictions;
  if (!contradictions.empty()) record["contradictions"] = contradictions;
  if (!recipe.dicom.empty()) record["dicom"] = recipe.dicom;
  return record;
}

}  // namespace

std::string prompt_file_text(const Prompt& prompt) { return dump_json(to_json(prompt)); }

CaseWriter::CaseWriter(std::filesystem::path out, std::filesystem::path manifest,
                       const Vocabulary& vocabulary)
    : out_(std::move(out)), manifest_(std::move(manifest)), vocabulary_(vocabulary) {}

void CaseWriter::write(const FinishedCase& finished) const {
  AtomicDirectory folder(out_ / finished.planned.id);
  const std::filesystem::path& staging = folder.staging();
  write_file_atomic(staging / "prompt.json", prompt_file_text(finished.planned.prompt));
  write_mask(staging / "mask.nii.gz", finished.mask);
  write_ct(staging / "ct.nii.gz", finished.ct);
  write_png(staging / "preview.png", render_preview(&finished.ct, &finished.mask, vocabulary_));
  if (const std::string& dicom = finished.recipe.dicom; !dicom.empty()) {
    make_directories(staging / "dicom");
    write_dicom_case(staging / "dicom", finished.planned.prompt, finished.ct,
                     dicom == "ct+seg" ? &finished.mask : nullptr, vocabulary_);
  }
  Json files = {{"mask.nii.gz", sha256_file(staging / "mask.nii.gz")},
                {"ct.nii.gz", sha256_file(staging / "ct.nii.gz")}};
  // The line comes first: a folder that appears has its record, whenever the process dies.
  append_line(manifest_, make_record(finished, std::move(files)).dump(), /*sync=*/true);
  folder.commit();
}

}  // namespace guidegen
