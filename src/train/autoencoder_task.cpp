#include "guidegen/stages/autoencoder_training.hpp"
#include "guidegen/train/collective.hpp"
#include "guidegen/train/latent_cache.hpp"
#include "guidegen/volume/labels.hpp"
#include "train/task_tools.hpp"

namespace guidegen {

namespace {

class AutoencoderTask final : public StageTask {
 public:
  AutoencoderTask(const HdrAutoencoderConfig& config, const Vocabulary& vocabulary)
      : vocabulary_(vocabulary), training_(HdrAutoencoder(config, vocabulary.size())) {}

  int stage() const override { return 2; }
  torch::nn::Module& module() override { return *training_; }
  bool needs_ct() const override { return true; }
  void measure(const CaseReader& read, const std::vector<size_t>& training, uint64_t) override {
    constexpr size_t kCases = 200;
    if (training_->network()->config().losses.organ_balance == 0) return;
    auto counts = torch::zeros({vocabulary_.size()}, at::kLong);
    for (const auto index : spread(training, kCases)) {
      counts += count_labels(read(index)->mask, vocabulary_.size());
    }
    training_->set_label_counts(counts);
  }
  StepInputs prepare(const TrainingBatch& batch, const StepRandomness& randomness) const override {
    return training_->prepare(batch, randomness);
  }
  LossTerms loss(const StepInputs& inputs) override { return training_->loss(inputs); }
  void end_step(Collective& collective, RandomStream random) override {
    const auto& world = collective.world();
    training_->end_step(
        {world.rank, world.size, [&](at::Tensor values) { collective.sum(values); }},
        std::move(random));
  }
  void to(const at::Device& device) override { training_->move_to(device); }
  void checkpoint_activations(const std::vector<int64_t>& levels) override {
    training_->network()->checkpoint_activations(levels);
  }
  Picture preview(const TrainingCase& item) override {
    const Volume ct{item.ct.to(at::kFloat).unsqueeze(0), item.geometry};
    const Volume mask{item.mask.unsqueeze(0), item.geometry};
    const Volume made = reconstruct_ct(training_->network(), ct, &mask);
    return contact_sheet(
        {render_preview(&ct, nullptr, vocabulary_), render_preview(&made, nullptr, vocabulary_)},
        {"original", "reconstruction"}, 1);
  }
  Json network_config() const override { return training_->network()->config().to_json(); }
  std::string network_prefix() const override { return "network."; }
  std::vector<std::string> training_weights() const override { return {"quantizer.training."}; }
  std::vector<std::string> measured_weights() const override { return {"label_weights"}; }
  std::vector<std::string> optional_weights() const override { return {"network.fusion_prior."}; }
  void describe(StageEntry& entry, const CaseReader& read,
                const std::vector<size_t>& training) override {
    LatentMoments moments;
    for (const auto index : spread(training, kLatentCases)) {
      moments.add(posterior_of(training_->network(), *read(index)).mean);
    }
    if (!training.empty()) entry.latent_statistics = moments.finish();
  }

 private:
  const Vocabulary& vocabulary_;
  AutoencoderTraining training_;
};

}  // namespace

std::unique_ptr<StageTask> make_autoencoder_task(const Json& network, const std::string& source,
                                                 const Vocabulary& vocabulary) {
  const auto config = HdrAutoencoderConfig::from_json(network_object(network, source));
  return std::make_unique<AutoencoderTask>(config, vocabulary);
}

}  // namespace guidegen
