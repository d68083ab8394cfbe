#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "guidegen/stages/model_directory.hpp"
#include "guidegen/stages/stage.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {

class Collective;

/// Reads one case of the data set, from the cache where there is one.
using CaseReader = std::function<std::shared_ptr<const TrainingCase>(size_t index)>;

/// What the trainer needs to know of a stage.
class StageTask {
 public:
  virtual ~StageTask() = default;
  virtual int stage() const = 0;  ///< 1, 2, 3 or kSegmenter
  virtual torch::nn::Module& module() = 0;
  virtual bool needs_ct() const = 0;
  /// Fits or measures on the data set what is not trained step by step. Once, before the first
  /// step, on the CPU and in one process while others wait, so of a large data set some cases do;
  /// checkpoints keep the result.
  virtual void measure(const CaseReader& read, const std::vector<size_t>& training, uint64_t seed);
  /// Draws and lays out what `loss` needs of some cases, on the CPU. Called on a background thread
  /// while `loss` runs.
  virtual StepInputs prepare(const TrainingBatch& batch,
                             const StepRandomness& randomness) const = 0;
  /// `inputs` on the device of the network. Waits for nothing on a GPU, but where stage III sees a
  /// case for the first time and encodes it.
  virtual LossTerms loss(const StepInputs& inputs) = 0;
  /// Moves the network, and what its losses need beside it.
  virtual void to(const at::Device& device);
  /// Resolutions (0 = finest) whose activations are computed again in the backward pass instead of
  /// being kept.
  virtual void checkpoint_activations(const std::vector<int64_t>& levels) = 0;
  /// A picture of what the network makes of `item`, for people who watch the run.
  virtual Picture preview(const TrainingCase& item) = 0;
  /// Network configuration with every default filled in.
  virtual Json network_config() const = 0;
  /// Prefixes of the weights that `measure` sets. They stay when a run starts from the weights of
  /// another model.
  virtual std::vector<std::string> measured_weights() const { return {}; }
  /// Prefixes of the weights of parts that the configuration switches on and off. A run that starts
  /// from another model begins them anew where that has none, and passes over those it lacks.
  virtual std::vector<std::string> optional_weights() const { return {}; }
  /// What the names of the network's own weights start with in `module()`, for modules that hold
  /// more than the network; and prefixes within it of what training alone needs. A model directory
  /// keeps the rest.
  virtual std::string network_prefix() const { return ""; }
  virtual std::vector<std::string> training_weights() const { return {}; }
  /// After each optimizer step, before the next `loss`. `random` is alike in all processes.
  virtual void end_step(Collective& collective, RandomStream random);
  /// Copies the text encoder that the network reads by into `folder` and says what model.json needs
  /// to say of it; nothing where it reads none.
  virtual std::optional<TextEntry> copy_text_encoder(const std::filesystem::path& folder) const;
  /// What the run depends on beside configuration and data; null: nothing.
  virtual Json sources() const { return Json(); }
  /// Of the autoencoder that latents come from; 0 where there is none.
  virtual int64_t latent_channels() const { return 0; }
  /// Adds what model.json says of the network beside configuration and provenance, measured on
  /// training cases with the weights that are shipped. Once, after the last step.
  virtual void describe(StageEntry& entry, const CaseReader& read,
                        const std::vector<size_t>& training);
};

/// The weights that a model directory keeps of a task's module, by the names they have there.
std::map<std::string, at::Tensor> weights_to_keep(const StageTask& task,
                                                  const std::map<std::string, at::Tensor>& state);

/// Gives the task's network the weights of the same stage in `model`, a model directory, all but
/// the measured ones and optional ones that it lacks, and returns the SHA-256 of the file they came
/// from. Throws Error(kUsage) when there is no such stage or the vocabulary has another size,
/// Error(kFailure) when a tensor does not fit.
std::string start_from(StageTask& task, const std::filesystem::path& model, int64_t labels);

/// Where the text encoders of stage I come from.
struct TextModelPaths {
  std::filesystem::path student{};  ///< model directory with a text encoder; empty: none is used
  std::filesystem::path teacher{};  ///< Hugging Face folder; empty: the student's own embeddings
};

/// `network` may be null (all defaults). Throws Error(kUsage) for unknown or wrong keys.
std::unique_ptr<StageTask> make_synthesizer_task(const Json& network, const std::string& source,
                                                 const Vocabulary& vocabulary,
                                                 const TextModelPaths& text = {});
std::unique_ptr<StageTask> make_autoencoder_task(const Json& network, const std::string& source,
                                                 const Vocabulary& vocabulary);
/// `autoencoder` is a model directory that holds stage 2, or empty for pixel space; its latents are
/// kept in the folder `latents`, or in memory alone if that is empty.
std::unique_ptr<StageTask> make_generator_task(const Json& network, const std::string& source,
                                               const Vocabulary& vocabulary,
                                               const std::filesystem::path& autoencoder,
                                               const std::filesystem::path& latents = {});

std::unique_ptr<StageTask> make_segmenter_task(const Json& network, const std::string& source,
                                               const Vocabulary& vocabulary);

}  // namespace guidegen
