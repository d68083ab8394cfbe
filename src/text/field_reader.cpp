#include "guidegen/text/field_reader.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace guidegen {

namespace {

constexpr int64_t kMostTumors = 6;  // more are read as this many
// Answers of each choice: open and the values; tumors: open, none, some; count: open, 1, …, most.
constexpr std::array<int64_t, 5> kAnswers{3, 6, 5, 3, 1 + kMostTumors};
constexpr std::array kChoiceNames{"sex", "race", "contrast", "tumors", "count"};
constexpr int64_t kNumbers = 2;
constexpr double kYears = 20.0;

template <typename T>
int64_t answer(const std::optional<T>& value) {
  return value ? 1 + static_cast<int64_t>(*value) : 0;
}

// Of all groups together, where each says how many it has.
int64_t total_count(const Prompt& prompt) {
  if (!prompt.tumors || prompt.tumors->empty()) return 0;
  int64_t count = 0;
  for (const auto& request : *prompt.tumors) {
    if (!request.count) return 0;
    count += *request.count;
  }
  return std::min(count, kMostTumors);
}

}  // namespace

FieldTargets::FieldTargets(const std::vector<Prompt>& prompts) {
  const auto b = static_cast<int64_t>(prompts.size());
  choices = torch::zeros({b, int64_t{kAnswers.size()}}, torch::kLong);
  organs = torch::zeros({b, int64_t{kTumorOrganCount}});
  positions = torch::zeros({b, int64_t{kTumorPositionCount}});
  numbers = torch::zeros({b, kNumbers});
  given = torch::zeros({b, kNumbers});
  auto choice = choices.accessor<int64_t, 2>();
  auto organ = organs.accessor<float, 2>(), position = positions.accessor<float, 2>();
  auto number = numbers.accessor<float, 2>(), known = given.accessor<float, 2>();
  for (int64_t i = 0; i < b; ++i) {
    const auto& prompt = prompts[static_cast<size_t>(i)];
    choice[i][0] = answer(prompt.sex);
    choice[i][1] = answer(prompt.race);
    choice[i][2] = answer(prompt.contrast);
    choice[i][3] = !prompt.tumors ? 0 : (prompt.tumors->empty() ? 1 : 2);
    choice[i][4] = total_count(prompt);
    if (prompt.age) {
      known[i][0] = 1.0F;
      number[i][0] = static_cast<float>((*prompt.age - 55.0) / kYears);
    }
    double largest = 0;
    for (const auto& request : prompt.tumors.value_or(std::vector<TumorRequest>{})) {
      organ[i][static_cast<int64_t>(request.organ)] = 1.0F;
      if (request.position) position[i][static_cast<int64_t>(*request.position)] = 1.0F;
      largest = std::max(largest, request.size_mm.value_or(0.0));
    }
    if (largest > 0) {
      known[i][1] = 1.0F;
      number[i][1] = static_cast<float>(std::log(largest / 30.0));
    }
  }
}

FieldReaderImpl::FieldReaderImpl(int64_t sentence_width) : sentence_width_(sentence_width) {
  constexpr int64_t kHidden = 256;
  int64_t outputs = kTumorOrganCount + kTumorPositionCount + kNumbers;
  for (const auto count : kAnswers) outputs += count;
  hidden_ = register_module("hidden", torch::nn::Linear(sentence_width, kHidden));
  fields_ = register_module("fields", torch::nn::Linear(kHidden, outputs));
}

// Logits of each choice, of organs and of positions, then the numbers.
std::vector<at::Tensor> FieldReaderImpl::read(const at::Tensor& sentence) {
  // Entries of a vector of length 1 are small.
  const auto scaled = sentence * std::sqrt(static_cast<double>(sentence_width_));
  std::vector<int64_t> widths(kAnswers.begin(), kAnswers.end());
  for (const int64_t width : {int64_t{kTumorOrganCount}, int64_t{kTumorPositionCount}, kNumbers}) {
    widths.push_back(width);
  }
  return fields_(torch::gelu(hidden_(scaled))).split_with_sizes(widths, 1);
}

at::Tensor FieldReaderImpl::loss(const at::Tensor& sentence, const FieldTargets& targets) {
  const auto out = read(sentence);
  auto total = torch::zeros({}, sentence.options());
  for (size_t i = 0; i < kAnswers.size(); ++i) {
    total = total +
            torch::cross_entropy_loss(out[i], targets.choices.select(1, static_cast<int64_t>(i)));
  }
  // Summed over labels, so that one wrong organ weighs as much as a wrong sex.
  const auto labels = [](const at::Tensor& logits, const at::Tensor& wanted) {
    return torch::binary_cross_entropy_with_logits(logits, wanted, {}, {}, at::Reduction::Sum) /
           static_cast<double>(wanted.size(0));
  };
  total = total + labels(out[5], targets.organs) + labels(out[6], targets.positions);
  const auto error = (out[7] - targets.numbers).abs() * targets.given;
  return total + error.sum() / targets.given.sum().clamp_min(1.0);
}

std::map<std::string, double> FieldReaderImpl::accuracy(const at::Tensor& sentence,
                                                        const FieldTargets& targets) {
  const torch::NoGradGuard no_grad;
  const auto out = read(sentence);
  const auto share = [](const at::Tensor& right) {
    return right.to(torch::kDouble).mean().item<double>();
  };
  std::map<std::string, double> found;
  for (size_t i = 0; i < kAnswers.size(); ++i) {
    const auto wanted = targets.choices.select(1, static_cast<int64_t>(i));
    found[kChoiceNames[i]] = share(out[i].argmax(1) == wanted);
  }
  found["organs"] = share(((out[5] > 0) == (targets.organs > 0)).all(1));
  found["positions"] = share(((out[6] > 0) == (targets.positions > 0)).all(1));
  const auto given = targets.given.select(1, 0);
  const auto error = (out[7] - targets.numbers).abs().select(1, 0) * given;
  found["age_error_years"] = kYears * (error.sum() / given.sum().clamp_min(1.0)).item<double>();
  return found;
}

DistillationLoss distillation_loss(const at::Tensor& student, const at::Tensor& teacher,
                                   double temperature) {
  const auto similar = student.matmul(teacher.t()) / temperature;
  const auto own = torch::arange(student.size(0), similar.options().dtype(torch::kLong));
  return {1.0 - (student * teacher).sum(1).mean(),
          0.5 * (torch::cross_entropy_loss(similar, own) +
                 torch::cross_entropy_loss(similar.t(), own))};
}

}  // namespace guidegen
