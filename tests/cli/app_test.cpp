#include <gmock/gmock.h>

#include "cli/run_program.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/core/version.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

using testing::HasSubstr;
using testing_support::ProgramResult;
using testing_support::run_program;

class App : public testing::Test {
 protected:
  ProgramResult run(const std::vector<std::string>& arguments) {
    return run_program(arguments, scratch_.path());
  }
  Json run_json(const std::vector<std::string>& arguments) {
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    return parse_json(result.out, "stdout");
  }
  TemporaryFolder scratch_;
};

TEST_F(App, EveryCommandHelpsWithAnExample) {
  const std::vector<std::vector<std::string>> commands = {{},
                                                          {"phantom"},
                                                          {"prepare", "pairs"},
                                                          {"train", "stage1"},
                                                          {"train", "stage2"},
                                                          {"train", "stage3"},
                                                          {"sample"},
                                                          {"sample", "stage1"},
                                                          {"sample", "stage2"},
                                                          {"sample", "stage3"},
                                                          {"sample", "refine"},
                                                          {"generate"},
                                                          {"evaluate", "mask-prompt"},
                                                          {"evaluate", "anatomy"},
                                                          {"evaluate", "fidelity"},
                                                          {"prompt"},
                                                          {"export", "model"},
                                                          {"export", "dicom"},
                                                          {"export", "nnunet"},
                                                          {"info"}};
  for (std::vector<std::string> arguments : commands) {
    arguments.push_back("--help");
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_THAT(result.out, HasSubstr("Example")) << arguments.front();
    EXPECT_THAT(result.out, HasSubstr("  guidegen ")) << arguments.front();
    EXPECT_EQ(result.err, "");
  }
}

TEST_F(App, SaysItsVersion) {
  const ProgramResult result = run({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "guidegen " + version() + "\n");
}

TEST_F(App, QuietGoesBeforeAndAfterTheCommand) {
  EXPECT_EQ(run({"--quiet", "info", "torso"}).exit_code, 0);
  EXPECT_EQ(run({"info", "torso", "--quiet"}).exit_code, 0);
}

TEST_F(App, InfoCountsLabelsOfAMask) {
  at::Tensor labels = at::zeros({1, 4, 4, 4}, at::kByte);
  labels[0][0][0][0] = 6;
  labels[0][0][0][1] = 6;
  write_mask(scratch_.path() / "m.nii.gz", {labels, centered_geometry({4, 4, 4}, {10, 10, 10})});
  const Json document = run_json({"info", "m.nii.gz", "--json"});
  EXPECT_EQ(document["size"], Json({4, 4, 4}));
  EXPECT_EQ(document["labels"][1]["name"], "liver");
  EXPECT_EQ(document["labels"][1]["voxels"], 2);
  EXPECT_DOUBLE_EQ(document["labels"][1]["volume_ml"], 2.0);
}

TEST_F(App, RefinesAMask) {
  at::Tensor labels = at::zeros({1, 8, 8, 8}, at::kByte);
  labels.slice(1, 2, 6).slice(2, 2, 6).slice(3, 2, 6).fill_(6);
  write_mask(scratch_.path() / "m.nii.gz", {labels, centered_geometry({8, 8, 8}, {6, 6, 6})});
  const Json document = run_json({"sample", "refine", "--mask", "m.nii.gz", "--spacing", "2,2,3",
                                  "--out", "made/fine.nii.gz", "--memory", "--json"});
  EXPECT_EQ(document["size"], Json({24, 24, 16}));
  EXPECT_GT(document["moved_voxels"], 0);
  EXPECT_EQ(document["component_changes"], Json::array());
  EXPECT_GT(document["peak_memory_bytes"], 0);
  const Volume fine = read_mask(scratch_.path() / "made" / "fine.nii.gz");
  EXPECT_EQ(fine.geometry.spacing, (Vec3{2, 2, 3}));

  const ProgramResult wrong =
      run({"sample", "refine", "--mask", "m.nii.gz", "--spacing", "2,2,3", "--out", "fine.png"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("expected a name that ends in .nii.gz"));
  const ProgramResult vast = run({"sample", "refine", "--mask", "m.nii.gz", "--spacing", "1,1,1",
                                  "--size", "8000,8000,8000", "--out", "fine.nii.gz"});
  EXPECT_EQ(vast.exit_code, 2);
  EXPECT_THAT(vast.err, HasSubstr("expected 2^31 at most"));
  EXPECT_EQ(run({"sample", "refine", "--mask", "none.nii.gz", "--spacing", "2,2,2", "--out",
                 "fine.nii.gz"})
                .exit_code,
            1);
}

TEST_F(App, JudgesTheAnatomyOfPhantoms) {
  for (const char* seed : {"1", "2"}) {
    EXPECT_EQ(run({"phantom", "--out", std::string("data") + seed, "--count", "3", "--seed", seed,
                   "--size", "32", "32", "40", "--spacing", "12", "12", "12"})
                  .exit_code,
              0);
  }
  const Json alone = run_json({"evaluate", "anatomy", "--data", "data1", "--json"});
  EXPECT_EQ(alone["masks"], 3);
  EXPECT_EQ(alone["reference_masks"], 0);
  EXPECT_EQ(alone["order_checks"]["hits"], alone["order_checks"]["total"]);
  const ProgramResult result = run(
      {"evaluate", "anatomy", "--data", "data1", "--reference", "data2", "--out", "anatomy.json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("3 masks, against 3 of the reference"));
  EXPECT_THAT(result.out, HasSubstr("organ checks passed: "));
  EXPECT_EQ(read_json_file(scratch_.path() / "anatomy.json")["reference_masks"], 3);
  EXPECT_EQ(run({"evaluate", "anatomy", "--data", "nowhere"}).exit_code, 2);
}

TEST_F(App, InfoGivesTheRangeOfACt) {
  write_ct(scratch_.path() / "ct.nii.gz",
           {at::full({1, 4, 5, 6}, -1000.0F), centered_geometry({6, 5, 4}, {1, 2, 3})});
  const Json document = run_json({"info", "ct.nii.gz", "--json"});
  EXPECT_EQ(document["size"], Json({6, 5, 4}));
  EXPECT_EQ(document["min"], -1000.0);
  EXPECT_FALSE(document.contains("labels"));
  EXPECT_THAT(run({"info", "ct.nii.gz"}).out, HasSubstr("spacing_mm: 1, 2, 3"));
}

TEST_F(App, InfoKnowsPromptsAndVocabularies) {
  write_file_atomic(scratch_.path() / "p.json", R"([{"id": "one", "text": "a patient"}])");
  const Json prompts = run_json({"info", "p.json", "--json"});
  EXPECT_EQ(prompts["kind"], "prompt file");
  EXPECT_EQ(prompts["prompts"][0]["text"], "a patient");
  EXPECT_EQ(run_json({"info", "torso", "--json"})["labels"][6]["name"], "liver");
}

TEST_F(App, InfoReadsTheDataSetOfPhantom) {
  ASSERT_EQ(run({"phantom", "--out", "set", "--count", "2", "--size", "32", "32", "40", "--spacing",
                 "12", "12", "12"})
                .exit_code,
            0);
  const Json document = run_json({"info", "set", "--json"});
  EXPECT_EQ(document["kind"], "data set");
  EXPECT_EQ(document["cases"], 2);
}

}  // namespace
}  // namespace guidegen
