#pragma once

#include <functional>
#include <map>
#include <string>

#include "guidegen/core/random_stream.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/generate/case_sampler.hpp"
#include "guidegen/generate/gate_settings.hpp"

namespace guidegen::testing_support {

/// A sampler without networks: every label is a box in a grid of slots, tumors are small boxes
/// inside the organ that the prompt names, the CT is the labels in HU plus noise of the seed.
class FakeSampler : public CaseSampler {
 public:
  FakeSampler() : vocabulary_(Vocabulary::load("torso")) {}

  /// Called at the start of sample_mask / sample_ct; may throw, or kill the process.
  std::function<void(const std::string&case_id, uint64_t seed)> on_mask, on_ct;
  /// Tumors to draw instead of those asked for.
  std::function<int(const std::string& case_id, uint64_t seed, int wanted)> tumor_count;
  /// HU of tumors, instead of what their label gives.
  std::function<int(const std::string& case_id, uint64_t seed)> tumor_hu;
  std::map<std::string, std::string> weights = {{"stage1.safetensors", "aa"}};
  Json options = {{"steps", 3}};
  int masks_made = 0;
  int cts_made = 0;

  const Vocabulary& vocabulary() const override { return vocabulary_; }
  ImageGeometry default_geometry() const override {
    return centered_geometry({32, 32, 32}, {12, 12, 12});
  }
  ImageGeometry geometry_for(const Prompt&) const override { return default_geometry(); }
  std::map<std::string, std::string> weight_hashes() const override { return weights; }
  Json settings() const override { return options; }
  int64_t memory_estimate(const ImageGeometry& geometry) const override {
    return geometry.voxels() * 4;
  }

  Volume sample_mask(const Prompt& prompt, const std::string& case_id, uint64_t seed,
                     const StepCallback& on_step) override {
    ++masks_made;
    if (on_mask) on_mask(case_id, seed);
    if (on_step) on_step(1, 2);
    Volume mask{at::ones({1, 32, 32, 32}, at::kByte), default_geometry()};
    for (int id = 2; id < vocabulary_.size(); ++id) {
      if (id != vocabulary_.tumor()) draw_box(mask, id, id, 1, 7);
    }
    if (prompt.tumors) {
      for (const TumorRequest& request : *prompt.tumors) draw_tumors(mask, request, case_id, seed);
    }
    // Something that depends on the seed and touches no organ.
    mask.data[0][0][0][static_cast<int64_t>(seed % 32)] = 0;
    return mask;
  }

  Volume sample_ct(const Prompt&, const Volume& mask, const std::string& case_id, uint64_t seed,
                   const StepCallback& on_step) override {
    ++cts_made;
    if (on_ct) on_ct(case_id, seed);
    if (on_step) on_step(2, 2);
    RandomStream stream(seed, case_id, "fake/ct");
    at::Tensor noise = at::empty(mask.data.sizes(), at::kFloat);
    stream.fill_normal(noise.mutable_data_ptr<float>(), noise.numel());
    at::Tensor hu = (mask.data.to(at::kFloat) * 10 - 100 + noise * 8).round();
    if (tumor_hu) hu.masked_fill_(mask.data.eq(vocabulary_.tumor()), tumor_hu(case_id, seed));
    return {hu, mask.geometry};
  }

 private:
  /// Fills voxels [low, high) along each axis of the 8-cube that is slot `slot`.
  static void draw_box(Volume& mask, int slot, int id, int low, int high) {
    const int64_t x = slot % 4 * 8, y = slot / 4 % 4 * 8, z = slot / 16 * 8;
    mask.data.slice(1, z + low, z + high)
        .slice(2, y + low, y + high)
        .slice(3, x + low, x + high)
        .fill_(id);
  }

  void draw_tumors(Volume& mask, const TumorRequest& request, const std::string& case_id,
                   uint64_t seed) const {
    const bool left = request.position == TumorPosition::kKidneyLeft;
    const std::map<TumorOrgan, std::string> hosts = {
        {TumorOrgan::kLung, "lung_upper_left"},
        {TumorOrgan::kLiver, "liver"},
        {TumorOrgan::kKidney, left ? "kidney_left" : "kidney_right"},
        {TumorOrgan::kColon, "colon"},
        {TumorOrgan::kPancreas, "pancreas"}};
    int count = request.count.value_or(1);
    if (tumor_count) count = tumor_count(case_id, seed, count);
    const int host = vocabulary_.id(hosts.at(request.organ));
    if (count > 0) draw_box(mask, host, vocabulary_.tumor(), 1, 3);
    if (count > 1) draw_box(mask, host, vocabulary_.tumor(), 4, 6);
  }

  Vocabulary vocabulary_;
};

/// The shipped gates but that of volumes: all organs of the fake sampler are equal boxes.
inline GateSettings fake_gates() {
  GateSettings gates = GateSettings::shipped();
  gates.organ_volumes.action = GateAction::kOff;
  return gates;
}

inline TumorRequest tumor_in(TumorOrgan organ, std::optional<TumorPosition> position = {},
                             std::optional<int> count = {}) {
  TumorRequest request;
  request.organ = organ;
  request.position = position;
  request.count = count;
  return request;
}

inline Prompt prompt_named(const std::string& id, uint64_t seed = 7) {
  Prompt prompt;
  prompt.id = id;
  prompt.seed = seed;
  return prompt;
}

}  // namespace guidegen::testing_support
