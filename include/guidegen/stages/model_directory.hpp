#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/volume/geometry.hpp"

namespace guidegen {

/// One stage of a model directory.
struct StageEntry {
  std::string weights;          ///< file name inside the directory, "stage1.safetensors"
  Json config;                  ///< of the stage's network
  int64_t latent_channels = 0;  ///< stage 3 only: of the autoencoder it was trained on
  Json provenance;              ///< how it was made: version, seed, steps, data
};

/// What model.json says.
struct ModelDescription {
  Vocabulary vocabulary;
  ImageGeometry geometry;            ///< grid trained on
  std::map<int, StageEntry> stages;  ///< by stage number 1, 2, 3
  Json document;                     ///< model.json itself
};

/// Reads and checks model.json; weights are not touched. Throws Error(kUsage) naming file and key.
ModelDescription read_model_description(const std::filesystem::path& directory);

/// model.json for a description (its `document` is ignored).
Json to_json(const ModelDescription& description);

/// Joins stages from several model directories into one, atomically, floating weights as `dtype`
/// ("fp16" or "fp32"). Vocabulary and grid must agree. A later directory wins where two hold the
/// same stage. Throws Error(kUsage).
void join_models(const std::vector<std::filesystem::path>& sources,
                 const std::filesystem::path& out, const std::string& dtype);

}  // namespace guidegen
