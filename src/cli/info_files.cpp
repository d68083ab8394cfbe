#include "cli/info_files.hpp"

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/generate/case_plan.hpp"
#include "guidegen/nn/safetensors.hpp"
#include "guidegen/prompt/prompt.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace fs = std::filesystem;
namespace {

constexpr double kMostLabels = 1024;

bool looks_like_mask(const at::Tensor& values) {
  return values.min().item<double>() >= 0 && values.max().item<double>() < kMostLabels &&
         values.eq(values.round()).all().item<bool>();
}

Json label_rows(const at::Tensor& values, const ImageGeometry& geometry,
                const Vocabulary& vocabulary) {
  const at::Tensor counts = at::bincount(values.flatten().to(at::kLong)).contiguous();
  const int64_t* voxels = counts.const_data_ptr<int64_t>();
  const bool named = counts.size(0) <= vocabulary.size();
  Json rows = Json::array();
  for (int64_t id = 0; id < counts.size(0); ++id) {
    if (voxels[id] == 0) continue;
    rows.push_back({{"id", id},
                    {"name", named ? vocabulary.label(static_cast<int>(id)).name : ""},
                    {"voxels", voxels[id]},
                    {"volume_ml", static_cast<double>(voxels[id]) * geometry.voxel_ml()}});
  }
  return rows;
}

Json prompt_row(const Prompt& prompt) {
  return {{"id", prompt.id},
          {"seed", prompt.seed},
          {"samples", prompt.samples},
          {"text", text_of(prompt)}};
}

/// Bytes of the data section, from the tensors themselves.
int64_t bytes_of(const TensorFile& file) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : file.tensors) bytes += static_cast<int64_t>(tensor.nbytes());
  return bytes;
}

}  // namespace

Json describe_nifti(const fs::path& path, const std::string& vocabulary) {
  const ImageGeometry geometry = validate_nifti(path);
  const Volume volume = read_ct(path);
  Json document = {{"kind", "NIfTI volume"},
                   {"file", path.string()},
                   {"size", geometry.size},
                   {"spacing_mm", geometry.spacing},
                   {"origin_mm", geometry.origin},
                   {"ras", geometry.is_ras()},
                   {"affine", geometry.affine()},
                   {"min", volume.data.min().item<double>()},
                   {"max", volume.data.max().item<double>()},
                   {"mean", volume.data.mean(at::kDouble).item<double>()}};
  if (looks_like_mask(volume.data)) {
    const Vocabulary names = Vocabulary::load(vocabulary);
    document["vocabulary"] = names.name();
    document["labels"] = label_rows(volume.data, geometry, names);
  }
  return document;
}

Json describe_safetensors(const fs::path& path) {
  const TensorFile file = read_safetensors(path, /*refuse_non_finite=*/false);
  Json tensors = Json::array();
  int64_t parameters = 0;
  for (const auto& [name, tensor] : file.tensors) {
    const bool finite = !tensor.is_floating_point() || tensor.isfinite().all().item<bool>();
    parameters += tensor.numel();
    tensors.push_back({{"name", name},
                       {"dtype", c10::toString(tensor.scalar_type())},
                       {"shape", tensor.sizes().vec()},
                       {"finite", finite}});
  }
  return {{"kind", "safetensors"},   {"file", path.string()},     {"parameters", parameters},
          {"bytes", bytes_of(file)}, {"metadata", file.metadata}, {"tensors", std::move(tensors)}};
}

Json describe_vocabulary(const std::string& name_or_path) {
  const Vocabulary vocabulary = Vocabulary::load(name_or_path);
  Json labels = Json::array();
  for (const LabelInfo& label : vocabulary.labels()) {
    labels.push_back({{"id", label.id},
                      {"name", label.name},
                      {"display", label.display},
                      {"color", label.color},
                      {"snomed_ct", label.code}});
  }
  Json groups = Json::object();
  for (const auto& [name, members] : vocabulary.groups()) {
    for (const int id : members) groups[name].push_back(vocabulary.label(id).name);
  }
  return {{"kind", "vocabulary"},
          {"name", vocabulary.name()},
          {"labels", std::move(labels)},
          {"groups", std::move(groups)},
          {"mappings", vocabulary.mapping_names()}};
}

Json describe_json_file(const fs::path& path) {
  // JSON Lines are prompts too, and no single document.
  if (path.extension() == ".json") {
    const Json document = read_json_file(path);
    if (document.is_object() && document.contains("labels")) {
      return describe_vocabulary(path.string());
    }
    const bool prompts = document.is_array() || !document.is_object() || document.contains("id") ||
                         document.contains("tumors") || document.contains("text");
    if (!prompts)
      return {{"kind", "JSON document"}, {"file", path.string()}, {"content", document}};
  }
  Json rows = Json::array();
  for (const Prompt& prompt : read_prompts(path)) rows.push_back(prompt_row(prompt));
  return {{"kind", "prompt file"}, {"file", path.string()}, {"prompts", std::move(rows)}};
}

Json describe_manifest(const fs::path& path) {
  std::istringstream lines(read_file(path));
  std::string line;
  Json cases = Json::array();
  int64_t passed = 0;
  for (int64_t number = 1; std::getline(lines, line); ++number) {
    if (line.empty()) continue;
    const Json record = parse_json(line, concat(path.string(), ": line ", number));
    JsonObject object(record, concat(path.string(), ": line ", number));
    const bool gates = object.boolean("gates_passed");
    passed += gates ? 1 : 0;
    cases.push_back({{"id", object.text("id")},
                     {"seed", object.unsigned_integer("seed", 0)},
                     {"attempts", object.integer("attempts", 1, 1000000)},
                     {"gates", gates ? "passed" : "failed"},
                     {"text", object.text("text", "")}});
  }
  return {{"kind", "manifest"},
          {"file", path.string()},
          {"count", cases.size()},
          {"gates_passed", passed},
          {"cases", std::move(cases)}};
}

}  // namespace guidegen
