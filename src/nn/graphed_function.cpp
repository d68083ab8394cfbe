#include "guidegen/nn/graphed_function.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "guidegen/nn/autocast.hpp"

namespace guidegen {
namespace {

bool same_kind(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type() && a.device() == b.device() &&
         a.suggest_memory_format() == b.suggest_memory_format();
}

bool graphable(const std::vector<at::Tensor>& inputs) {
  return !at::GradMode::is_enabled() && !inputs.empty() &&
         std::all_of(inputs.begin(), inputs.end(),
                     [](const at::Tensor& x) { return x.defined() && x.is_cuda(); });
}

}  // namespace

struct GraphedFunction::Recording {
  std::vector<at::Tensor> inputs;
  at::Tensor output;
  AutocastState autocast = AutocastState::current();  // a recording keeps its precision
  std::unique_ptr<Accelerator::Graph> graph;

  bool fits(const std::vector<at::Tensor>& others) const {
    return autocast.cuda == AutocastState::current().cuda &&
           std::equal(inputs.begin(), inputs.end(), others.begin(), others.end(), same_kind);
  }
};

GraphedFunction::GraphedFunction(Function function) : function_(std::move(function)) {}

GraphedFunction::~GraphedFunction() = default;

std::unique_ptr<GraphedFunction::Recording> GraphedFunction::record(
    const std::vector<at::Tensor>& inputs) {
  auto out = std::make_unique<Recording>();
  for (const auto& input : inputs) {
    out->inputs.push_back(input.clone());
  }
  auto& recording = *out;
  // Kept inside the recording: the last run, the recorded one, names the output.
  recording.graph = accelerator()->capture(
      [&recording, this] { recording.output = function_(recording.inputs); });
  return out;
}

at::Tensor GraphedFunction::operator()(const std::vector<at::Tensor>& inputs) {
  if (!graphable(inputs) || accelerator() == nullptr) return function_(inputs);
  const auto found = std::find_if(recordings_.begin(), recordings_.end(),
                                  [&](const auto& recording) { return recording->fits(inputs); });
  if (found == recordings_.end()) {
    if (recordings_.size() == kMost) recordings_.pop_back();
    recordings_.push_front(record(inputs));
  } else {
    recordings_.splice(recordings_.begin(), recordings_, found);
    for (size_t i = 0; i < inputs.size(); ++i) recordings_.front()->inputs[i].copy_(inputs[i]);
  }
  recordings_.front()->graph->replay();
  return recordings_.front()->output;
}

}  // namespace guidegen
