#include "guidegen/stages/model_directory.hpp"

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/nn/safetensors.hpp"

namespace guidegen {

namespace {

constexpr const char* kFormat = "guidegen-model";
constexpr int64_t kVersion = 1;

LatentStatistics read_statistics(JsonObject object) {
  constexpr double kLargest = 1e6;
  LatentStatistics statistics{object.numbers("mean", -kLargest, kLargest),
                              object.numbers("deviation", 0, kLargest)};
  if (statistics.mean.empty() || statistics.mean.size() != statistics.deviation.size()) {
    object.fail("deviation", "expected as many numbers as mean has, one a channel");
  }
  object.finish();
  return statistics;
}

StageEntry read_stage(JsonObject object) {
  StageEntry entry;
  entry.weights = object.text("weights");
  check_file_name(entry.weights, object.source() + ": " + object.path_of("weights"));
  entry.config = object.raw("config");
  entry.latent_channels = object.integer("latent_channels", 0, 64, 0);
  if (object.has("latent_statistics")) {
    entry.latent_statistics = read_statistics(object.object("latent_statistics"));
  }
  if (object.has("provenance")) entry.provenance = object.raw("provenance");
  object.finish();
  return entry;
}

TextEntry read_text(JsonObject object) {
  TextEntry entry;
  entry.weights = object.text("weights");
  entry.vocabulary = object.text("vocabulary");
  for (const auto& [key, name] :
       {std::pair("weights", entry.weights), std::pair("vocabulary", entry.vocabulary)}) {
    check_file_name(name, object.source() + ": " + object.path_of(key));
  }
  entry.config = object.raw("config");
  if (object.has("provenance")) entry.provenance = object.raw("provenance");
  object.finish();
  return entry;
}

ImageGeometry read_grid(JsonObject object) {
  const auto size = object.integers("size", 1, 4096);
  const auto spacing = object.numbers("spacing_mm", 0.05, 50);
  if (size.size() != 3) object.fail("size", "expected three whole numbers x, y, z");
  if (spacing.size() != 3) object.fail("spacing_mm", "expected three numbers x, y, z");
  object.finish();
  return centered_geometry({size[0], size[1], size[2]}, {spacing[0], spacing[1], spacing[2]});
}

}  // namespace

Json part_id(int part) { return part == kSegmenter ? Json("segmenter") : Json(part); }

std::string part_name(int part) { return part == kSegmenter ? "segmenter" : concat("stage", part); }

std::string part_title(int part) {
  return part == kSegmenter ? "segmenter" : concat("stage ", part);
}

namespace {

std::string key_of(int part) { return part == kSegmenter ? "segmenter" : std::to_string(part); }

}  // namespace

ModelDescription read_model_description(const std::filesystem::path& directory) {
  const auto path = directory / "model.json";
  if (!std::filesystem::is_directory(directory)) {
    throw_usage(directory.string(), ": no such folder, expected a model directory");
  }
  if (!std::filesystem::exists(path)) {
    throw_usage(directory.string(), ": holds no model.json, expected a model directory");
  }
  ModelDescription out;
  out.document = read_json_file(path);
  JsonObject root(out.document, path.string());
  root.choice("format", {kFormat});
  root.integer("version", kVersion, kVersion);
  root.text("written_by", "");
  if (root.has("text")) out.text = read_text(root.object("text"));
  const bool text_alone = out.text && !root.has("vocabulary") && !root.has("grid");
  if (!text_alone) {
    out.vocabulary = Vocabulary::from_json(root.raw("vocabulary"), path.string());
    out.geometry = read_grid(root.object("grid"));
  }
  JsonObject stages = root.object("stages");
  for (const int stage : {1, 2, 3, kSegmenter}) {
    const auto key = key_of(stage);
    if (stages.has(key)) out.stages[stage] = read_stage(stages.object(key));
  }
  stages.finish();
  if (text_alone && !out.stages.empty()) root.fail("vocabulary", "missing, expected the labels");
  root.finish();
  return out;
}

Json to_json(const ModelDescription& description) {
  Json stages = Json::object();
  for (const auto& [stage, entry] : description.stages) {
    Json item = {{"weights", entry.weights}, {"config", entry.config}};
    if (entry.latent_channels > 0) item["latent_channels"] = entry.latent_channels;
    if (entry.latent_statistics) {
      item["latent_statistics"] = {{"mean", entry.latent_statistics->mean},
                                   {"deviation", entry.latent_statistics->deviation}};
    }
    if (!entry.provenance.is_null()) item["provenance"] = entry.provenance;
    stages[key_of(stage)] = item;
  }
  Json document = {{"format", kFormat}, {"version", kVersion}};
  if (description.vocabulary.size() > 0) {
    const auto& grid = description.geometry;
    document["grid"] = {{"size", grid.size}, {"spacing_mm", grid.spacing}};
  }
  document["stages"] = stages;
  if (description.text) {
    const auto& text = *description.text;
    document["text"] = {
        {"weights", text.weights}, {"vocabulary", text.vocabulary}, {"config", text.config}};
    if (!text.provenance.is_null()) document["text"]["provenance"] = text.provenance;
  }
  if (description.vocabulary.size() > 0) {
    document["vocabulary"] = description.vocabulary.document();
  }
  return document;
}

void write_text_model(const std::filesystem::path& directory, const TextEntry& entry,
                      const std::map<std::string, at::Tensor>& weights,
                      const std::string& vocabulary) {
  AtomicDirectory folder(directory);
  write_safetensors(folder.staging() / entry.weights, {weights, {}});
  write_file_atomic(folder.staging() / entry.vocabulary, vocabulary);
  ModelDescription description;
  description.text = entry;
  write_file_atomic(folder.staging() / "model.json", dump_json(to_json(description)));
  folder.commit();
}

namespace {

void copy_weights(const std::filesystem::path& from, const std::filesystem::path& to,
                  const std::string& dtype) {
  auto file = read_safetensors(from);
  for (auto& [name, tensor] : file.tensors) {
    if (dtype == "fp16" && tensor.is_floating_point()) tensor = tensor.to(at::kHalf);
  }
  write_safetensors(to, file);
}

// The first of the sources that holds stages says which labels and grid all have.
void check_agreement(ModelDescription& joined, std::string& first,
                     const ModelDescription& description, const std::string& source) {
  if (description.stages.empty()) return;
  if (first.empty()) {
    first = source;
    joined.vocabulary = description.vocabulary;
    joined.geometry = description.geometry;
  }
  if (description.vocabulary.document() != joined.vocabulary.document()) {
    throw_usage(source, ": its vocabulary differs from that of ", first);
  }
  if (!same_geometry(description.geometry, joined.geometry)) {
    throw_usage(source, ": its grid differs from that of ", first);
  }
}

}  // namespace

void join_models(const std::vector<std::filesystem::path>& sources,
                 const std::filesystem::path& out, const std::string& dtype) {
  if (sources.empty()) throw_usage("no model directory given to join");
  ModelDescription joined;
  std::string first;
  AtomicDirectory directory(out);
  for (const auto& source : sources) {
    const auto description = read_model_description(source);
    check_agreement(joined, first, description, source.string());
    for (const auto& [stage, entry] : description.stages) {
      copy_weights(source / entry.weights, directory.staging() / entry.weights, dtype);
      joined.stages[stage] = entry;
    }
    if (description.text) {
      const auto& text = *description.text;
      copy_weights(source / text.weights, directory.staging() / text.weights, dtype);
      write_file_atomic(directory.staging() / text.vocabulary, read_file(source / text.vocabulary));
      joined.text = text;
    }
  }
  // Weights in fp16 are rounded; what was trained keeps its own hash in the provenance.
  write_file_atomic(directory.staging() / "model.json", dump_json(to_json(joined)));
  directory.commit();
}

}  // namespace guidegen
