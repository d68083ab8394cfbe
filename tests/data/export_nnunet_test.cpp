#include <gmock/gmock.h>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "data/small_dataset.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/data/export_cases.hpp"
#include "guidegen/volume/labels.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class ExportNnunet : public testing::Test {
 protected:
  ExportNnunet() { write_small_dataset(cases_, 3); }

  NnunetSummary run(const NnunetOptions& options = {}) {
    return export_nnunet(find_export_cases(cases_), out_, vocabulary_, options);
  }

  TemporaryFolder scratch_;
  fs::path cases_ = scratch_ / "cases";
  fs::path out_ = scratch_ / "Dataset123_Small";
  Vocabulary vocabulary_ = Vocabulary::load("torso");
};

TEST_F(ExportNnunet, HoldsWhatTheFormatAsksFor) {
  EXPECT_THAT(run().training, SizeIs(3));
  EXPECT_THAT(names_in(out_), ElementsAre("dataset.json", "imagesTr", "labelsTr"));
  EXPECT_THAT(names_in(out_ / "imagesTr"),
              ElementsAre("case-0_0000.nii.gz", "case-1_0000.nii.gz", "case-2_0000.nii.gz"));
  EXPECT_THAT(names_in(out_ / "labelsTr"),
              ElementsAre("case-0.nii.gz", "case-1.nii.gz", "case-2.nii.gz"));
  const Json dataset = read_json_file(out_ / "dataset.json");
  EXPECT_EQ(dataset["channel_names"], Json({{"0", "CT"}}));
  EXPECT_EQ(dataset["numTraining"], 3);
  EXPECT_EQ(dataset["file_ending"], ".nii.gz");
  EXPECT_EQ(dataset["labels"]["background"], 0);
  EXPECT_EQ(dataset["labels"]["liver"], vocabulary_.id("liver"));
  EXPECT_EQ(dataset["labels"].size(), static_cast<size_t>(vocabulary_.size()));
  // Nothing had to change, so the files are the very same ones.
  EXPECT_TRUE(fs::equivalent(out_ / "imagesTr/case-1_0000.nii.gz", cases_ / "case-1/ct.nii.gz"));
  EXPECT_TRUE(fs::equivalent(out_ / "labelsTr/case-1.nii.gz", cases_ / "case-1/mask.nii.gz"));
}

TEST_F(ExportNnunet, NumbersTheWantedLabelsFromOne) {
  const NnunetSummary summary = run({{"tumor", "lung", "liver"}, 0});
  EXPECT_THAT(summary.classes, ElementsAre("tumor", "lung", "liver"));
  const Json labels = read_json_file(out_ / "dataset.json")["labels"];
  EXPECT_EQ(labels, Json({{"background", 0}, {"tumor", 1}, {"lung", 2}, {"liver", 3}}));
  const at::Tensor before = read_mask(cases_ / "case-2/mask.nii.gz").data;
  const Volume after = read_mask(out_ / "labelsTr/case-2.nii.gz");
  EXPECT_EQ(label_range(after.data).largest, 3);
  EXPECT_TRUE(after.data.eq(1).equal(before.eq(vocabulary_.tumor())));
  EXPECT_TRUE(after.data.eq(3).equal(before.eq(vocabulary_.id("liver"))));
  EXPECT_TRUE(same_geometry(after.geometry, read_ct(cases_ / "case-2/ct.nii.gz").geometry));
}

TEST_F(ExportNnunet, EveryCaseTrainsOrTests) {
  write_small_dataset(cases_, 40);
  const NnunetSummary summary = run({{}, 0.3});
  EXPECT_EQ(summary.training.size() + summary.test.size(), 40U);
  EXPECT_THAT(summary.test.size(), testing::AllOf(testing::Gt(4U), testing::Lt(20U)));
  EXPECT_EQ(names_in(out_ / "imagesTs").size(), summary.test.size());
  EXPECT_EQ(names_in(out_ / "labelsTs").size(), summary.test.size());
  EXPECT_EQ(read_json_file(out_ / "dataset.json")["numTraining"], summary.training.size());
  EXPECT_EQ(names_in(out_ / "labelsTr").size(), summary.training.size());
}

TEST_F(ExportNnunet, RefusesWhatNnunetWouldNotTake) {
  const auto running = [this](const NnunetOptions& options) {
    return [this, options] { run(options); };
  };
  EXPECT_THAT(running({{"lever"}, 0}), throws_usage(HasSubstr("liver")));
  EXPECT_THAT(running({{"lung", "lung_lower_left"}, 0}), throws_usage(HasSubstr("overlap")));
  EXPECT_THAT(running({{"liver", "liver"}, 0}), throws_usage(HasSubstr("overlap")));
  EXPECT_THAT(running({{"background"}, 0}), throws_usage(HasSubstr("always there")));
  for (const char* name : {"Dataset12_x", "dataset123_x", "Dataset123_", "Dataset123_a b", "x"}) {
    out_ = scratch_ / name;
    EXPECT_THAT(running({}), throws_usage(HasSubstr("expected one like Dataset123_Guidegen")));
  }
  out_ = scratch_ / "Dataset001_x";
  make_directories(out_);
  EXPECT_THAT(running({}), throws_usage(HasSubstr("is there already")));
}

TEST_F(ExportNnunet, AppearsWholeOrNotAtAll) {
  write_file_atomic(cases_ / "case-2/ct.nii.gz", "damaged");
  EXPECT_THAT([&] { run(); }, throws_failure(HasSubstr("case-2/ct.nii.gz")));
  EXPECT_THAT(scratch_.entries(), ElementsAre("cases"));
}

}  // namespace
}  // namespace guidegen
