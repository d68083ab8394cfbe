#include "guidegen/stages/stage.hpp"

#include <torch/torch.h>

namespace guidegen {

void StepInputs::pin() {
  for (auto& [name, tensor] : tensors) tensor = tensor.pin_memory();
}

void StepInputs::to(const at::Device& device) {
  for (auto& [name, tensor] : tensors) tensor = tensor.to(device, /*non_blocking=*/true);
}

at::Tensor geometry_features(const ImageGeometry& geometry) {
  std::vector<float> values;
  for (const size_t axis : {2U, 1U, 0U}) {
    values.push_back(static_cast<float>(std::log(geometry.spacing[axis] / 3.0)));
  }
  for (const size_t axis : {2U, 1U, 0U}) {
    values.push_back(
        static_cast<float>(geometry.spacing[axis] * double(geometry.size[axis]) / 400.0));
  }
  return torch::tensor(values).unsqueeze(0);
}

PromptFeatures with_round_length(const PromptFeatures& text) {
  constexpr int64_t kMultiple = 16;
  const int64_t extra = (kMultiple - text.tokens.size(1) % kMultiple) % kMultiple;
  return {at::constant_pad_nd(text.tokens, {0, 0, 0, extra}),
          at::constant_pad_nd(text.present, {0, extra}), text.pooled};
}

std::optional<Prompt> drop_fields(const Prompt& prompt, double prompt_dropout, double field_dropout,
                                  RandomStream& stream) {
  if (stream.flip(prompt_dropout)) return std::nullopt;
  Prompt out = prompt;
  if (stream.flip(field_dropout)) out.sex.reset();
  if (stream.flip(field_dropout)) out.age.reset();
  if (stream.flip(field_dropout)) out.race.reset();
  if (stream.flip(field_dropout)) out.contrast.reset();
  if (out.tumors) {
    for (auto& request : *out.tumors) {
      if (stream.flip(field_dropout)) request.position.reset();
      if (stream.flip(field_dropout)) request.count.reset();
      if (stream.flip(field_dropout)) request.size_mm.reset();
      if (stream.flip(field_dropout)) request.stage.reset();
    }
    if (stream.flip(field_dropout / 2)) out.tumors.reset();
  }
  return out;
}

}  // namespace guidegen
