#include "guidegen/train/checkpoint.hpp"

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/nn/module_io.hpp"
#include "guidegen/nn/safetensors.hpp"

namespace guidegen {

namespace fs = std::filesystem;

namespace {

constexpr const char* kPrefix = "step-";
constexpr const char* kWeights = "weights.safetensors";
constexpr const char* kOptimizer = "optimizer.safetensors";
constexpr const char* kState = "state.json";

void restore(const fs::path& folder, torch::nn::Module& module, Optimizer& optimizer) {
  const auto state_path = folder / kState;
  const Json document = read_json_file(state_path);
  JsonObject state(document, state_path.string());
  JsonObject hashes = state.object("sha256");
  for (const char* name : {kWeights, kOptimizer}) {
    if (sha256_file(folder / name) != hashes.text(name)) {
      throw_failure((folder / name).string(), ": its SHA-256 is not the one in state.json");
    }
  }
  load_state(module, read_safetensors(folder / kWeights).tensors, (folder / kWeights).string());
  optimizer.load_state(read_safetensors(folder / kOptimizer).tensors,
                       (folder / kOptimizer).string());
}

}  // namespace

CheckpointStore::CheckpointStore(fs::path run_directory, int64_t keep)
    : root_(std::move(run_directory) / "checkpoints"), keep_(keep) {}

fs::path CheckpointStore::folder(int64_t step) const { return root_ / concat(kPrefix, step); }

std::vector<int64_t> CheckpointStore::steps() const {
  std::vector<int64_t> found;
  if (!fs::is_directory(root_)) return found;
  for (const auto& entry : fs::directory_iterator(root_)) {
    const std::string name = entry.path().filename().string();
    const std::string digits = name.rfind(kPrefix, 0) == 0 ? name.substr(5) : "";
    if (digits.empty() || digits.size() > 18 ||
        digits.find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    found.push_back(std::stoll(digits));
  }
  std::sort(found.rbegin(), found.rend());
  return found;
}

std::optional<int64_t> CheckpointStore::best() const {
  std::optional<int64_t> found;
  double lowest = 0;
  for (const auto step : steps()) {
    try {
      const Json state = read_json_file(folder(step) / kState);
      if (!state.contains("validation_loss")) continue;
      const auto loss = state["validation_loss"].get<double>();
      if (found && loss >= lowest) continue;
      found = step;
      lowest = loss;
    } catch (const std::exception&) {
      continue;  // a damaged checkpoint is nobody's best
    }
  }
  return found;
}

// Under a name of leftovers first: a kill in the middle leaves no half checkpoint. One that can't
// be removed does no harm.
void CheckpointStore::remove(int64_t step) const {
  const auto doomed = root_ / concat(".guidegen-pruned-", step);
  std::error_code ignored;
  fs::rename(folder(step), doomed, ignored);
  fs::remove_all(doomed, ignored);
}

void CheckpointStore::prune(int64_t newest) const {
  // Later ones are of a course that was given up, because they were damaged.
  for (const auto step : steps()) {
    if (step > newest) remove(step);
  }
  const auto all = steps();
  const auto kept = best();
  for (size_t i = static_cast<size_t>(keep_); i < all.size(); ++i) {
    if (all[i] != kept) remove(all[i]);
  }
}

void CheckpointStore::save(int64_t step, const torch::nn::Module& module,
                           const Optimizer& optimizer, std::optional<double> validation_loss) {
  make_directories(root_);
  AtomicDirectory directory(folder(step));
  write_safetensors(directory.staging() / kWeights, {state_of(module), {}});
  write_safetensors(directory.staging() / kOptimizer, {optimizer.state(), {}});
  Json hashes = Json::object();
  for (const char* name : {kWeights, kOptimizer}) {
    hashes[name] = sha256_file(directory.staging() / name);
  }
  Json state = {{"step", step}, {"sha256", hashes}};
  if (validation_loss) state["validation_loss"] = *validation_loss;
  write_file_atomic(directory.staging() / kState, dump_json(state));
  directory.commit();
  prune(step);
}

int64_t CheckpointStore::load_newest(torch::nn::Module& module, Optimizer& optimizer) const {
  for (const auto step : steps()) {
    try {
      restore(folder(step), module, optimizer);
      return step;
    } catch (const Error& error) {
      log_warning(concat("checkpoint ", folder(step).string(), " is damaged (", error.what(),
                         "); trying the one before it"));
    }
  }
  throw_failure(root_.string(), ": every checkpoint is damaged");
}

}  // namespace guidegen
