#include <torch/torch.h>

#include <numbers>

#include "guidegen/stages/tumor_plan.hpp"

namespace guidegen {

namespace {

constexpr int64_t kMixture = 4;
constexpr int64_t kHidden = 64;
constexpr int64_t kMaxGroups = 3;
constexpr int64_t kMaxCount = 8;
constexpr double kUnit = 100.0;  // mm; keeps the network's numbers near one
// position one-hot, sex (open, female, male), age given and value, size given and value
constexpr int64_t kFeatures = kTumorPositionCount + 3 + 2 + 2;
constexpr int kPlacementTries = 50;  // of one tumor
constexpr int kGroupTries = 20;      // of all tumors that one request names

std::vector<float> tumor_features(TumorPosition position, const Prompt& prompt,
                                  std::optional<double> size_mm) {
  std::vector<float> f(kFeatures, 0.0F);
  f[static_cast<size_t>(position)] = 1.0F;
  size_t at = kTumorPositionCount;
  f[at + (prompt.sex ? 1 + static_cast<size_t>(*prompt.sex) : 0)] = 1.0F;
  at += 3;
  if (prompt.age) {
    f[at] = 1.0F;
    f[at + 1] = (static_cast<float>(*prompt.age) - 55.0F) / 20.0F;
  }
  at += 2;
  if (size_mm) {
    f[at] = 1.0F;
    f[at + 1] = static_cast<float>(std::log(*size_mm / 30.0));
  }
  return f;
}

at::Tensor stack_rows(const std::vector<std::vector<float>>& rows) {
  std::vector<at::Tensor> tensors;
  for (const auto& row : rows) tensors.push_back(torch::tensor(row));
  return torch::stack(tensors);
}

int64_t draw(const at::Tensor& logits, RandomStream& stream) {
  const auto p = torch::softmax(logits.detach().to(at::kCPU, at::kDouble), -1).contiguous();
  return stream.choice({p.data_ptr<double>(), p.data_ptr<double>() + p.numel()});
}

at::Tensor nll(const at::Tensor& logits, int64_t value) {
  return -torch::log_softmax(logits, -1)[value];
}

// Log density of a normal with mean and log standard deviation `log_scale`.
at::Tensor log_normal_density(const at::Tensor& x, const at::Tensor& mean,
                              const at::Tensor& log_scale) {
  return -0.5 * ((x - mean) * torch::exp(-log_scale)).square() - log_scale -
         0.5 * std::log(2.0 * std::numbers::pi);
}

}  // namespace

TumorPlannerImpl::TumorPlannerImpl() {
  group_logits_ = register_parameter("group_logits", torch::zeros({kMaxGroups + 1}));
  organ_logits_ = register_parameter("organ_logits", torch::zeros({kTumorOrganCount}));
  count_logits_ = register_parameter("count_logits", torch::zeros({kTumorOrganCount, kMaxCount}));
  position_logits_ = register_parameter("position_logits", torch::zeros({kTumorPositionCount}));
  hidden1_ = register_module("hidden1", torch::nn::Linear(kFeatures, kHidden));
  hidden2_ = register_module("hidden2", torch::nn::Linear(kHidden, kHidden));
  center_ = register_module("center", torch::nn::Linear(kHidden, kMixture * 7));
  size_ = register_module("size", torch::nn::Linear(kHidden, 2));
}

TumorPlannerImpl::Mixture TumorPlannerImpl::center_mixture(const at::Tensor& features) {
  const auto h = torch::silu(hidden2_(torch::silu(hidden1_(features))));
  const auto out = center_(h).view({-1, kMixture, 7});
  return {torch::log_softmax(out.select(2, 0), 1), out.slice(2, 1, 4),
          // A floor of 3 mm keeps the likelihood from collapsing onto single training tumors.
          out.slice(2, 4, 7).clamp(std::log(3.0 / kUnit), std::log(2.0))};
}

at::Tensor TumorPlannerImpl::loss(const std::vector<Prompt>& prompts,
                                  const std::vector<TumorPlan>& plans) {
  std::vector<std::vector<float>> with_size, without_size, centers;
  std::vector<float> log_sizes;
  auto total = torch::zeros({});
  for (size_t i = 0; i < plans.size(); ++i) {
    std::map<TumorPosition, int64_t> groups;
    for (const auto& tumor : plans[i]) {
      ++groups[tumor.position];
      with_size.push_back(tumor_features(tumor.position, prompts[i], tumor.diameter_mm));
      without_size.push_back(tumor_features(tumor.position, prompts[i], std::nullopt));
      centers.push_back({static_cast<float>(tumor.center_mm[0] / kUnit),
                         static_cast<float>(tumor.center_mm[1] / kUnit),
                         static_cast<float>(tumor.center_mm[2] / kUnit)});
      log_sizes.push_back(static_cast<float>(std::log(tumor.diameter_mm / 30.0)));
    }
    total = total + nll(group_logits_, std::min<int64_t>(int64_t(groups.size()), kMaxGroups));
    for (const auto& [position, count] : groups) {
      const auto organ = organ_of(position);
      total = total + nll(organ_logits_, static_cast<int64_t>(organ)) +
              nll(count_logits_[static_cast<int64_t>(organ)], std::min(count, kMaxCount) - 1);
      std::vector<int64_t> siblings;
      int64_t own = 0;
      for (const auto candidate : positions_of(organ)) {
        if (candidate == position) own = static_cast<int64_t>(siblings.size());
        siblings.push_back(static_cast<int64_t>(candidate));
      }
      total = total + nll(position_logits_.index_select(0, torch::tensor(siblings)), own);
    }
  }
  total = total / double(std::max<size_t>(1, plans.size()));
  if (centers.empty()) return total;
  const auto mixture = center_mixture(stack_rows(with_size));
  const auto log_density =
      log_normal_density(stack_rows(centers).unsqueeze(1), mixture.mean, mixture.log_scale).sum(2);
  total = total - torch::logsumexp(mixture.log_weight + log_density, 1).mean();
  const auto size = size_(torch::silu(hidden2_(torch::silu(hidden1_(stack_rows(without_size))))));
  return total - log_normal_density(torch::tensor(log_sizes), size.select(1, 0),
                                    size.select(1, 1).clamp(-3.0, 1.0))
                     .mean();
}

at::Tensor TumorPlannerImpl::log_density(const PlannedTumor& tumor, const Prompt& prompt,
                                         const at::Tensor& centers_mm) {
  const torch::NoGradGuard no_grad;
  const auto mixture =
      center_mixture(stack_rows({tumor_features(tumor.position, prompt, tumor.diameter_mm)}));
  const auto of_each = log_normal_density((centers_mm / kUnit).to(at::kFloat).unsqueeze(1),
                                          mixture.mean, mixture.log_scale)
                           .sum(2);
  return torch::logsumexp(mixture.log_weight + of_each, 1);
}

PlannedTumor TumorPlannerImpl::describe_tumor(const TumorRequest& request, const Prompt& prompt,
                                              RandomStream& stream) {
  const auto choices = positions_of(request.organ);
  std::vector<int64_t> siblings;
  for (const auto candidate : choices) siblings.push_back(static_cast<int64_t>(candidate));
  PlannedTumor tumor;
  tumor.organ = request.organ;
  tumor.position = request.position
                       ? *request.position
                       : choices[static_cast<size_t>(draw(
                             position_logits_.index_select(0, torch::tensor(siblings)), stream))];
  if (request.size_mm) {
    tumor.diameter_mm = *request.size_mm;
    return tumor;
  }
  const auto f = stack_rows({tumor_features(tumor.position, prompt, std::nullopt)});
  const auto size = size_(torch::silu(hidden2_(torch::silu(hidden1_(f)))));
  const double log_size = stream.normal(size[0][0].item<double>(),
                                        std::exp(std::clamp(size[0][1].item<double>(), -3.0, 0.7)));
  tumor.diameter_mm = std::clamp(30.0 * std::exp(log_size), 8.0, 120.0);
  return tumor;
}

bool TumorPlannerImpl::place_tumor(PlannedTumor tumor, const Prompt& prompt,
                                   const ImageGeometry& geometry, RandomStream& stream,
                                   TumorPlan& plan) {
  const auto mixture =
      center_mixture(stack_rows({tumor_features(tumor.position, prompt, tumor.diameter_mm)}));
  for (int attempt = 0; attempt < kPlacementTries; ++attempt) {
    const int64_t component = draw(mixture.log_weight[0], stream);
    for (size_t axis = 0; axis < 3; ++axis) {
      const auto k = static_cast<int64_t>(axis);
      tumor.center_mm[axis] =
          kUnit * stream.normal(mixture.mean[0][component][k].item<double>(),
                                std::exp(mixture.log_scale[0][component][k].item<double>()));
    }
    if (!has_room(tumor, plan, geometry)) continue;
    plan.push_back(tumor);
    return true;
  }
  return false;
}

void TumorPlannerImpl::place_group(const TumorRequest& request, const Prompt& prompt,
                                   const ImageGeometry& geometry, RandomStream& stream,
                                   TumorPlan& plan) {
  const int64_t count = request.count
                            ? *request.count
                            : 1 + draw(count_logits_[static_cast<int64_t>(request.organ)], stream);
  // The first tumors of a group may leave no room for the others, so a group that does not fit is
  // placed anew from its start.
  TumorPlan fullest = plan;
  for (int attempt = 0; attempt < kGroupTries; ++attempt) {
    TumorPlan candidate = plan;
    int64_t placed = 0;
    while (placed < count && place_tumor(describe_tumor(request, prompt, stream), prompt, geometry,
                                         stream, candidate)) {
      ++placed;
    }
    if (candidate.size() > fullest.size()) fullest = candidate;
    if (placed == count) break;
  }
  plan = fullest;
}

TumorPlan TumorPlannerImpl::sample(const Prompt& prompt, const ImageGeometry& geometry,
                                   RandomStream& stream) {
  const torch::NoGradGuard no_grad;
  TumorPlan plan;
  if (prompt.tumors) {
    for (const auto& request : *prompt.tumors) place_group(request, prompt, geometry, stream, plan);
    return plan;
  }
  const int64_t groups = draw(group_logits_, stream);
  for (int64_t i = 0; i < groups; ++i) {
    TumorRequest request;
    request.organ = static_cast<TumorOrgan>(draw(organ_logits_, stream));
    place_group(request, prompt, geometry, stream, plan);
  }
  return plan;
}

}  // namespace guidegen
