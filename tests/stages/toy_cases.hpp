#pragma once

#include <torch/torch.h>

#include "guidegen/data/loader.hpp"
#include "guidegen/stages/autoencoder_training.hpp"

namespace guidegen::toy {

/// A box-shaped patient with one tumor in the liver: enough to run the networks on.
inline std::shared_ptr<const TrainingCase> toy_case(const std::array<int64_t, 3>& size,
                                                    const Vocabulary& vocabulary,
                                                    const std::string& id = "toy") {
  auto result = std::make_shared<TrainingCase>();
  result->id = id;
  result->geometry = centered_geometry(size, {6, 6, 6});
  const auto dhw = to_dhw(size);
  result->mask = torch::zeros({dhw[0], dhw[1], dhw[2]}, at::kByte);
  const auto box = [&](int64_t margin) {
    return result->mask.slice(0, margin, dhw[0] - margin)
        .slice(1, margin, dhw[1] - margin)
        .slice(2, margin, dhw[2] - margin);
  };
  box(1).fill_(vocabulary.body());
  box(4).fill_(vocabulary.id("liver"));
  box(6).fill_(vocabulary.tumor());
  result->ct = torch::full({dhw[0], dhw[1], dhw[2]}, -1000, at::kShort);
  result->ct.masked_fill_(result->mask > 0, 40);
  result->ct.masked_fill_(result->mask == vocabulary.tumor(), 400);
  result->prompt.id = id;
  result->prompt.sex = Sex::kMale;
  result->prompt.age = 60;
  TumorRequest request;
  request.organ = TumorOrgan::kLiver;
  request.position = TumorPosition::kLiverRight;
  request.count = 1;
  request.size_mm = 24;
  result->prompt.tumors = {request};
  FoundTumor tumor;
  tumor.component.diameter_mm = 24;
  tumor.organ = TumorOrgan::kLiver;
  tumor.position = TumorPosition::kLiverRight;
  result->tumors = {tumor};
  return result;
}

/// Weights of a network that has been trained for a while: those of a new one are zero in places,
/// which hides what comes in.
inline void randomize(torch::nn::Module& module) {
  for (auto& parameter : module.parameters()) torch::nn::init::normal_(parameter, 0.0, 0.2);
}

inline HdrAutoencoderConfig tiny_autoencoder() {
  HdrAutoencoderConfig config;
  config.half_width = 8;
  config.quarter_width = 8;
  config.blocks = 1;
  config.full_width = 4;
  config.crop = 16;
  return config;
}

/// Names of parameters that got no gradient, or one with values that are not finite.
inline std::vector<std::string> parameters_without_gradient(const torch::nn::Module& module) {
  std::vector<std::string> names;
  for (const auto& item : module.named_parameters()) {
    if (!item.value().requires_grad()) continue;  // frozen on purpose
    const auto& gradient = item.value().grad();
    if (!gradient.defined() || !gradient.isfinite().all().item<bool>()) names.push_back(item.key());
  }
  return names;
}

}  // namespace guidegen::toy
