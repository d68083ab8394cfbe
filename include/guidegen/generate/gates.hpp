#pragma once

#include <string>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/data/tumor_census.hpp"
#include "guidegen/generate/gate_settings.hpp"
#include "guidegen/prompt/prompt.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// One check of a sampled mask or CT.
struct Gate {
  std::string name;  ///< key of GateSettings: "tumor_organ", "organ_volumes"…
  GateAction action = GateAction::kRetry;
  double penalty = 0;  ///< 0 when passed; how many things are wrong, to rank attempts
  Json wanted = Json::object();
  Json measured = Json::object();
  Json details = Json();  ///< each figure with its limits, where there are many
  bool passed() const { return penalty == 0; }
};

struct GateReport {
  std::vector<Gate> gates;  ///< those that apply to the prompt
  std::vector<FoundTumor> tumors;
  /// Of the gates whose action is to retry; the others only report.
  bool passed() const;
  double penalty() const;
};

/// Checks a mask [1,D,H,W] against its prompt. What the prompt leaves open is not checked:
/// - tumor_organ: each organ asked for has a tumor, and no tumor lies elsewhere;
/// - tumor_count: each organ has the count asked for, or at least as many as the counts given where
///   one is open;
/// - tumor_position: each position asked for has its tumors, and, where all requests for an organ
///   name positions, no tumor of that organ lies at another one;
/// - organs_present: each organ with a published volume (anatomy/organ_facts.hpp) of min_voxels in
///   the smaller sex has a voxel;
/// - organ_volumes: each of those is within `deviations` of its published volume for the sex (of
///   either where it is open), volumes being log-normal. Tumors that touch an organ may be part of
///   it. Adults only: a prompt whose age is below 18 is not checked.
/// The organ gates do not apply to a mask that sees less than 90 % of `trained` along some axis:
/// organs may lie outside then, or be cut.
GateReport check_mask(const Volume& mask, const Prompt& prompt, const ImageGeometry& trained,
                      const Vocabulary& vocabulary, const GateSettings& settings);

/// Checks a CT (HU, [1,D,H,W]) against its mask, the tumors found there and its prompt:
/// - organ_hu: the median of each organ is within `deviations` times the published spread of the
///   published HU in the phase of the prompt, or of any phase where it is open;
/// - tumor_visible: |mean HU of a tumor - mean HU of its host organ nearby| is min_contrast_hu or
///   more, as the mean over the tumors of the case. Some tumors look like their host in some phase.
std::vector<Gate> check_ct(const Volume& ct, const Volume& mask, const Prompt& prompt,
                           const std::vector<FoundTumor>& tumors, const Vocabulary& vocabulary,
                           const GateSettings& settings);

Json to_json(const Gate& gate);  ///< {"name", "action", "passed", "wanted", "measured", "details"}
Json to_json(const FoundTumor& tumor);  ///< {"organ", "position", "diameter_mm", "volume_ml", …}

}  // namespace guidegen
