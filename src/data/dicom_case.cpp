#include "guidegen/data/dicom_case.hpp"

#include "guidegen/core/files.hpp"

namespace guidegen {
namespace {

std::string contrast_agent(ContrastPhase phase) {
  if (phase == ContrastPhase::kNone) return "";
  return "Iodinated contrast, " + name_of(phase) + " phase";
}

}  // namespace

DicomStudy dicom_study(const Prompt& prompt) {
  DicomStudy study;
  study.case_id = prompt.id;
  study.text = prompt.text ? *prompt.text : describe(prompt, 0);
  if (prompt.sex) study.sex = *prompt.sex == Sex::kFemale ? "F" : "M";
  study.age = prompt.age;
  if (prompt.race) study.ethnic_group = name_of(*prompt.race);
  if (prompt.contrast) study.contrast = contrast_agent(*prompt.contrast);
  return study;
}

void write_dicom_case(const std::filesystem::path& folder, const Prompt& prompt, const Volume& ct,
                      const Volume* mask, const Vocabulary& vocabulary) {
  make_directories(folder / "ct");
  const DicomSeries series = write_dicom_ct(folder / "ct", ct, dicom_study(prompt));
  if (mask != nullptr) write_dicom_segmentation(folder / "seg.dcm", *mask, series, vocabulary);
}

}  // namespace guidegen
