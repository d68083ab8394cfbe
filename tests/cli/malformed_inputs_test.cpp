// The real program on broken input: one line on stderr that names the culprit, the right exit code,
// and not one file more than before.
#include "cli/malformed_inputs.hpp"

#include <gmock/gmock.h>

#include <set>

#include "cli/run_program.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;
using testing_support::MalformedInputs;
using testing_support::ProgramResult;
using testing_support::run_program;

struct Malformed {
  std::string name;
  std::vector<std::string> arguments;
  int exit_code = 2;
  std::string culprit;       ///< part of the message
  std::string prompts = "";  ///< text of p.json, when the case needs one
};

std::ostream& operator<<(std::ostream& out, const Malformed& malformed) {
  return out << malformed.name;
}

std::set<std::string> files_below(const fs::path& root) {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    names.insert(fs::relative(entry.path(), root).string());
  }
  return names;
}

class MalformedInput : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedInput, IsOneLineTheRightCodeAndNoFiles) {
  const TemporaryFolder scratch;
  const MalformedInputs inputs(scratch.path());
  write_file_atomic(scratch.path() / "p.json", GetParam().prompts);
  const std::set<std::string> before = files_below(scratch.path());

  const ProgramResult result = run_program(GetParam().arguments, scratch.path());

  EXPECT_EQ(result.exit_code, GetParam().exit_code) << result.err;
  EXPECT_THAT(result.err, testing::StartsWith("guidegen: error: "));
  EXPECT_THAT(result.err, testing::HasSubstr(GetParam().culprit));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_LT(result.err.size(), 500U);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(files_below(scratch.path()), before);
}

const std::vector<std::string> kGenerate = {"generate", "--model", "model", "--prompts",
                                            "p.json",   "--out",   "out"};

Malformed prompts(const std::string& name, const std::string& text, const std::string& culprit) {
  return {name, kGenerate, 2, culprit, text};
}

INSTANTIATE_TEST_SUITE_P(
    Prompts, MalformedInput,
    testing::Values(
        prompts("EmptyFile", "", "p.json: empty"), prompts("EmptyList", "[]", "p.json: no prompts"),
        prompts("DuplicateKey", R"([{"id": "a", "id": "b"}])", "key \"id\""),
        prompts("UnknownKey", R"([{"id": "a", "agee": 3}])", "\"age\""),
        prompts("PathLikeId", R"([{"id": "../up"}])", "id"),
        prompts("HiddenId", R"([{"id": ".guidegen-1"}])", "id"),
        prompts("NegativeCount", R"([{"tumors": [{"organ": "liver", "count": -1}]}])",
                "tumors[0].count"),
        prompts("UnknownOrgan", R"([{"tumors": [{"organ": "lver"}]}])", "tumors[0].organ"),
        prompts("ForeignPosition", R"([{"tumors": [{"organ": "liver", "position": "head"}]}])",
                "tumors[0].position"),
        prompts("TwiceTheSameId", R"([{"id": "a"}, {"id": "a"}])", "'a'"),
        prompts("CutShort", R"([{"id": "a")", "p.json"),
        prompts("NotANumber", R"([{"age": NaN}])", "p.json"),
        prompts("HugeSize", R"([{"size": [100000, 16, 16]}])", "size"),
        prompts("DeepNesting", std::string(100000, '['), "p.json"),
        prompts("SamplesMeetAnotherId", R"([{"id": "a", "samples": 2}, {"id": "a-s01"}])",
                "'a-s01'"),
        prompts("NameOfOurFile", R"([{"id": "index.html"}])", "'index.html'")),
    testing::PrintToStringParamName());

INSTANTIATE_TEST_SUITE_P(
    Volumes, MalformedInput,
    testing::Values(Malformed{"TruncatedPlain", {"info", "cut.nii"}, 1, "cut.nii"},
                    Malformed{"TruncatedGzip", {"info", "cut.nii.gz"}, 1, "cut.nii.gz"},
                    Malformed{"TrailingBytes", {"info", "trailing.nii.gz"}, 1, "trailing.nii.gz"},
                    Malformed{"WrongCrc", {"info", "corrupt.nii.gz"}, 1, "corrupt.nii.gz"},
                    Malformed{"FourDimensions", {"info", "frames.nii"}, 1, "frames.nii"},
                    Malformed{"TooManyVoxels", {"info", "huge.nii"}, 1, "huge.nii"},
                    Malformed{"AffineNotFinite", {"info", "nowhere.nii"}, 1, "nowhere.nii"},
                    Malformed{"Sheared", {"info", "sheared.nii"}, 1, "sheared.nii"},
                    Malformed{"ReconstructTruncated",
                              {"sample", "stage2", "--model", "model", "--ct", "cut.nii.gz",
                               "--out", "out.nii.gz"},
                              1,
                              "cut.nii.gz"},
                    Malformed{"PrepareTruncated",
                              {"prepare", "pairs", "--ct", "cut.nii.gz", "--labels", "mask.nii.gz",
                               "--mapping", "totalsegmentator_v2", "--out", "out"},
                              1,
                              "cut.nii.gz"},
                    Malformed{
                        "UnknownLabel",
                        {"evaluate", "mask-prompt", "--data", "cases", "--out", "scores.json"},
                        1,
                        "mask.nii.gz"}),
    testing::PrintToStringParamName());

