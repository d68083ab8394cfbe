#pragma once

#include <functional>

#include "guidegen/stages/plan_settler.hpp"
#include "guidegen/stages/synthesizer.hpp"

namespace guidegen {

/// Draws one mask from a synthesizer: plans the tumors, walks the categorical diffusion backwards,
/// keeps the plan true to the anatomy that comes forth (PlanSettler), and gives each tumor its
/// planned volume at the end (grow_tumors). Tumors appear only where the plan has one: voxels
/// beyond 1.5 radii of every planned tumor never become tumor.
class MaskSampler {
 public:
  MaskSampler(SynthesizerImpl& synthesizer, const MaskRequest& request);

  /// Labels [D,H,W] on the CPU. `on_step` hears of each network call.
  at::Tensor run(const std::function<void(int64_t, int64_t)>& on_step);

 private:
  at::Tensor start();
  at::Tensor step(const at::Tensor& x, int64_t t, int64_t s);
  at::Tensor finish(const at::Tensor& logits);
  at::Tensor vote(const at::Tensor& x, double share, int64_t votes);
  // Logits without what a voxel's own label says.
  at::Tensor call_network(const at::Tensor& x, const at::Tensor& time);
  at::Tensor call_network(const at::Tensor& x, const at::Tensor& time,
                          const SynthesizerImpl::Condition& condition);
  // Takes the plan's share out of the tumor logits, settles the plan, and puts its share back.
  void settle(at::Tensor& logits, int64_t t);
  void forbid(at::Tensor& logits) const;
  void use_plan();
  void read_given();
  void plan_given_tumors();
  std::vector<int64_t> times() const;
  at::Tensor keep_given(const at::Tensor& x, int64_t s);
  at::Tensor cropped(const at::Tensor& x) const;

  SynthesizerImpl& synthesizer_;
  const MaskRequest& request_;
  at::Device device_;
  RandomStream noise_;
  double guidance_, temperature_;
  TumorPlan plan_;
  std::optional<PlanSettler> settler_;
  SynthesizerImpl::Condition with_, without_;
  at::Tensor no_tumor_;       // [1,D,H,W] bool, where no tumor may be
  at::Tensor given_, fixed_;  // [1,D,H,W], padded; undefined when nothing is given
};

}  // namespace guidegen
