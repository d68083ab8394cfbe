#include <gmock/gmock.h>
#include <torch/torch.h>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/stages/segment_ct.hpp"
#include "guidegen/train/trainer.hpp"
#include "train/toy_dataset.hpp"

namespace guidegen {
namespace {

class SegmenterTraining : public ::testing::Test {
 protected:
  SegmenterTraining() : dataset_(toy::toy_dataset(folder_.path() / "data", 5)) {}

  void run(const std::string& name, int64_t steps, bool resume) const {
    torch::manual_seed(11);
    const Json network =
        parse_json(R"({"channels": [8, 16], "head_width": 8, "crop": 16, "window": 16})", "test");
    TrainingConfig config;
    config.steps = steps;
    config.log_every = 1;
    config.checkpoint_every = 2;
    config.preview_every = 2;
    config.validation_share = 0;
    config.optimizer.warmup_steps = 2;
    train(*make_segmenter_task(network, "test", dataset_.vocabulary()), dataset_, config,
          {folder_.path() / name, resume});
  }
  std::string file(const std::string& name) const { return read_file(folder_.path() / name); }

  TemporaryFolder folder_;
  Dataset dataset_;
};

TEST_F(SegmenterTraining, ResumedRunEqualsAnUninterruptedOneBitForBit) {
  run("whole", 4, false);
  run("killed", 4, false);
  std::filesystem::remove_all(folder_ / "killed/checkpoints/step-4");
  std::filesystem::remove_all(folder_ / "killed/model");
  run("killed", 4, true);
  EXPECT_EQ(file("killed/model/segmenter.safetensors"), file("whole/model/segmenter.safetensors"));
  EXPECT_EQ(file("killed/checkpoints/step-4/optimizer.safetensors"),
            file("whole/checkpoints/step-4/optimizer.safetensors"));
}

TEST_F(SegmenterTraining, ModelDirectoryHoldsTheSegmenterAndJoins) {
  run("run", 2, false);
  const auto model = folder_ / "run/model";
  EXPECT_EQ(parse_json(file("run/config.json"), "config")["stage"], "segmenter");
  EXPECT_TRUE(parse_json(file("run/model/model.json"), "model")["stages"].contains("segmenter"));
  join_models({model}, folder_ / "joined", "fp32");
  for (const auto& directory : {model, folder_ / "joined"}) {
    const auto segmenter = SegmenterModel::load(directory);
    const Volume mask = segmenter.segment(dataset_.read_case_ct(0));
    EXPECT_EQ(mask.data.sizes(), (std::vector<int64_t>{1, 16, 16, 16}));
  }
  // The spacing of the data set came with the weights: another one is resampled to it.
  const auto segmenter = SegmenterModel::load(model);
  Volume fine{torch::full({1, 40, 40, 40}, -1000.0), centered_geometry({40, 40, 40}, {2, 2, 2})};
  int64_t windows = 0;
  segmenter.segment(fine, {}, [&](int64_t, int64_t total) { windows = total; });
  EXPECT_EQ(windows, 1);  // 14 voxels of 6 mm along each axis
}

TEST_F(SegmenterTraining, AModelWithoutOneIsRefused) {
  const auto demo = std::filesystem::path(GUIDEGEN_SOURCE_DIR) / "models/demo";
  EXPECT_THAT([&] { SegmenterModel::load(demo); },
              throws_usage(::testing::HasSubstr("guidegen train segmenter")));
}

}  // namespace
}  // namespace guidegen