INSTANTIATE_TEST_SUITE_P(
    Models, MalformedInput,
    testing::Values(
        Malformed{"OversizedHeader", {"info", "header.safetensors"}, 1, "header.safetensors"},
        Malformed{"OverlappingTensors", {"info", "overlap.safetensors"}, 1, "overlap.safetensors"},
        Malformed{"TensorTwice", {"info", "twice.safetensors"}, 1, "twice.safetensors"},
        Malformed{"WrongVersion", kGenerate, 2, "model/model.json", R"([{"id": "a"}])"},
        Malformed{"NoModel",
                  {"generate", "--model", "empty", "--prompts", "p.json", "--out", "out"},
                  2,
                  "empty",
                  R"([{"id": "a"}])"},
        Malformed{"FolderOfNoKind", {"info", "empty"}, 2, "empty"}),
    testing::PrintToStringParamName());

INSTANTIATE_TEST_SUITE_P(
    CommandLine, MalformedInput,
    testing::Values(
        Malformed{"NoCommand", {}, 2, "generate"},
        Malformed{"UnknownCommand", {"generat"}, 2, "did you mean 'generate'"},
        Malformed{"UnknownStage", {"sample", "stage4"}, 2, "did you mean 'stage"},
        Malformed{"UnknownFlag", {"generate", "--modle", "m"}, 2, "did you mean '--model'"},
        Malformed{"MissingFlag", {"generate", "--model", "model"}, 2, "--prompts"},
        Malformed{"OutOfRange",
                  {"generate", "--model", "model", "--prompts", "p.json", "--out", "out", "--steps",
                   "-3"},
                  2,
                  "--steps"},
        Malformed{"MissingFile", {"info", "nowhere.nii.gz"}, 1, "nowhere.nii.gz"},
        Malformed{"UnknownVocabulary", {"info", "torsoo"}, 2, "torso"},
        Malformed{"WrongName",
                  {"sample", "stage2", "--model", "model", "--ct", "ct.nii.gz", "--out", "out.png"},
                  2,
                  "--out"},
        Malformed{"NegativeCount", {"phantom", "--out", "out", "--count", "-1"}, 2, "--count"},
        Malformed{"OutputIsAFile", {"phantom", "--out", "p.json", "--count", "1"}, 2, "p.json"},
        Malformed{"UnknownMapping",
                  {"prepare", "pairs", "--ct", "ct.nii.gz", "--labels", "mask.nii.gz", "--mapping",
                   "totalsegmentatr_v2", "--out", "out"},
                  2,
                  "totalsegmentator_v2"},
        Malformed{"UnknownConfigKey",
                  {"train", "stage1", "--data", "cases", "--out", "out", "training.stepz=5"},
                  2,
                  "training.stepz"},
        Malformed{"UnknownPreset",
                  {"train", "stage1", "--config", "demmo", "--data", "cases", "--out", "out"},
                  2,
                  "demo"},
        Malformed{"NoDataSet", {"train", "stage1", "--data", "empty", "--out", "out"}, 2, "empty"}),
    testing::PrintToStringParamName());

INSTANTIATE_TEST_SUITE_P(
    Exports, MalformedInput,
    testing::Values(
        Malformed{
            "NoFolder", {"export", "dicom", "--cases", "nowhere", "--out", "d"}, 2, "nowhere"},
        Malformed{"NoCase", {"export", "dicom", "--cases", "empty", "--out", "d"}, 2, "empty"},
        Malformed{"UnknownCase",
                  {"export", "dicom", "--cases", "cases", "--out", "d", "--only", "b"},
                  2,
                  "'b'"},
        Malformed{
            "IntoTheCases", {"export", "dicom", "--cases", "cases", "--out", "cases"}, 2, "--out"},
        Malformed{
            "NnunetName", {"export", "nnunet", "--cases", "cases", "--out", "x"}, 2, "Dataset123"},
        Malformed{"NnunetLabel",
                  {"export", "nnunet", "--cases", "cases", "--out", "Dataset001_x", "--labels",
                   "tumor,lever"},
                  2,
                  "liver"},
        Malformed{"NnunetDamaged",
                  {"export", "nnunet", "--cases", "cases", "--out", "Dataset001_x"},
                  1,
                  "mask.nii.gz"}),
    testing::PrintToStringParamName());

}  // namespace
}  // namespace guidegen
