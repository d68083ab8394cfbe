#pragma once

#include <filesystem>
#include <memory>

#include "guidegen/stages/model_directory.hpp"
#include "guidegen/stages/stage.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {

/// What the trainer needs to know of a stage.
class StageTask {
 public:
  virtual ~StageTask() = default;
  virtual int stage() const = 0;
  virtual torch::nn::Module& module() = 0;
  virtual bool needs_ct() const = 0;
  virtual LossTerms loss(const TrainingBatch& batch, const StepRandomness& randomness) = 0;
  /// A picture of what the network makes of `item`, for people who watch the run.
  virtual Picture preview(const TrainingCase& item) = 0;
  /// Network configuration with every default filled in.
  virtual Json network_config() const = 0;
  /// Prefixes of the weights that were measured on the data set before the first step. They stay
  /// when a run starts from the weights of another model.
  virtual std::vector<std::string> measured_weights() const { return {}; }
  /// Of the autoencoder that latents come from; 0 where there is none.
  virtual int64_t latent_channels() const { return 0; }
};

/// Gives the task's network the weights of the same stage in `model`, a model directory, all but
/// the measured ones, and returns the SHA-256 of the file they came from. Throws Error(kUsage) when
/// there is no such stage or the vocabulary has another size, Error(kFailure) when a tensor does
/// not fit.
std::string start_from(StageTask& task, const std::filesystem::path& model, int64_t labels);

/// `network` may be null (all defaults). Throws Error(kUsage) for unknown or wrong keys.
/// The tumor planner is fitted to the training cases of `dataset` at once, from `seed`.
std::unique_ptr<StageTask> make_synthesizer_task(const Json& network, const std::string& source,
                                                 const Dataset& dataset,
                                                 const std::vector<size_t>& training,
                                                 uint64_t seed);
std::unique_ptr<StageTask> make_autoencoder_task(const Json& network, const std::string& source,
                                                 const Vocabulary& vocabulary);
/// `autoencoder` is a model directory that holds stage 2; latent statistics come from the first
/// training cases of `dataset`.
std::unique_ptr<StageTask> make_generator_task(const Json& network, const std::string& source,
                                               const Dataset& dataset,
                                               const std::vector<size_t>& training,
                                               const std::filesystem::path& autoencoder);

}  // namespace guidegen
