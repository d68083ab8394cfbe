#include "guidegen/text/attribute_encoder.hpp"

#include <torch/torch.h>

namespace guidegen {

namespace {

// Rows of the one embedding table. Each attribute has a row for "open" followed by its values.
constexpr int64_t kSexRow = 0;                                         // open, female, male
constexpr int64_t kAgeRow = kSexRow + 3;                               // open, given
constexpr int64_t kRaceRow = kAgeRow + 2;                              // open, five values
constexpr int64_t kContrastRow = kRaceRow + 6;                         // open, four values
constexpr int64_t kTumorsRow = kContrastRow + 5;                       // open, none, some
constexpr int64_t kOrganRow = kTumorsRow + 3;                          // five organs
constexpr int64_t kPositionRow = kOrganRow + kTumorOrganCount;         // open, positions
constexpr int64_t kCountRow = kPositionRow + 1 + kTumorPositionCount;  // open, 1…20
constexpr int64_t kSizeRow = kCountRow + 21;                           // open, given
constexpr int64_t kStageRow = kSizeRow + 2;                            // open, 1…4
constexpr int64_t kNoPromptRow = kStageRow + 5;
constexpr int64_t kRows = kNoPromptRow + 1;

constexpr size_t kMaxRequests = 8;

template <typename T>
int64_t row_of(int64_t base, const std::optional<T>& value) {
  return value ? base + 1 + static_cast<int64_t>(*value) : base;
}

}  // namespace

int stage_number(const std::optional<std::string>& stage) {
  if (!stage) return 0;
  std::string roman;
  for (const char c : *stage) {
    if (c >= '1' && c <= '4') return c - '0';
    if (c == 'I' || c == 'V') roman += c;
  }
  if (roman == "I") return 1;
  if (roman == "II") return 2;
  if (roman == "III") return 3;
  return roman == "IV" ? 4 : 0;
}

AttributeEncoderImpl::AttributeEncoderImpl(int64_t width) : width_(width) {
  category_ = register_module("category", torch::nn::Embedding(kRows, width));
  age_ = register_module("age", torch::nn::Linear(2, width));
  request_numbers_ = register_module("request_numbers", torch::nn::Linear(2, width));
  norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({width})));
  pooled_ = register_module("pooled", torch::nn::Linear(width, width));
}

at::Tensor AttributeEncoderImpl::request_token(const TumorRequest& request) {
  const auto device = category_->weight.device();
  const int64_t count_row =
      request.count ? kCountRow + std::clamp(*request.count, 1, 20) : kCountRow;
  const std::vector<int64_t> rows = {kOrganRow + static_cast<int64_t>(request.organ),
                                     row_of(kPositionRow, request.position), count_row,
                                     request.size_mm ? kSizeRow + 1 : kSizeRow,
                                     kStageRow + stage_number(request.stage)};
  auto token = category_(torch::tensor(rows, device)).sum(0);
  if (request.size_mm) {
    const auto size = static_cast<float>(std::log(*request.size_mm / 30.0));
    token = token + request_numbers_(torch::tensor({size, size * size}, device));
  }
  return token;
}

at::Tensor AttributeEncoderImpl::tokens_of(const std::optional<Prompt>& prompt) {
  const auto device = category_->weight.device();
  if (!prompt) return category_(torch::tensor({kNoPromptRow}, device));
  const int64_t tumors_row =
      !prompt->tumors ? kTumorsRow : kTumorsRow + (prompt->tumors->empty() ? 1 : 2);
  const std::vector<int64_t> rows = {
      row_of(kSexRow, prompt->sex), prompt->age ? kAgeRow + 1 : kAgeRow,
      row_of(kRaceRow, prompt->race), row_of(kContrastRow, prompt->contrast), tumors_row};
  std::vector<at::Tensor> tokens = {category_(torch::tensor(rows, device))};
  if (prompt->age) {
    const float age = (static_cast<float>(*prompt->age) - 55.0F) / 20.0F;
    auto shift = torch::zeros_like(tokens[0]);
    shift.select(0, 1).copy_(age_(torch::tensor({age, age * age}, device)));
    tokens[0] = tokens[0] + shift;
  }
  if (prompt->tumors) {
    const size_t count = std::min(prompt->tumors->size(), kMaxRequests);
    for (size_t i = 0; i < count; ++i) {
      tokens.push_back(request_token((*prompt->tumors)[i]).unsqueeze(0));
    }
  }
  return torch::cat(tokens, 0);
}

PromptFeatures AttributeEncoderImpl::forward(const std::vector<std::optional<Prompt>>& prompts) {
  std::vector<at::Tensor> all;
  int64_t longest = 1;
  for (const auto& prompt : prompts) {
    all.push_back(tokens_of(prompt));
    longest = std::max(longest, all.back().size(0));
  }
  const auto batch = static_cast<int64_t>(prompts.size());
  const auto device = category_->weight.device();
  PromptFeatures out;
  out.present = torch::zeros({batch, longest}, torch::TensorOptions(at::kBool).device(device));
  std::vector<at::Tensor> rows;
  for (int64_t b = 0; b < batch; ++b) {
    const auto& tokens = all[static_cast<size_t>(b)];
    out.present[b].slice(0, 0, tokens.size(0)).fill_(true);
    rows.push_back(at::constant_pad_nd(tokens, {0, 0, 0, longest - tokens.size(0)}));
  }
  out.tokens = norm_(torch::stack(rows));
  const auto weight = out.present.to(at::kFloat).unsqueeze(-1);
  out.pooled = pooled_((out.tokens * weight).sum(1) / weight.sum(1));
  return out;
}

}  // namespace guidegen
