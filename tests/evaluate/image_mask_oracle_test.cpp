#include <gtest/gtest.h>

#include <cstdlib>

#include "core/temporary_folder.hpp"
#include "evaluate/made_up_ct.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/evaluate/image_mask.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

std::string python() {
  const char* chosen = std::getenv("GUIDEGEN_PYTHON");
  return chosen ? chosen : "python3";
}

/// Patients who differ in HU, noise and tumors; every third has no contrast phase.
ImageMaskCase made_up_case(const TemporaryFolder& folder, const std::string& id, int i, bool judged,
                           const Vocabulary& vocabulary) {
  MadeUpCt made = made_up_ct(vocabulary);
  draw(made.mask, vocabulary.tumor(), {18, 20, 30.0 + i}, {2, 1.5, 2});  // in the left kidney
  draw(made.mask, vocabulary.tumor(), {48, 32, 72}, {2, 2, 2});          // in the right lung
  Prompt prompt;
  prompt.id = id;
  if (i % 3) prompt.contrast = i % 3 == 1 ? ContrastPhase::kNone : ContrastPhase::kArterial;
  made.ct.data += 7 * made_up_noise(made.ct.data, id.c_str()) + (i % 5) * 3;
  made.ct.data.round_();
  ImageMaskCase out;
  out.id = id;
  out.appearance = measure_appearance(made.ct, made.mask, prompt, vocabulary);
  if (!judged) return out;
  // Found: everything one voxel to the side, the kidney's tumor missed, another one made up.
  Volume found{at::roll(made.mask.data, 1 + i % 2, 3), made.mask.geometry};
  draw(found, vocabulary.id("kidney_left"), {18, 20, 30.0 + i}, {3, 3, 3});
  draw(found, vocabulary.tumor(), {30, 30, 20}, {2, 2, 2});
  out.segmentation = compare_masks(made.mask, found, vocabulary, 6);
  make_directories(folder / ("cases/" + id));
  write_ct(folder / ("cases/" + id + "/ct.nii.gz"), made.ct);
  write_mask(folder / ("cases/" + id + "/mask.nii.gz"), made.mask);
  write_mask(folder / ("found/" + id + ".nii.gz"), found);
  return out;
}

TEST(ImageMaskOracle, SciPyAndNumPyFindTheSameFigures) {
  if (std::system((python() + " -c 'import scipy, nibabel' 2>/dev/null").c_str()) != 0) {
    GTEST_SKIP() << "the Python packages scipy and nibabel are not installed";
  }
  const Vocabulary vocabulary = Vocabulary::load("torso");
  const TemporaryFolder folder;
  make_directories(folder / "found");
  std::vector<ImageMaskCase> cases, others;
  std::vector<CaseAppearance> reference;
  for (int i = 0; i < 3; ++i) {
    cases.push_back(made_up_case(folder, "case-" + std::to_string(i), i, true, vocabulary));
  }
  for (int i = 0; i < 21; ++i) {
    others.push_back(made_up_case(folder, "other-" + std::to_string(i), i % 8, false, vocabulary));
    reference.push_back(others.back().appearance);
  }
  const auto write = [&](const char* name, const ImageMaskReport& report) {
    write_file_atomic(folder / name, dump_json(to_json(report)));
  };
  write("report.json", summarize_image_mask(cases, reference, vocabulary));
  write("reference.json", summarize_image_mask(others, {}, vocabulary));
  write_file_atomic(folder / "torso.json", dump_json(vocabulary.document()));
  std::string command =
      python() + " '" + GUIDEGEN_SOURCE_DIR + "/tests/oracle/image_mask_oracle.py'";
  for (const char* file : {"cases", "report.json", "reference.json", "found", "torso.json"}) {
    command += " '" + (folder / file).string() + "'";
  }
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace guidegen
