#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <string>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/prompt/prompt.hpp"
#include "guidegen/text/token_batch.hpp"
#include "guidegen/volume/geometry.hpp"

namespace guidegen {

/// Parts of a mask that are known before sampling and come out as they are.
struct GivenLabels {
  at::Tensor labels;  ///< [D,H,W] uint8 (uint16 above 256 labels), RAS
  at::Tensor fixed;   ///< [D,H,W] bool: true where `labels` is kept
  /// Labels that are complete: none but the fixed voxels get them.
  std::vector<int> complete;
};

/// How a mask is drawn. Absent values mean what the model was tuned for.
struct MaskSampling {
  int64_t steps = 0;                  ///< network calls; 0: the model's own
  std::optional<double> temperature;  ///< of the labels drawn; below 1 prefers likely ones
  std::optional<double> guidance;     ///< 1: plain conditional; above: stronger
  std::optional<double> exponent;     ///< steps are as dense as t^exponent, see NoiseSchedule
  /// Times of the network calls as shares of the schedule, the first 1 (pure noise), then
  /// decreasing and above 0; empty: `steps` of them, spaced by `exponent`.
  std::vector<double> times;
  /// Further network calls on the finished mask in each round of votes, whose answers under fresh
  /// noise are averaged.
  std::optional<int64_t> votes;
  /// Tumors are planned anew where the emerging anatomy does not match their plan (PlanSettler).
  bool settle = true;
  /// The last step takes the most likely labels and gives every tumor its planned volume
  /// (grow_tumors), instead of drawing each voxel.
  bool majority = true;
};

/// Everything that a sampled mask depends on beside the weights.
struct MaskRequest {
  Prompt prompt;
  ImageGeometry geometry;
  uint64_t seed = 0;
  std::string case_id;
  MaskSampling sampling;
  std::optional<TextFeatures> text;        ///< of the prompt in words, where the network reads it
  const Vocabulary* vocabulary = nullptr;  ///< needed to settle the plan and for `given`
  const GivenLabels* given = nullptr;
  bool graphed = false;  ///< replay network calls as CUDA graphs
};

}  // namespace guidegen
