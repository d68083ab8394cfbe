#pragma once

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/stages/tumor_plan.hpp"

namespace guidegen {

/// Keeps a tumor plan true to the anatomy that sampling brings forth. A plan is drawn before there
/// is any anatomy, so that a center may come to lie in the lobe or organ next door. As soon as the
/// predicted mask shows where the organs will be, tumors that would not be found where they were
/// asked for are placed anew: in the host organ, where the planner expects them most.
class PlanSettler {
 public:
  /// `planner` and `vocabulary` outlive this. `blocked`, when defined, is bool [D,H,W]: voxels that
  /// cannot become tumor.
  PlanSettler(TumorPlanner planner, const Prompt& prompt, const ImageGeometry& geometry,
              const Vocabulary& vocabulary, RandomStream stream, at::Tensor blocked = {});

  /// Moves tumors of `plan` in place; those that are right, given, or find no better place stay.
  /// `anatomy`: predicted labels [D,H,W] on the CPU without tumors. Says whether one moved.
  bool settle(TumorPlan& plan, const at::Tensor& anatomy);

 private:
  // Whether a ball in place of the tumor would be found in the right organ and position.
  bool fits(const PlannedTumor& tumor, const TumorPlan& others, const at::Tensor& anatomy) const;
  bool move(PlannedTumor& tumor, const TumorPlan& others, const at::Tensor& anatomy);
  struct Candidates {
    at::Tensor centers_mm;        ///< [N,3] float32
    std::vector<double> weights;  ///< [N], not all zero unless N = 0
  };
  Candidates candidates(const PlannedTumor& tumor, const at::Tensor& anatomy);

  TumorPlanner planner_;
  Prompt prompt_;
  ImageGeometry geometry_;
  const Vocabulary& vocabulary_;
  RandomStream stream_;
  at::Tensor blocked_;
};

}  // namespace guidegen
