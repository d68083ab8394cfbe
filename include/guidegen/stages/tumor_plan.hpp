#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include <vector>

#include "guidegen/core/random_stream.hpp"
#include "guidegen/data/tumor_census.hpp"
#include "guidegen/prompt/prompt.hpp"
#include "guidegen/volume/geometry.hpp"

namespace guidegen {

/// A tumor before there is a mask: where its center shall be, and how large it shall be.
struct PlannedTumor {
  TumorOrgan organ = TumorOrgan::kLung;
  TumorPosition position = TumorPosition::kLungLeftUpper;
  Vec3 center_mm{};        ///< RAS, relative to the center of the field of view
  double diameter_mm = 0;  ///< of the ball of the same volume
  bool given = false;      ///< part of the mask already: it stays where it is
};
using TumorPlan = std::vector<PlannedTumor>;

/// The plan that a finished mask realises; tumors outside the five organs are left out.
TumorPlan plan_of(const std::vector<FoundTumor>& tumors, const ImageGeometry& geometry);

/// Whether `tumor` lies inside the field of view of `geometry` and at least two voxels away from
/// every tumor of `others`.
bool has_room(const PlannedTumor& tumor, const TumorPlan& others, const ImageGeometry& geometry);

/// World position of the center of the field of view.
Vec3 center_of(const ImageGeometry& geometry);

inline constexpr int64_t kPlanChannels = kTumorOrganCount + 1;

/// The plan drawn on a grid `factor` times coarser than `geometry` (sizes rounded up): one channel
/// an organ with a soft-edged ball for each tumor (1 inside, 0 outside), and one channel of wide
/// halos that point the way. [6,D/f,H/f,W/f] float32.
at::Tensor rasterize_plan(const TumorPlan& plan, const ImageGeometry& geometry, int64_t factor);

inline constexpr double kMaxPlanLogOdds = 4;

/// What the plan says of each voxel: log odds (nats) of tumor, [D,H,W] float32. For the planned
/// ball that says most, of radius r and at distance d: (1 - d/r) / 0.13, at most 4 either way; -4
/// everywhere for an empty plan. Outlines of tumors differ from balls in proportion to their
/// radius; 0.13 is the logistic slope found on phantoms of 5 to 50 mm.
at::Tensor plan_log_odds(const TumorPlan& plan, const ImageGeometry& geometry);

/// p(plan | prompt): a mixture density network (Bishop, 1994) for the center given organ, position,
/// size, sex and age, a log-normal for open sizes, and categorical distributions for what else is
/// open. Planning where tumors go before the voxels are drawn decides their number and place once,
/// instead of by luck in a narrow band of noise levels.
class TumorPlannerImpl : public torch::nn::Module {
 public:
  TumorPlannerImpl();

  /// Mean negative log-likelihood (nats) of the plans, one prompt a plan. Scalar with gradient.
  at::Tensor loss(const std::vector<Prompt>& prompts, const std::vector<TumorPlan>& plans);

  /// Draws a plan that keeps what `prompt` says. Tumors keep a gap of two voxels of `geometry` and
  /// lie inside its field of view; tumors that find no room in many tries are left out.
  TumorPlan sample(const Prompt& prompt, const ImageGeometry& geometry, RandomStream& stream);

  /// log p(center | position and size of `tumor`, sex, age) in nats, float32 [N], of the centers
  /// [N,3] (mm as PlannedTumor::center_mm), up to a constant.
  at::Tensor log_density(const PlannedTumor& tumor, const Prompt& prompt,
                         const at::Tensor& centers_mm);

 private:
  struct Mixture {
    at::Tensor log_weight;  ///< [N,M]
    at::Tensor mean;        ///< [N,M,3] in units of 100 mm
    at::Tensor log_scale;   ///< [N,M,3]
  };
  Mixture center_mixture(const at::Tensor& features);
  void place_group(const TumorRequest& request, const Prompt& prompt, const ImageGeometry& geometry,
                   RandomStream& stream, TumorPlan& plan);
  bool place_tumor(PlannedTumor tumor, const Prompt& prompt, const ImageGeometry& geometry,
                   RandomStream& stream, TumorPlan& plan);
  PlannedTumor describe_tumor(const TumorRequest& request, const Prompt& prompt,
                              RandomStream& stream);

  at::Tensor group_logits_, organ_logits_, count_logits_, position_logits_;
  torch::nn::Linear hidden1_{nullptr}, hidden2_{nullptr}, center_{nullptr}, size_{nullptr};
};
TORCH_MODULE(TumorPlanner);

}  // namespace guidegen
