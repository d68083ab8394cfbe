#include <torch/torch.h>

#include "guidegen/core/error.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/nn/device_transfer.hpp"
#include "guidegen/nn/module_io.hpp"
#include "guidegen/nn/random_tensor.hpp"
#include "guidegen/stages/generator_training.hpp"
#include "guidegen/train/latent_cache.hpp"
#include "guidegen/volume/labels.hpp"
#include "train/task_tools.hpp"

namespace guidegen {

namespace {

// The frozen autoencoder that stage III makes latents for.
struct FrozenAutoencoder {
  HdrAutoencoder network;
  std::string fingerprint;  // of weights and configuration
  std::optional<LatentStatistics> statistics;
};

class GeneratorTask final : public StageTask {
 public:
  GeneratorTask(const FeatureGeneratorConfig& config, const FrozenAutoencoder& autoencoder,
                const Vocabulary& vocabulary, const std::filesystem::path& latents)
      : vocabulary_(vocabulary),
        autoencoder_(autoencoder.network),
        statistics_(autoencoder.statistics),
        training_(FeatureGenerator(config, vocabulary_, autoencoder_->config().latent_channels)),
        latents_(latents, autoencoder.fingerprint,
                 [this](const TrainingCase& item) { return posterior_of(autoencoder_, item); }) {}

  int stage() const override { return 3; }
  torch::nn::Module& module() override { return *training_; }
  bool needs_ct() const override { return true; }
  void measure(const CaseReader& read, const std::vector<size_t>& training, uint64_t) override {
    auto statistics = statistics_;
    if (!statistics) {
      LatentMoments moments;
      for (const auto index : spread(training, kLatentCases)) {
        moments.add(latents_.load(*read(index)).mean);
      }
      statistics = moments.finish();
    }
    generator()->set_latent_statistics(torch::tensor(statistics->mean),
                                       torch::tensor(statistics->deviation));
    if (generator()->config().losses.organ_balance > 0) count_labels_of(read, training);
  }
  StepInputs prepare(const TrainingBatch& batch, const StepRandomness& randomness) const override {
    auto inputs = training_->prepare(batch, randomness);
    if (training_->network()->config().sample_posterior) {
      std::vector<at::Tensor> noises;
      const auto shape = inputs.tensor("noise").sizes().slice(1).vec();
      for (size_t i = 0; i < batch.size(); ++i) {
        auto stream = randomness.stream("stage3/posterior", i);
        noises.push_back(random_normal(stream, shape));
      }
      inputs.tensors["posterior_noise"] = torch::stack(noises);
    }
    return inputs;
  }
  LossTerms loss(const StepInputs& inputs) override {
    const auto shape = inputs.tensor("noise").sizes();
    std::vector<at::Tensor> means, log_variances;
    const bool samples = generator()->config().sample_posterior;
    for (size_t i = 0; i < inputs.cases.size(); ++i) {
      const auto& latents = latents_.load(*inputs.cases[i]);
      const auto crop = [&](at::Tensor x) {
        for (int64_t axis = 0; axis < 3; ++axis) {
          x = x.narrow(2 + axis, inputs.origins[i][static_cast<size_t>(axis)], shape[2 + axis]);
        }
        return queue_to(x.contiguous(), inputs.tensor("noise").device());
      };
      means.push_back(crop(latents.mean));
      if (samples) log_variances.push_back(crop(latents.log_variance));
    }
    if (!samples) return training_->loss(inputs, torch::cat(means));
    const HdrAutoencoderImpl::Posterior posterior{torch::cat(means), torch::cat(log_variances)};
    return training_->loss(inputs, posterior.sample(inputs.tensor("posterior_noise")));
  }
  void to(const at::Device& device) override {
    StageTask::to(device);
    autoencoder_->to(device);
    if (device.is_cuda()) order_channels_last(*autoencoder_);
  }
  void checkpoint_activations(const std::vector<int64_t>& levels) override {
    generator()->checkpoint_activations(levels);
  }
  Picture preview(const TrainingCase& item) override {
    LatentRequest request;
    request.prompt = item.prompt;
    request.mask = {item.mask.unsqueeze(0), item.geometry};
    request.seed = kPreviewSeed;
    request.case_id = item.id;
    request.steps = generator()->config().sampling_steps;
    const Volume ct = decode_ct(autoencoder_, generator()->sample(request), request.mask);
    return render_preview(&ct, &request.mask, vocabulary_);
  }
  Json network_config() const override { return training_->network()->config().to_json(); }
  std::string network_prefix() const override { return "network."; }
  std::vector<std::string> measured_weights() const override {
    return {"label_weights", "network.latent_"};
  }
  int64_t latent_channels() const override { return autoencoder_->config().latent_channels; }

 private:
  FeatureGenerator& generator() { return training_->network(); }

  void count_labels_of(const CaseReader& read, const std::vector<size_t>& training) {
    constexpr size_t kCases = 200;
    auto counts = torch::zeros({vocabulary_.size()}, at::kLong);
    for (const auto index : spread(training, kCases)) {
      counts += count_labels(read(index)->mask, vocabulary_.size());
    }
    training_->set_label_counts(counts);
  }

  const Vocabulary& vocabulary_;
  HdrAutoencoder autoencoder_;
  std::optional<LatentStatistics> statistics_;
  GeneratorTraining training_;
  LatentCache latents_;
};

}  // namespace

std::unique_ptr<StageTask> make_generator_task(const Json& network, const std::string& source,
                                               const Vocabulary& vocabulary,
                                               const std::filesystem::path& autoencoder,
                                               const std::filesystem::path& latents) {
  const auto config = FeatureGeneratorConfig::from_json(network_object(network, source));
  const auto description = read_model_description(autoencoder);
  const auto stage2 = description.stages.find(2);
  if (stage2 == description.stages.end()) {
    throw_usage(autoencoder.string(), ": holds no stage 2, expected a trained autoencoder");
  }
  if (description.vocabulary.size() != vocabulary.size()) {
    throw_usage(autoencoder.string(), ": its vocabulary has ", description.vocabulary.size(),
                " labels, the data set's ", vocabulary.size());
  }
  HdrAutoencoder network2(HdrAutoencoderConfig::from_json(JsonObject(
                              stage2->second.config, autoencoder.string(), "stages.2.config")),
                          vocabulary.size());
  load_module(autoencoder / stage2->second.weights, *network2);
  network2->eval();
  for (auto& parameter : network2->parameters()) parameter.set_requires_grad(false);
  const auto fingerprint = sha256_hex(concat(sha256_file(autoencoder / stage2->second.weights),
                                             network2->config().to_json().dump()));
  return std::make_unique<GeneratorTask>(
      config, FrozenAutoencoder{network2, fingerprint, stage2->second.latent_statistics},
      vocabulary, latents);
}

}  // namespace guidegen
