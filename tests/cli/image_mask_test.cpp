#include <gmock/gmock.h>

#include "cli/run_program.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/json.hpp"

namespace guidegen {
namespace {

using testing::HasSubstr;
using testing_support::ProgramResult;
using testing_support::run_program;

/// Phantoms, a segmenter that has seen them for a few steps, and what the commands make of both.
class ImageMaskCommand : public testing::Test {
 protected:
  void make_phantoms(int count) const {
    ASSERT_EQ(run({"phantom", "--out", "set", "--count", std::to_string(count), "--seed", "3",
                   "--size", "24", "24", "32", "--spacing", "16", "16", "16"})
                  .exit_code,
              0);
  }
  ProgramResult run(const std::vector<std::string>& arguments) const {
    return run_program(arguments, scratch_.path());
  }
  ProgramResult judge(std::vector<std::string> more) const {
    more.insert(more.begin(), {"evaluate", "image-mask", "--data", "set"});
    return run(more);
  }
  void train() const {
    const ProgramResult result =
        run({"train", "segmenter", "--data", "set", "--out", "run", "network.channels=[8,8]",
             "network.head_width=8", "network.crop=16", "training.steps=2"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }

  const TemporaryFolder scratch_;
};

TEST_F(ImageMaskCommand, FindsPhantomsLikePhantoms) {
  make_phantoms(22);
  const ProgramResult result = judge({"--reference", "set", "--out", "report.json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("22 cases, 22 reference cases"));
  const Json report = read_json_file(scratch_ / "report.json");
  const Json& hu = report["summary"]["appearance"]["median_hu"];
  EXPECT_GT(hu["inside"]["share"].get<double>(), 0.85);
  EXPECT_EQ(hu["organs"]["liver"]["all"]["of"], 22);
  EXPECT_FALSE(report["summary"].contains("segmentation"));
}

TEST_F(ImageMaskCommand, SegmentsAndJudges) {
  make_phantoms(3);
  train();
  const ProgramResult result =
      judge({"--segmenter", "run/model", "--html", "page.html", "--pictures", "2", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Json report = parse_json(result.out, "stdout");
  EXPECT_TRUE(report["summary"]["segmentation"]["labels"].contains("liver"));
  EXPECT_FALSE(report["summary"].contains("appearance"));
  EXPECT_THAT(read_file(scratch_ / "page.html"), HasSubstr("what the segmenter finds"));

  const std::string id = report["cases"][0]["id"];
  const ProgramResult segmented =
      run({"sample", "segment", "--model", "run/model", "--ct", "set/" + id + "/ct.nii.gz", "--out",
           "found.nii.gz", "--json"});
  ASSERT_EQ(segmented.exit_code, 0) << segmented.err;
  EXPECT_EQ(parse_json(segmented.out, "stdout")["size"], Json({24, 24, 32}));
  EXPECT_TRUE(std::filesystem::exists(scratch_ / "found.nii.gz"));
  const ProgramResult told = run({"info", "run/model"});
  EXPECT_THAT(told.out, HasSubstr("segmenter.safetensors"));
}

TEST_F(ImageMaskCommand, SaysInOneLineWhatDoesNotFit) {
  make_phantoms(1);
  const auto refused = [&](const ProgramResult& result, const std::string& because) {
    EXPECT_EQ(result.exit_code, 2) << because;
    EXPECT_THAT(result.err, HasSubstr(because));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  };
  refused(judge({}), "--segmenter, --reference or both");
  refused(judge({"--reference", "nowhere"}), "nowhere");
  refused(judge({"--segmenter", "set"}), "model.json");
  refused(run({"evaluate", "image-mask", "--data", "run", "--reference", "set"}), "run");
  refused(run({"train", "segmenter", "--data", "set", "--out", "run", "network.crop=20"}),
          "network.crop: 20 is no multiple of 8");
}

TEST_F(ImageMaskCommand, RefusesASegmenterOfOtherLabels) {
  make_phantoms(2);
  train();
  Json document = read_json_file(scratch_ / "set/dataset.json")["vocabulary"];
  document["labels"][2]["name"] = "splen";
  for (auto& [name, group] : document["groups"].items()) {
    for (auto& member : group) {
      if (member == "spleen") member = "splen";
    }
  }
  document.erase("mappings");
  write_file_atomic(scratch_ / "other.json", dump_json(document));
  const ProgramResult result = judge({"--segmenter", "run/model", "--vocabulary", "other.json"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("label 2 is spleen to the segmenter and splen in the masks"));
}

}  // namespace
}  // namespace guidegen
