#include <algorithm>

#include "cli/info_files.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/data/dataset.hpp"
#include "guidegen/stages/model_directory.hpp"

namespace guidegen {
namespace fs = std::filesystem;
namespace {

Json describe_text_encoder(const fs::path& path, const TextEntry& entry) {
  const fs::path weights = path / entry.weights;
  Json document = {{"weights", entry.weights},
                   {"vocabulary", entry.vocabulary},
                   {"parameters", describe_safetensors(weights)["parameters"]},
                   {"bytes", fs::file_size(weights)},
                   {"sha256", sha256_file(weights)},
                   {"config", entry.config}};
  if (!entry.provenance.is_null()) document["provenance"] = entry.provenance;
  return document;
}

Json describe_model(const fs::path& path) {
  const ModelDescription model = read_model_description(path);
  Json stages = Json::array();
  for (const auto& [stage, entry] : model.stages) {
    const fs::path weights = path / entry.weights;
    const Json tensors = describe_safetensors(weights);
    stages.push_back({{"stage", part_id(stage)},
                      {"weights", entry.weights},
                      {"parameters", tensors["parameters"]},
                      {"bytes", fs::file_size(weights)},
                      {"sha256", sha256_file(weights)}});
  }
  Json document = {{"kind", "model"}, {"folder", path.string()}};
  if (model.vocabulary.size() > 0) {
    document["vocabulary"] = model.vocabulary.name();
    document["labels"] = model.vocabulary.size();
    document["size"] = model.geometry.size;
    document["spacing_mm"] = model.geometry.spacing;
  }
  document["stages"] = std::move(stages);
  for (const auto& [stage, entry] : model.stages) {
    const std::string name = part_title(stage);
    document[name] = {{"config", entry.config}};
    if (!entry.provenance.is_null()) document[name]["provenance"] = entry.provenance;
  }
  if (model.text) document["text encoder"] = describe_text_encoder(path, *model.text);
  return document;
}

Json describe_dataset(const fs::path& path) {
  const Dataset dataset = Dataset::open(path);
  int64_t male = 0, female = 0, with_tumor = 0;
  for (const CaseEntry& entry : dataset.cases()) {
    male += entry.prompt.sex == Sex::kMale ? 1 : 0;
    female += entry.prompt.sex == Sex::kFemale ? 1 : 0;
    with_tumor += entry.prompt.tumors && !entry.prompt.tumors->empty() ? 1 : 0;
  }
  return {{"kind", "data set"},
          {"folder", path.string()},
          {"vocabulary", dataset.vocabulary().name()},
          {"cases", dataset.cases().size()},
          {"male", male},
          {"female", female},
          {"with_tumor", with_tumor}};
}

/// Names in a folder, sorted, numbers by value so that step-900 comes before step-1000.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.front() != '.') names.push_back(name);
  }
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() && a.rfind("step-", 0) == 0 && b.rfind("step-", 0) == 0
               ? a.size() < b.size()
               : a < b;
  });
  return names;
}

/// The last line of metrics.jsonl, and how many there are. A line cut short by a kill is left out.
Json describe_metrics(const fs::path& path) {
  std::istringstream lines(read_file(path));
  std::string line, last;
  int64_t count = 0;
  while (std::getline(lines, line)) {
    if (line.empty() || (lines.eof() && line.back() != '}')) continue;
    last = line;
    ++count;
  }
  Json document = {{"lines", count}};
  if (count > 0) document["last"] = parse_json(last, path.string());
  return document;
}

Json describe_run(const fs::path& path) {
  Json document = {{"kind", "training run"}, {"folder", path.string()}};
  if (fs::exists(path / "metrics.jsonl")) {
    document["metrics"] = describe_metrics(path / "metrics.jsonl");
  }
  if (fs::is_directory(path / "checkpoints")) {
    document["checkpoints"] = names_in(path / "checkpoints");
  }
  if (fs::exists(path / "model" / "model.json")) document["model"] = (path / "model").string();
  if (fs::exists(path / "config.json")) document["config"] = read_json_file(path / "config.json");
  return document;
}

/// Files of a checkpoint, with what its JSON state says.
Json describe_checkpoint(const fs::path& path) {
  Json files = Json::array();
  Json document = {{"kind", "checkpoint"}, {"folder", path.string()}};
  for (const std::string& name : names_in(path)) {
    const fs::path file = path / name;
    if (!fs::is_regular_file(file)) continue;
    Json row = {{"name", name}, {"bytes", fs::file_size(file)}};
    if (file.extension() == ".safetensors") {
      const Json tensors = describe_safetensors(file);
      row["tensors"] = tensors["tensors"].size();
      row["numbers"] = tensors["parameters"];
    } else if (file.extension() == ".json") {
      document[file.stem().string()] = read_json_file(file);
    }
    files.push_back(std::move(row));
  }
  document["files"] = std::move(files);
  return document;
}

bool holds_safetensors(const fs::path& folder) {
  const auto files = fs::directory_iterator(folder);
  return std::any_of(begin(files), end(files), [](const fs::directory_entry& entry) {
    return entry.path().extension() == ".safetensors";
  });
}

}  // namespace

Json describe_folder(const fs::path& path) {
  if (fs::exists(path / "model.json")) return describe_model(path);
  if (fs::exists(path / "dataset.json")) return describe_dataset(path);
  if (fs::exists(path / "manifest.jsonl")) return describe_manifest(path / "manifest.jsonl");
  if (fs::exists(path / "checkpoints") || fs::exists(path / "metrics.jsonl")) {
    return describe_run(path);
  }
  if (holds_safetensors(path)) return describe_checkpoint(path);
  throw_usage(path.string(),
              ": expected a model, data set, training run, checkpoint or output folder");
}

}  // namespace guidegen
