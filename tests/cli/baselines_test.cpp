#include <gmock/gmock.h>
#include <torch/torch.h>

#include "cli/run_program.hpp"
#include "guidegen/data/dataset.hpp"
#include "guidegen/volume/nifti.hpp"
#include "guidegen/volume/resample.hpp"
#include "train/toy_dataset.hpp"

namespace guidegen::testing_support {
namespace {

namespace fs = std::filesystem;

/// The presets of configs/baselines: what each is given when it samples.
struct Baseline {
  const char* name;
  bool mask = true;
  bool pixels = false;
  bool coarse = false;
};

class Baselines : public ::testing::TestWithParam<Baseline> {
 protected:
  ProgramResult run(std::vector<std::string> words) const {
    return run_program(std::move(words), folder_.path());
  }
  /// Small networks, two steps.
  void train(const std::string& stage, std::vector<std::string> words,
             const std::vector<std::string>& network) const {
    words.insert(words.begin(), {"train", stage, "--data", "data", "--device", "cpu"});
    words.insert(words.end(), network.begin(), network.end());
    for (const char* word : {"training.steps=2", "training.batch=2", "training.preview_every=0",
                             "training.validation_share=0", "training.optimizer.warmup_steps=1"}) {
      words.push_back(word);
    }
    const auto result = run(words);
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }

  TemporaryFolder folder_;
};

TEST_P(Baselines, TrainsAndSamples) {
  const Baseline& baseline = GetParam();
  const auto dataset = toy::toy_dataset(folder_.path() / "data", 3);
  std::vector<std::string> options = {"--config", std::string("baselines/") + baseline.name,
                                      "--out", "run"};
  std::string model = "run/model";
  if (!baseline.pixels) {
    train("stage2", {"--out", "two"},
          {"network.half_width=8", "network.quarter_width=8", "network.blocks=1",
           "network.full_width=4", "network.crop=16"});
    options.insert(options.end(), {"--autoencoder", "two/model"});
  }
  train("stage3", options, {"network.unet.channels=[8,16]", "network.mask_width=8"});
  if (!baseline.pixels) {
    const auto joined = run({"export", "model", "two/model", "run/model", "--out", "both"});
    ASSERT_EQ(joined.exit_code, 0) << joined.err;
    model = "both";
  }
  write_file_atomic(folder_.path() / "prompts.json",
                    R"([{"id": "asked", "sex": "male", "size": [16, 16, 16],
                         "spacing_mm": [6, 6, 6]}])");
  std::vector<std::string> words = {"sample",       "stage3", "--model",   model,     "--prompts",
                                    "prompts.json", "--out",  "ct.nii.gz", "--steps", "2",
                                    "--device",     "cpu"};
  if (baseline.mask) {
    words.insert(words.end(), {"--mask", (dataset.cases()[0].folder / "mask.nii.gz").string()});
  }
  if (baseline.coarse) {
    const Volume ct = dataset.read_case_ct(0);
    write_ct(folder_.path() / "coarse.nii.gz",
             resample_ct(ct, respaced(ct.geometry, {12, 12, 12})));
    const auto without = run(words);
    EXPECT_EQ(without.exit_code, 2);
    EXPECT_THAT(without.err, ::testing::HasSubstr("refines coarse CTs"));
    words.insert(words.end(), {"--coarse", "coarse.nii.gz"});
  }
  const auto sampled = run(words);
  ASSERT_EQ(sampled.exit_code, 0) << sampled.err;
  const Volume made = read_ct(folder_.path() / "ct.nii.gz");
  EXPECT_EQ(made.geometry.size, (std::array<int64_t, 3>{16, 16, 16}));
  EXPECT_GT(made.data.std().item<double>(), 0);
}

INSTANTIATE_TEST_SUITE_P(All, Baselines,
                         ::testing::Values(Baseline{"pinaya", false}, Baseline{"generatect", false},
                                           Baseline{"medsyn-low", false, true},
                                           Baseline{"medsyn", true, true, true}, Baseline{"maisi"},
                                           Baseline{"zhuang"}, Baseline{"med-ddpm", true, true}),
                         [](const auto& tested) {
                           std::string name = tested.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace guidegen::testing_support
