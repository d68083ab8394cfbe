#include <torch/torch.h>

#include "guidegen/core/error.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/nn/device_transfer.hpp"
#include "guidegen/nn/module_io.hpp"
#include "guidegen/nn/random_tensor.hpp"
#include "guidegen/stages/generator_training.hpp"
#include "guidegen/stages/pixel_space.hpp"
#include "guidegen/train/latent_cache.hpp"
#include "guidegen/volume/labels.hpp"
#include "guidegen/volume/resample.hpp"
#include "train/task_tools.hpp"

namespace guidegen {

namespace {

// What turns CTs into latents: a frozen autoencoder, or, with none, the reordering of pixel space.
struct Encoder {
  HdrAutoencoder network{nullptr};
  std::string fingerprint = "pixels";  // of weights and configuration
  std::optional<LatentStatistics> statistics;

  int64_t channels() const { return network ? network->config().latent_channels : kPixelChannels; }
};

HdrAutoencoderImpl::Posterior encode(HdrAutoencoder& network, const TrainingCase& item) {
  constexpr double kNoVariance = -60;  // its logarithm
  if (network) return posterior_of(network, item);
  const auto folded = fold_pixels({item.ct.unsqueeze(0), item.geometry});
  return {folded, torch::full_like(folded, kNoVariance)};
}

class GeneratorTask final : public StageTask {
 public:
  GeneratorTask(const FeatureGeneratorConfig& config, const Encoder& encoder,
                const Vocabulary& vocabulary, const std::filesystem::path& latents)
      : vocabulary_(vocabulary),
        encoder_(encoder),
        training_(FeatureGenerator(config, vocabulary_, encoder.channels())),
        latents_(latents, encoder.fingerprint,
                 [this](const TrainingCase& item) { return encode(encoder_.network, item); }),
        coarse_latents_(latents, concat(encoder.fingerprint, " coarse ", config.low_resolution),
                        [this](const TrainingCase& item) { return encode_coarse(item); }) {}

  int stage() const override { return 3; }
  torch::nn::Module& module() override { return *training_; }
  bool needs_ct() const override { return true; }
  void measure(const CaseReader& read, const std::vector<size_t>& training, uint64_t) override {
    auto statistics = encoder_.statistics;
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
    const auto& config = generator()->config();
    std::vector<at::Tensor> means, log_variances, coarse;
    for (size_t i = 0; i < inputs.cases.size(); ++i) {
      const auto& latents = latents_.load(*inputs.cases[i]);
      means.push_back(crop(latents.mean, inputs, i));
      if (config.sample_posterior) log_variances.push_back(crop(latents.log_variance, inputs, i));
      if (config.low_resolution > 0) {
        coarse.push_back(crop(coarse_latents_.load(*inputs.cases[i]).mean, inputs, i));
      }
    }
    auto latents = torch::cat(means);
    if (config.sample_posterior) {
      const HdrAutoencoderImpl::Posterior posterior{latents, torch::cat(log_variances)};
      latents = posterior.sample(inputs.tensor("posterior_noise"));
    }
    return training_->loss(inputs, latents, coarse.empty() ? at::Tensor() : torch::cat(coarse));
  }
  void to(const at::Device& device) override {
    StageTask::to(device);
    if (!encoder_.network) return;
    encoder_.network->to(device);
    if (device.is_cuda()) order_channels_last(*encoder_.network);
  }
  void checkpoint_activations(const std::vector<int64_t>& levels) override {
    generator()->checkpoint_activations(levels);
  }
  Picture preview(const TrainingCase& item) override {
    const auto& config = generator()->config();
    // Of a large case what a training step would see: its middle.
    const auto grid =
        config.crop ? center_cropped_or_padded(item.geometry, *config.crop) : item.geometry;
    LatentRequest request;
    request.prompt = item.prompt;
    request.mask = resample_mask({item.mask.unsqueeze(0), item.geometry}, grid);
    request.seed = kPreviewSeed;
    request.case_id = item.id;
    request.steps = config.sampling_steps;
    if (config.low_resolution > 0) {
      TrainingCase middle = item;
      middle.geometry = grid;
      middle.ct = resample_ct({item.ct.to(at::kFloat).unsqueeze(0), item.geometry}, grid).data[0];
      request.coarse = encode_coarse(middle).mean;
    }
    const auto latents = generator()->sample(request);
    const Volume ct = encoder_.network ? decode_ct(encoder_.network, latents, request.mask)
                                       : unfold_pixels(latents, grid);
    return render_preview(&ct, &request.mask, vocabulary_);
  }
  Json network_config() const override { return training_->network()->config().to_json(); }
  std::string network_prefix() const override { return "network."; }
  std::vector<std::string> measured_weights() const override {
    return {"label_weights", "network.latent_"};
  }
  int64_t latent_channels() const override { return encoder_.channels(); }

