// `guidegen sample stage2` with the model that ships, on small volumes.
#include <gmock/gmock.h>

#include "cli/run_program.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/nn/safetensors.hpp"
#include "guidegen/stages/latent_file.hpp"
#include "guidegen/volume/nifti.hpp"
#include "train/toy_dataset.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing_support::ProgramResult;
using testing_support::run_program;

class SampleStage2 : public ::testing::Test {
 protected:
  SampleStage2() { toy::toy_dataset(folder_.path() / "data", 2); }

  ProgramResult run(std::vector<std::string> more) const {
    more.insert(more.begin(), {"sample", "stage2", "--model", GUIDEGEN_SOURCE_DIR "/models/demo",
                               "--device", "cpu"});
    return run_program(more, folder_.path());
  }
  ProgramResult succeed(std::vector<std::string> more) const {
    auto result = run(std::move(more));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result;
  }
  void fail(std::vector<std::string> more, int code, const std::string& culprit) const {
    const auto result = run(std::move(more));
    EXPECT_EQ(result.exit_code, code);
    EXPECT_THAT(result.err, ::testing::StartsWith("guidegen: error: "));
    EXPECT_THAT(result.err, HasSubstr(culprit));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
  at::Tensor ct(const std::string& path) const { return read_ct(folder_.path() / path).data; }

  const std::string ct_ = "data/toy-0/ct.nii.gz", mask_ = "data/toy-0/mask.nii.gz";
  TemporaryFolder folder_;
};

TEST_F(SampleStage2, EncodesAndDecodesToWhatItReconstructs) {
  const auto made = succeed({"--ct", ct_, "--mask", mask_, "--out", "new/whole.nii.gz", "--json"});
  EXPECT_TRUE(parse_json(made.out, "stdout")["error"]["overall"]["mae_hu"].is_number());
  EXPECT_THAT(made.err, HasSubstr("16 x 16 x 16 voxels take up to"));
  succeed({"--ct", ct_, "--encode-only", "--out", "ct.safetensors"});
  succeed({"--decode", "ct.safetensors", "--mask", mask_, "--out", "guided.nii.gz"});
  succeed({"--decode", "ct.safetensors", "--out", "free.nii.gz"});
  EXPECT_TRUE(ct("guided.nii.gz").equal(ct("new/whole.nii.gz")));
  EXPECT_FALSE(ct("free.nii.gz").equal(ct("guided.nii.gz")));
  const auto latents = read_latents(folder_.path() / "ct.safetensors");
  EXPECT_EQ(latents.mean.sizes(), (std::vector<int64_t>{1, 4, 4, 4, 4}));
  EXPECT_TRUE(latents.log_variance.defined());
  EXPECT_TRUE(same_geometry(latents.geometry, read_ct(folder_.path() / ct_).geometry));
}

TEST_F(SampleStage2, WorksThroughFolders) {
  const auto made = succeed({"--data", "data", "--out", "rebuilt", "--json"});
  EXPECT_EQ(parse_json(made.out, "stdout")["cases"].size(), 2U);
  succeed({"--data", "data", "--encode-only", "--out", "latents"});
  succeed({"--decode", "latents", "--mask", "data", "--out", "decoded"});
  succeed({"--data", "data", "--unguided", "--out", "free"});
  for (const std::string id : {"toy-0", "toy-1"}) {
    EXPECT_TRUE(ct("decoded/" + id + "/ct.nii.gz").equal(ct("rebuilt/" + id + "/ct.nii.gz")));
    EXPECT_FALSE(ct("free/" + id + "/ct.nii.gz").equal(ct("rebuilt/" + id + "/ct.nii.gz")));
  }
}

TEST_F(SampleStage2, SaysWhatIsWrongInOneLine) {
  const std::string out = "out.nii.gz";
  fail({"--out", out}, 2, "one of --ct, --data and --decode");
  fail({"--ct", ct_, "--data", "data", "--out", out}, 2, "one of --ct, --data and --decode");
  fail({"--ct", ct_, "--out", out, "--memory", "lots"}, 2, "expected a size such as 8GiB");
  fail({"--ct", ct_, "--out", out, "--memory", "100MB"}, 2, "expected at least");
  fail({"--ct", ct_, "--encode-only", "--out", out}, 2, ".safetensors");
  fail({"--ct", ct_, "--out", "out.safetensors"}, 2, ".nii.gz");
  fail({"--ct", ct_, "--encode-only", "--mask", mask_, "--out", "a.safetensors"}, 2, "--mask");
  fail({"--data", "data", "--mask", mask_, "--out", "o"}, 2, "--unguided");
  fail({"--decode", "a.safetensors", "--encode-only", "--out", "b.safetensors"}, 2, "--decode");
  fail({"--decode", "nowhere.safetensors", "--out", out}, 1, "nowhere.safetensors");
  fail({"--decode", "data", "--out", "o"}, 2, "latents.safetensors");
  EXPECT_FALSE(fs::exists(folder_.path() / out));
}

TEST_F(SampleStage2, RefusesLatentsOfAnotherAutoencoder) {
  succeed({"--ct", ct_, "--encode-only", "--out", "ct.safetensors"});
  auto latents = read_latents(folder_.path() / "ct.safetensors");
  latents.weights_sha256[0] = latents.weights_sha256[0] == 'a' ? 'b' : 'a';
  write_latents(folder_.path() / "ct.safetensors", latents);
  const auto result = run({"--decode", "ct.safetensors", "--out", "out.nii.gz"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("ct.safetensors"));
  EXPECT_THAT(result.err, HasSubstr("autoencoder"));
}

}  // namespace
}  // namespace guidegen
