#include "guidegen/stages/segment_ct.hpp"
#include "train/task_tools.hpp"

namespace guidegen {

namespace {

class SegmenterTask final : public StageTask {
 public:
  SegmenterTask(const SegmenterConfig& config, const Vocabulary& vocabulary)
      : vocabulary_(vocabulary), network_(config, vocabulary.size(), vocabulary.tumor()) {}

  int stage() const override { return kSegmenter; }
  torch::nn::Module& module() override { return *network_; }
  bool needs_ct() const override { return true; }
  void measure(const CaseReader& read, const std::vector<size_t>& training, uint64_t) override {
    constexpr size_t kCases = 200;
    Vec3 low{}, high{};
    bool first = true;
    for (const auto index : spread(training, kCases)) {
      const auto spacing = read(index)->geometry.spacing;
      for (size_t axis = 0; axis < 3; ++axis) {
        low[axis] = first ? spacing[axis] : std::min(low[axis], spacing[axis]);
        high[axis] = first ? spacing[axis] : std::max(high[axis], spacing[axis]);
      }
      first = false;
    }
    if (!first) network_->set_trained_spacing(low, high);
  }
  StepInputs prepare(const TrainingBatch& batch, const StepRandomness& randomness) const override {
    return network_->prepare(batch, randomness);
  }
  LossTerms loss(const StepInputs& inputs) override { return network_->loss(inputs); }
  void checkpoint_activations(const std::vector<int64_t>& levels) override {
    network_->checkpoint_activations(levels);
  }
  Picture preview(const TrainingCase& item) override {
    const Volume ct{item.ct.to(at::kFloat).unsqueeze(0), item.geometry};
    const Volume mask{item.mask.unsqueeze(0), item.geometry};
    const Volume made = segment_ct(network_, ct);
    return contact_sheet(
        {render_preview(&ct, &mask, vocabulary_), render_preview(&ct, &made, vocabulary_)},
        {"mask", "segmentation"}, 1);
  }
  Json network_config() const override { return network_->config().to_json(); }
  std::vector<std::string> measured_weights() const override { return {"trained_spacing"}; }

 private:
  const Vocabulary& vocabulary_;
  Segmenter network_;
};

}  // namespace

std::unique_ptr<StageTask> make_segmenter_task(const Json& network, const std::string& source,
                                               const Vocabulary& vocabulary) {
  const auto config = SegmenterConfig::from_json(network_object(network, source));
  return std::make_unique<SegmenterTask>(config, vocabulary);
}

}  // namespace guidegen