 private:
  FeatureGenerator& generator() { return training_->network(); }

  // The crop of a case's latents that a step looks at, on its device.
  static at::Tensor crop(at::Tensor latents, const StepInputs& inputs, size_t index) {
    const auto& noise = inputs.tensor("noise");
    for (int64_t axis = 0; axis < 3; ++axis) {
      latents = latents.narrow(2 + axis, inputs.origins[index][static_cast<size_t>(axis)],
                               noise.size(2 + axis));
    }
    return queue_to(latents.contiguous(), noise.device());
  }

  HdrAutoencoderImpl::Posterior encode_coarse(const TrainingCase& item) {
    TrainingCase coarse = item;
    const Volume ct{item.ct.to(at::kFloat).unsqueeze(0), item.geometry};
    coarse.ct = coarsened(ct, generator()->config().low_resolution).data[0];
    return encode(encoder_.network, coarse);
  }

  void count_labels_of(const CaseReader& read, const std::vector<size_t>& training) {
    constexpr size_t kCases = 200;
    auto counts = torch::zeros({vocabulary_.size()}, at::kLong);
    for (const auto index : spread(training, kCases)) {
      counts += count_labels(read(index)->mask, vocabulary_.size());
    }
    training_->set_label_counts(counts);
  }

  const Vocabulary& vocabulary_;
  Encoder encoder_;
  GeneratorTraining training_;
  LatentCache latents_;
  LatentCache coarse_latents_;  // of low_resolution
};

Encoder read_encoder(const std::filesystem::path& autoencoder, const Vocabulary& vocabulary) {
  const auto description = read_model_description(autoencoder);
  const auto stage2 = description.stages.find(2);
  if (stage2 == description.stages.end()) {
    throw_usage(autoencoder.string(), ": holds no stage 2, expected a trained autoencoder");
  }
  if (description.vocabulary.size() != vocabulary.size()) {
    throw_usage(autoencoder.string(), ": its vocabulary has ", description.vocabulary.size(),
                " labels, the data set's ", vocabulary.size());
  }
  Encoder encoder;
  encoder.network =
      HdrAutoencoder(HdrAutoencoderConfig::from_json(JsonObject(
                         stage2->second.config, autoencoder.string(), "stages.2.config")),
                     vocabulary.size());
  auto& network = encoder.network;
  load_module(autoencoder / stage2->second.weights, *network);
  network->eval();
  for (auto& parameter : network->parameters()) parameter.set_requires_grad(false);
  encoder.fingerprint = sha256_hex(concat(sha256_file(autoencoder / stage2->second.weights),
                                          network->config().to_json().dump()));
  encoder.statistics = stage2->second.latent_statistics;
  return encoder;
}

}  // namespace

std::unique_ptr<StageTask> make_generator_task(const Json& network, const std::string& source,
                                               const Vocabulary& vocabulary,
                                               const std::filesystem::path& autoencoder,
                                               const std::filesystem::path& latents) {
  const auto config = FeatureGeneratorConfig::from_json(network_object(network, source));
  if (config.space == "pixels") {
    if (!autoencoder.empty()) {
      throw_usage("--autoencoder: ", source, " asks for network.space=pixels, which needs none");
    }
    return std::make_unique<GeneratorTask>(config, Encoder(), vocabulary, latents);
  }
  if (autoencoder.empty()) {
    throw_usage("--autoencoder: missing, expected the model directory of a trained stage 2");
  }
  return std::make_unique<GeneratorTask>(config, read_encoder(autoencoder, vocabulary), vocabulary,
                                         latents);
}

}  // namespace guidegen
