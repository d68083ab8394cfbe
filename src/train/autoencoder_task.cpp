#include "guidegen/stages/autoencoder_training.hpp"
#include "guidegen/train/collective.hpp"
#include "guidegen/train/latent_cache.hpp"
#include "guidegen/volume/labels.hpp"
#include "guidegen/volume/tissue_classes.hpp"
#include "train/task_tools.hpp"

namespace guidegen {

namespace {

// Voxels between the tissue_borders(), [borders+1] int64.
at::Tensor count_tissues(const at::Tensor& hu) {
  const auto borders = at::tensor(tissue_borders(), at::kFloat);
  const auto tissue = at::bucketize(hu.to(at::kFloat).flatten(), borders, false, /*right=*/true);
  return at::bincount(tissue, {}, borders.numel() + 1);
}

class AutoencoderTask final : public StageTask {
 public:
  AutoencoderTask(const HdrAutoencoderConfig& config, const Vocabulary& vocabulary)
      : vocabulary_(vocabulary),
        training_(HdrAutoencoder(config, vocabulary.size()), vocabulary.tumor()) {}

  int stage() const override { return 2; }
  torch::nn::Module& module() override { return *training_; }
  bool needs_ct() const override { return true; }
  void measure(const CaseReader& read, const std::vector<size_t>& training, uint64_t) override {
    constexpr size_t kCases = 200;
    const auto& losses = training_->network()->config().losses;
    if (losses.organ_balance == 0 && losses.tissue_balance == 0) return;
    auto labels = torch::zeros({vocabulary_.size()}, at::kLong);
    auto tissues = torch::zeros({static_cast<int64_t>(tissue_borders().size()) + 1}, at::kLong);
    for (const auto index : spread(training, kCases)) {
      const auto item = read(index);
      labels += count_labels(item->mask, vocabulary_.size());
      tissues += count_tissues(item->ct);
    }
    training_->set_label_counts(labels);
    training_->set_tissue_counts(tissues);
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
  std::vector<std::string> measured_weights() const override {
    return {"label_weights", "tissue_weights"};
  }
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
