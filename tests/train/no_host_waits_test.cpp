#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include "guidegen/stages/autoencoder_training.hpp"
#include "guidegen/stages/generator_training.hpp"
#include "guidegen/stages/segmenter.hpp"
#include "guidegen/stages/synthesizer.hpp"
#include "guidegen/train/optimizer.hpp"
#include "stages/toy_cases.hpp"
#include "train/meta_kernels.hpp"

// A training step on the `meta` device, whose tensors have no values: reading one, or mixing it
// with a tensor that was left on the CPU, throws. A step that goes through therefore never makes
// the CPU wait for a GPU. Copies towards the device are counted besides, as those work there.

namespace guidegen {
namespace {

/// Copies between the CPU and another device while alive, on this thread (which is also where
/// backward passes of meta tensors run).
class CopyCounter {
 public:
  CopyCounter() {
    counts() = {};
    handle_ = at::addThreadLocalCallback(
        at::RecordFunctionCallback(count).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
  }
  ~CopyCounter() { at::removeCallback(handle_); }
  CopyCounter(const CopyCounter&) = delete;
  CopyCounter& operator=(const CopyCounter&) = delete;

  struct Counts {
    int64_t blocking = 0;  ///< copies that would wait for the device
    int64_t queued = 0;
    int64_t queued_bytes = 0;
  };
  static Counts& counts() {
    static thread_local Counts all;
    return all;
  }

 private:
  static std::unique_ptr<at::ObserverContext> count(const at::RecordFunction& call) {
    if (std::string(call.name()) != "aten::copy_") return nullptr;
    const auto inputs = call.inputs();
    const auto& target = inputs[0].toTensor();
    const auto& source = inputs[1].toTensor();
    if (target.is_cpu() == source.is_cpu()) return nullptr;
    if (inputs[2].toBool()) {
      ++counts().queued;
      counts().queued_bytes += static_cast<int64_t>(source.nbytes());
    } else {
      ++counts().blocking;
    }
    return nullptr;
  }

  at::CallbackHandle handle_ = 0;
};

TEST(CopyCounter, SeesCopiesThatWaitAndCopiesThatDoNot) {
  const CopyCounter counter;
  const auto x = torch::ones({3});
  x.to(at::kMeta);
  EXPECT_EQ(CopyCounter::counts().blocking, 1);
  x.to(at::kMeta, /*non_blocking=*/true);
  x.clone();
  EXPECT_EQ(CopyCounter::counts().blocking, 1);
  EXPECT_EQ(CopyCounter::counts().queued, 1);
  EXPECT_EQ(CopyCounter::counts().queued_bytes, 12);
}

TEST(MetaTensors, HaveNoValuesToWaitFor) {
  EXPECT_ANY_THROW(torch::ones({}, at::kMeta).item<float>());
  EXPECT_ANY_THROW(torch::ones({2}, at::kMeta).to(at::kCPU));
  EXPECT_ANY_THROW(torch::ones({2}, at::kMeta) + torch::ones({2}));
}

class NoHostWaits : public ::testing::Test {
 protected:
  NoHostWaits() : vocabulary_(Vocabulary::load("torso")) {
    unet_.channels = {8, 16};
    unet_.attention_from = 0;
  }

  TrainingBatch batch() const {
    return {toy::toy_case({16, 20, 18}, vocabulary_, "a"),
            toy::toy_case({16, 20, 18}, vocabulary_, "b")};
  }

  /// Two steps; the first may move tables to the device that stay there.
  template <typename Stage, typename Loss>
  void expect_no_waits(Stage& stage, const Loss& loss) {
    toy::meta::to_meta(*stage, "planner.");  // the planner lives on the CPU
    Optimizer optimizer(*stage, {}, 10);
    for (int64_t step = 0; step < 2; ++step) {
      StepInputs inputs = stage->prepare(batch(), {1, step});
      inputs.to(at::Device(at::kMeta));
      const CopyCounter counter;
      const LossTerms terms = loss(inputs);
      EXPECT_TRUE(terms.total.is_meta());
      for (const auto& [name, part] : terms.parts) EXPECT_TRUE(part.is_meta()) << name;
      terms.total.backward();
      EXPECT_TRUE(optimizer.apply(step).is_meta());
      if (step == 0) continue;
      EXPECT_EQ(CopyCounter::counts().blocking, 0);
      // CUDA takes up to 64 KiB into a command of its own, without a look at the queue.
      EXPECT_LT(CopyCounter::counts().queued_bytes, 64 << 10);
    }
  }

  Vocabulary vocabulary_;
  UNet3dConfig unet_;
};

TEST_F(NoHostWaits, StageOne) {
  SynthesizerConfig config;
  config.unet = unet_;
  Synthesizer stage(config, vocabulary_.size(), vocabulary_.tumor());
  expect_no_waits(stage, [&](const StepInputs& inputs) { return stage->loss(inputs); });
}

TEST_F(NoHostWaits, StageTwo) {
  for (const char* bottleneck : {"kl", "vq"}) {
    SCOPED_TRACE(bottleneck);
    auto config = toy::tiny_autoencoder();
    config.bottleneck = bottleneck;
    config.losses.adversary.weight = 0.1;
    config.losses.adversary.start_step = 1;
    config.losses.adversary.layers = 2;
    AutoencoderTraining stage(HdrAutoencoder(config, vocabulary_.size()), vocabulary_.tumor());
    expect_no_waits(stage, [&](const StepInputs& inputs) {
      auto terms = stage->loss(inputs);
      stage->end_step({}, RandomStream(1, "step", "codes"));
      return terms;
    });
  }
}

TEST_F(NoHostWaits, Segmenter) {
  SegmenterConfig config;
  config.channels = {8, 16};
  config.crop = 16;
  guidegen::Segmenter network(config, vocabulary_.size(), vocabulary_.tumor());
  expect_no_waits(network, [&](const StepInputs& inputs) { return network->loss(inputs); });
}

TEST_F(NoHostWaits, StageThree) {
  for (const char* objective : {"flow", "epsilon", "v"}) {
    SCOPED_TRACE(objective);
    FeatureGeneratorConfig config;
    config.unet = unet_;
    config.mask_width = 8;
    config.objective = objective;
    config.losses.organ_balance = 0.3;
    config.losses.tumor_weight = 4;
    config.losses.tumor_contrast = 0.1;
    GeneratorTraining stage(FeatureGenerator(config, vocabulary_, 4));
    expect_no_waits(stage, [&](const StepInputs& inputs) {
      return stage->loss(inputs, torch::empty_like(inputs.tensor("noise")));
    });
  }
}

}  // namespace
}  // namespace guidegen
