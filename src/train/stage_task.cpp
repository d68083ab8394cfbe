#include "guidegen/train/stage_task.hpp"

#include "guidegen/core/sha256.hpp"
#include "guidegen/nn/autocast.hpp"
#include "guidegen/nn/device_transfer.hpp"
#include "guidegen/nn/module_io.hpp"
#include "guidegen/nn/safetensors.hpp"
#include "train/task_tools.hpp"

namespace guidegen {

namespace {

bool starts_with(const std::string& name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return name.starts_with(prefix); });
}

}  // namespace

JsonObject network_object(const Json& network, const std::string& source) {
  static const Json nothing = Json::object();
  return {network.is_null() ? nothing : network, source, "network"};
}

std::vector<size_t> spread(const std::vector<size_t>& indices, size_t count) {
  if (indices.size() <= count) return indices;
  std::vector<size_t> some;
  for (size_t i = 0; i < count; ++i) some.push_back(indices[i * indices.size() / count]);
  return some;
}

HdrAutoencoderImpl::Posterior posterior_of(HdrAutoencoder& autoencoder, const TrainingCase& item) {
  const AutocastScope full_precision(AutocastState::off());
  return encode_ct(autoencoder, {item.ct.to(at::kFloat).unsqueeze(0), item.geometry});
}

void StageTask::measure(const CaseReader&, const std::vector<size_t>&, uint64_t) {}

void StageTask::describe(StageEntry&, const CaseReader&, const std::vector<size_t>&) {}

std::optional<TextEntry> StageTask::copy_text_encoder(const std::filesystem::path&) const {
  return std::nullopt;
}

void StageTask::end_step(Collective&, RandomStream) {}

void StageTask::to(const at::Device& device) {
  module().to(device);
  if (device.is_cuda()) order_channels_last(module());
}

std::map<std::string, at::Tensor> weights_to_keep(const StageTask& task,
                                                  const std::map<std::string, at::Tensor>& state) {
  const auto prefix = task.network_prefix();
  std::map<std::string, at::Tensor> kept;
  for (const auto& [name, tensor] : state) {
    if (!name.starts_with(prefix)) continue;
    const auto own = name.substr(prefix.size());
    if (!starts_with(own, task.training_weights())) kept[own] = tensor;
  }
  return kept;
}

std::string start_from(StageTask& task, const std::filesystem::path& model, int64_t labels) {
  const auto description = read_model_description(model);
  const auto entry = description.stages.find(task.stage());
  if (entry == description.stages.end()) {
    throw_usage(model.string(), ": holds no ", part_title(task.stage()), " to start from");
  }
  if (description.vocabulary.size() != labels) {
    throw_usage(model.string(), ": its vocabulary has ", description.vocabulary.size(),
                " labels, the data set's ", labels);
  }
  const auto path = model / entry->second.weights;
  const auto prefix = task.network_prefix();
  std::map<std::string, at::Tensor> state;
  for (auto& [name, tensor] : read_safetensors(path).tensors) state[prefix + name] = tensor;
  const auto own_state = state_of(task.module());
  const auto kept = weights_to_keep(task, own_state);
  for (const auto& [name, own] : own_state) {
    const bool in_models = name.starts_with(prefix) && kept.contains(name.substr(prefix.size()));
    const bool added =
        !state.contains(name) && (!in_models || starts_with(name, task.optional_weights()));
    if (added || starts_with(name, task.measured_weights())) state[name] = own.clone();
  }
  std::erase_if(state, [&](const auto& item) {
    const auto& name = item.first;
    return !own_state.contains(name) && (starts_with(name, task.optional_weights()) ||
                                         starts_with(name, task.measured_weights()));
  });
  load_state(task.module(), state, path.string());
  return sha256_file(path);
}

}  // namespace guidegen
