#include <gmock/gmock.h>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "data/small_dataset.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/data/dicom_case.hpp"
#include "guidegen/data/export_cases.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class ExportDicom : public testing::Test {
 protected:
  ExportDicom() { write_small_dataset(cases_, 2); }

  std::vector<ExportState> run(bool segmentation = true) {
    std::vector<ExportState> states;
    for (const ExportedCase& exported :
         export_dicom(find_export_cases(cases_), out_, vocabulary_, segmentation)) {
      states.push_back(exported.state);
    }
    return states;
  }

  TemporaryFolder scratch_;
  fs::path cases_ = scratch_ / "cases";
  fs::path out_ = scratch_ / "out";
  Vocabulary vocabulary_ = Vocabulary::load("torso");
};

TEST_F(ExportDicom, WritesEveryCaseOnceAndResumes) {
  EXPECT_THAT(run(), ElementsAre(ExportState::kWritten, ExportState::kWritten));
  EXPECT_TRUE(fs::is_regular_file(out_ / "case-1/ct/0016.dcm"));
  EXPECT_TRUE(fs::is_regular_file(out_ / "case-1/seg.dcm"));
  const std::string first = read_file(out_ / "case-1/seg.dcm");
  EXPECT_THAT(run(), ElementsAre(ExportState::kKept, ExportState::kKept));
  fs::remove_all(out_ / "case-1");
  EXPECT_THAT(run(), ElementsAre(ExportState::kKept, ExportState::kWritten));
  EXPECT_EQ(read_file(out_ / "case-1/seg.dcm"), first);
}

TEST_F(ExportDicom, ReplacesWhatWasMadeFromOtherFiles) {
  run();
  Prompt older = read_case_prompt(cases_ / "case-0");
  older.age = 99;
  write_file_atomic(cases_ / "case-0/prompt.json", dump_json(to_json(older)));
  EXPECT_THAT(run(), ElementsAre(ExportState::kWritten, ExportState::kKept));
  EXPECT_THAT(read_file(out_ / "case-0/ct/0001.dcm"), HasSubstr("099Y"));
  EXPECT_THAT(run(false), ElementsAre(ExportState::kWritten, ExportState::kWritten));
  EXPECT_FALSE(fs::exists(out_ / "case-0/seg.dcm"));
}

TEST_F(ExportDicom, LeavesFoldersThatAreNoExportAlone) {
  make_directories(out_ / "case-1");
  write_file_atomic(out_ / "case-1/notes.txt", "mine");
  EXPECT_THAT([&] { run(); }, throws_usage(HasSubstr("case-1: holds no export.json")));
  EXPECT_FALSE(fs::exists(out_ / "case-0"));
  out_ = cases_;
  EXPECT_THAT([&] { run(); }, throws_usage(HasSubstr("holds the cases themselves")));
}

TEST_F(ExportDicom, ACaseThatCannotBeReadLeavesNothingAndTheOthersGoOn) {
  write_file_atomic(cases_ / "case-0/mask.nii.gz", "damaged");
  EXPECT_THAT(run(), ElementsAre(ExportState::kFailed, ExportState::kWritten));
  for (const auto& entry : fs::directory_iterator(out_)) {
    EXPECT_EQ(entry.path().filename(), "case-1");
  }
}

TEST_F(ExportDicom, FindsTheCasesAskedFor) {
  EXPECT_THAT(find_export_cases(cases_, {"case-1"}).ids, ElementsAre("case-1"));
  EXPECT_THAT([&] { find_export_cases(cases_, {"case-2"}); },
              throws_usage(HasSubstr("no complete case 'case-2' in it, did you mean 'case-")));
  EXPECT_THAT([&] { find_export_cases(scratch_ / "nowhere"); },
              throws_usage(HasSubstr("no such folder")));
  make_directories(scratch_ / "empty");
  EXPECT_THAT([&] { find_export_cases(scratch_ / "empty"); }, throws_usage(HasSubstr("no case")));
}

TEST(DicomStudyOf, SaysWhatThePromptSays) {
  Prompt prompt;
  prompt.id = "a";
  DicomStudy open = dicom_study(prompt);
  EXPECT_EQ(open.sex, "");
  EXPECT_EQ(open.contrast, "");
  EXPECT_FALSE(open.age.has_value());
  prompt.sex = Sex::kFemale;
  prompt.age = 61;
  prompt.contrast = ContrastPhase::kPortalVenous;
  prompt.text = "a text";
  const DicomStudy study = dicom_study(prompt);
  EXPECT_EQ(study.sex, "F");
  EXPECT_EQ(study.age, 61);
  EXPECT_EQ(study.contrast, "Iodinated contrast, portal-venous phase");
  EXPECT_EQ(study.text, "a text");
  prompt.contrast = ContrastPhase::kNone;
  EXPECT_EQ(dicom_study(prompt).contrast, "");
}

}  // namespace
}  // namespace guidegen
