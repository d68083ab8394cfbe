#include <torch/torch.h>

#include "guidegen/core/error.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/nn/device_transfer.hpp"
#include "guidegen/nn/module_io.hpp"
#include "guidegen/nn/random_tensor.hpp"
#include "guidegen/stages/feature_generator.hpp"
#include "guidegen/train/latent_cache.hpp"
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
        generator_(config, vocabulary_.size(), autoencoder_->config().latent_channels),
        latents_(latents, autoencoder.fingerprint,
                 [this](const TrainingCase& item) { return posterior_of(autoencoder_, item); }) {}

  int stage() const override { return 3; }
  torch::nn::Module& module() override { return *generator_; }
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
    generator_->set_latent_statistics(torch::tensor(statistics->mean),
                                      torch::tensor(statistics->deviation));
  }
  StepInputs prepare(const TrainingBatch& batch, const StepRandomness& randomness) const override {
    auto inputs = generator_->prepare(batch, randomness);
    if (generator_->config().sample_posterior) {
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
    const auto device = inputs.tensor("mask").device();
    std::vector<at::Tensor> means, log_variances;
    const bool samples = generator_->config().sample_posterior;
    for (const auto& item : inputs.cases) {
      const auto& latents = latents_.load(*item);
      means.push_back(queue_to(latents.mean, device));
      if (samples) log_variances.push_back(queue_to(latents.log_variance, device));
    }
    if (!samples) return generator_->loss(inputs, torch::cat(means));
    const HdrAutoencoderImpl::Posterior posterior{torch::cat(means), torch::cat(log_variances)};
    return generator_->loss(inputs, posterior.sample(inputs.tensor("posterior_noise")));
  }
  void to(const at::Device& device) override {
    StageTask::to(device);
    autoencoder_->to(device);
    if (device.is_cuda()) order_channels_last(*autoencoder_);
  }
  void checkpoint_activations(const std::vector<int64_t>& levels) override {
    generator_->checkpoint_activations(levels);
  }
  Picture preview(const TrainingCase& item) override {
    FeatureGeneratorImpl::Request request;
    request.prompt = item.prompt;
    request.mask = {item.mask.unsqueeze(0), item.geometry};
    request.seed = kPreviewSeed;
    request.case_id = item.id;
    request.steps = generator_->config().sampling_steps;
    const Volume ct = decode_ct(autoencoder_, generator_->sample(request), request.mask);
    return render_preview(&ct, &request.mask, vocabulary_);
  }
  Json network_config() const override { return generator_->config().to_json(); }
  std::vector<std::string> measured_weights() const override { return {"latent_"}; }
  int64_t latent_channels() const override { return autoencoder_->config().latent_channels; }

 private:
  const Vocabulary& vocabulary_;
  HdrAutoencoder autoencoder_;
  std::optional<LatentStatistics> statistics_;
  FeatureGenerator generator_;
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
