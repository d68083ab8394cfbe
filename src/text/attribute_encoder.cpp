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

namespace {

constexpr size_t kMostRows = 5;  // table rows that a token is the sum of

// A token before the learned tables are looked up.
struct TokenPlan {
  std::vector<int64_t> rows;
  std::optional<float> age;       // in units of 20 years from 55
  std::optional<float> log_size;  // of the diameter, relative to 30 mm
};

TokenPlan request_token(const TumorRequest& request) {
  const int64_t count_row =
      request.count ? kCountRow + std::clamp(*request.count, 1, 20) : kCountRow;
  TokenPlan token;
  token.rows = {kOrganRow + static_cast<int64_t>(request.organ),
                row_of(kPositionRow, request.position), count_row,
                request.size_mm ? kSizeRow + 1 : kSizeRow, kStageRow + stage_number(request.stage)};
  if (request.size_mm) token.log_size = static_cast<float>(std::log(*request.size_mm / 30.0));
  return token;
}

std::vector<TokenPlan> tokens_of(const std::optional<Prompt>& prompt) {
  if (!prompt) return {{{kNoPromptRow}, {}, {}}};
  const int64_t tumors_row =
      !prompt->tumors ? kTumorsRow : kTumorsRow + (prompt->tumors->empty() ? 1 : 2);
  std::vector<TokenPlan> tokens;
  for (const int64_t row :
       {row_of(kSexRow, prompt->sex), prompt->age ? kAgeRow + 1 : kAgeRow,
        row_of(kRaceRow, prompt->race), row_of(kContrastRow, prompt->contrast), tumors_row}) {
    tokens.push_back({{row}, {}, {}});
  }
  if (prompt->age) tokens[1].age = (static_cast<float>(*prompt->age) - 55.0F) / 20.0F;
  if (prompt->tumors) {
    const size_t count = std::min(prompt->tumors->size(), kMaxRequests);
    for (size_t i = 0; i < count; ++i) tokens.push_back(request_token((*prompt->tumors)[i]));
  }
  return tokens;
}

// A batch of token plans as tensors, so that the device sees a handful of operators, not one set a
// prompt.
struct TokenTensors {
  at::Tensor rows;     // [B,T,5] int64
  at::Tensor used;     // [B,T,5,1] float32, 0 where a token has fewer rows
  at::Tensor numbers;  // [B,T,4]: age, its square, size, its square
  at::Tensor given;    // [B,T,2]: whether age and size are there
  at::Tensor present;  // [B,T] bool

  TokenTensors(const std::vector<std::vector<TokenPlan>>& plans, const at::Device& device) {
    size_t longest = 1;
    for (const auto& plan : plans) longest = std::max(longest, plan.size());
    const auto b = static_cast<int64_t>(plans.size()), t = static_cast<int64_t>(longest);
    rows = torch::zeros({b, t, int64_t{kMostRows}}, at::kLong);
    used = torch::zeros({b, t, int64_t{kMostRows}, 1});
    numbers = torch::zeros({b, t, 4});
    given = torch::zeros({b, t, 2});
    present = torch::zeros({b, t}, at::kBool);
    for (size_t i = 0; i < plans.size(); ++i) {
      for (size_t k = 0; k < plans[i].size(); ++k) fill(i * longest + k, plans[i][k]);
    }
    for (auto* tensor : {&rows, &used, &numbers, &given, &present}) {
      *tensor = tensor->to(device, /*non_blocking=*/true);
    }
  }

 private:
  void fill(size_t at, const TokenPlan& token) {
    present.data_ptr<bool>()[at] = true;
    for (size_t r = 0; r < token.rows.size(); ++r) {
      rows.data_ptr<int64_t>()[at * kMostRows + r] = token.rows[r];
      used.data_ptr<float>()[at * kMostRows + r] = 1.0F;
    }
    const auto number = [&](size_t which, const std::optional<float>& value) {
      if (!value) return;
      numbers.data_ptr<float>()[at * 4 + 2 * which] = *value;
      numbers.data_ptr<float>()[at * 4 + 2 * which + 1] = *value * *value;
      given.data_ptr<float>()[at * 2 + which] = 1.0F;
    };
    number(0, token.age);
    number(1, token.log_size);
  }
};

}  // namespace

PromptFeatures AttributeEncoderImpl::forward(const std::vector<std::optional<Prompt>>& prompts) {
  std::vector<std::vector<TokenPlan>> plans;
  for (const auto& prompt : prompts) plans.push_back(tokens_of(prompt));
  const TokenTensors in(plans, category_->weight.device());
  const auto tokens = (category_(in.rows) * in.used).sum(2) +
                      in.given.slice(2, 0, 1) * age_(in.numbers.slice(2, 0, 2)) +
                      in.given.slice(2, 1, 2) * request_numbers_(in.numbers.slice(2, 2, 4));
  PromptFeatures out;
  out.present = in.present;
  out.tokens = norm_(tokens);
  const auto weight = out.present.to(at::kFloat).unsqueeze(-1);
  out.pooled = pooled_((out.tokens * weight).sum(1) / weight.sum(1));
  return out;
}

}  // namespace guidegen
