#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/volume/geometry.hpp"

namespace guidegen {

/// What a model directory holds beside stages 1 to 3: the network that judges their CTs
/// (stages/segmenter.hpp).
inline constexpr int kSegmenter = 4;
/// How JSON names a part of a model: 1, 2, 3 or "segmenter".
Json part_id(int part);
/// "stage1" or "segmenter": presets, commands and weight files.
std::string part_name(int part);
/// "stage 1" or "segmenter", for people.
std::string part_title(int part);

/// How the latents of stage II are distributed over training cases, channel by channel.
struct LatentStatistics {
  std::vector<double> mean, deviation;
};

/// One stage of a model directory, or its segmenter.
struct StageEntry {
  std::string weights;          ///< file name inside the directory, "stage1.safetensors"
  Json config;                  ///< of the stage's network
  int64_t latent_channels = 0;  ///< stage 3 only: of the autoencoder it was trained on
  Json provenance;              ///< how it was made: version, seed, steps, data
  /// Stage 2 only; absent in models of before there was any.
  std::optional<LatentStatistics> latent_statistics{};
};

/// The text encoder of a model directory (text/student_encoder.hpp).
struct TextEntry {
  std::string weights;     ///< file name inside the directory, "text.safetensors"
  std::string vocabulary;  ///< file name inside the directory, "text-vocab.txt"
  Json config;             ///< a StudentConfig
  Json provenance;         ///< how it was made
};

/// What model.json says. One that holds a text encoder and no stage may have neither labels nor
/// grid: `vocabulary` and `geometry` are empty then.
struct ModelDescription {
  Vocabulary vocabulary;
  ImageGeometry geometry;            ///< grid trained on
  std::map<int, StageEntry> stages;  ///< by number 1, 2, 3 or kSegmenter
  std::optional<TextEntry> text;
  Json document;  ///< model.json itself
};

/// Reads and checks model.json; weights are not touched. Throws Error(kUsage) naming file and key.
ModelDescription read_model_description(const std::filesystem::path& directory);

/// model.json for a description (its `document` is ignored).
Json to_json(const ModelDescription& description);

/// Writes a model directory that holds a text encoder alone, atomically, its weights as they are.
/// `entry` names the files.
void write_text_model(const std::filesystem::path& directory, const TextEntry& entry,
                      const std::map<std::string, at::Tensor>& weights,
                      const std::string& vocabulary);

/// Joins stages from several model directories into one, atomically, floating weights as `dtype`
/// ("fp16" or "fp32"). Vocabulary and grid of those with stages must agree. A later directory wins
/// where two hold the same stage or a text encoder. Throws Error(kUsage).
void join_models(const std::vector<std::filesystem::path>& sources,
                 const std::filesystem::path& out, const std::string& dtype);

}  // namespace guidegen
