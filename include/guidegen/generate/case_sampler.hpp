#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "guidegen/core/json.hpp"
#include "guidegen/prompt/prompt.hpp"
#include "guidegen/stages/model.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// What the pipeline needs of a model. An interface, so that the pipeline knows nothing of networks
/// and its tests need no weights. Results may depend on the arguments (and settings()) alone.
class CaseSampler {
 public:
  virtual ~CaseSampler() = default;

  virtual const Vocabulary& vocabulary() const = 0;
  /// Grid of prompts that ask for none.
  virtual ImageGeometry default_geometry() const = 0;
  /// Grid that `prompt` asks for. Throws Error(kUsage) for one that can't be made.
  virtual ImageGeometry geometry_for(const Prompt& prompt) const = 0;
  /// SHA-256 of each weight file, by file name.
  virtual std::map<std::string, std::string> weight_hashes() const = 0;
  /// Sampling options that decide the result, as the manifest records them.
  virtual Json settings() const = 0;
  /// Rough peak of memory in bytes while a case of this grid is made, weights included.
  virtual int64_t memory_estimate(const ImageGeometry& geometry) const = 0;

  /// uint8 (uint16 above 256 labels) [1,D,H,W].
  virtual Volume sample_mask(const Prompt& prompt, const std::string& case_id, uint64_t seed,
                             const StepCallback& on_step) = 0;
  /// float32 HU [1,D,H,W] on the grid of `mask`.
  virtual Volume sample_ct(const Prompt& prompt, const Volume& mask, const std::string& case_id,
                           uint64_t seed, const StepCallback& on_step) = 0;
};

/// A model directory as CaseSampler.
class ModelSampler : public CaseSampler {
 public:
  /// Throws Error(kUsage) naming `source`, where the model came from, when a stage is missing.
  ModelSampler(Model model, const std::string& source, MaskSampling mask_options,
               CtSampling ct_options);

  const Vocabulary& vocabulary() const override { return model_.vocabulary(); }
  ImageGeometry default_geometry() const override { return model_.geometry(); }
  ImageGeometry geometry_for(const Prompt& prompt) const override;
  std::map<std::string, std::string> weight_hashes() const override;
  Json settings() const override;
  int64_t memory_estimate(const ImageGeometry& geometry) const override;
  Volume sample_mask(const Prompt& prompt, const std::string& case_id, uint64_t seed,
                     const StepCallback& on_step) override;
  Volume sample_ct(const Prompt& prompt, const Volume& mask, const std::string& case_id,
                   uint64_t seed, const StepCallback& on_step) override;

 private:
  Model model_;
  MaskSampling mask_options_;
  CtSampling ct_options_;
};

}  // namespace guidegen
