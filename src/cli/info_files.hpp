#pragma once

#include <filesystem>
#include <string>

#include "guidegen/core/json.hpp"

namespace guidegen {

// What `guidegen info` says of one thing, as JSON with "kind" first. All throw Error as the readers
// of the format do, so that a damaged file is an error here too.

/// NIfTI: geometry on disk, and range, or voxels of each label when it looks like a mask (whole
/// numbers from 0 to 1023). Labels are named after `vocabulary` where it has them.
Json describe_nifti(const std::filesystem::path& path, const std::string& vocabulary);
Json describe_safetensors(const std::filesystem::path& path);
/// A prompt file, a vocabulary, or any other strict JSON document.
Json describe_json_file(const std::filesystem::path& path);
Json describe_manifest(const std::filesystem::path& path);
Json describe_vocabulary(const std::string& name_or_path);
/// A model, data set, run, checkpoint or output folder.
Json describe_folder(const std::filesystem::path& path);

}  // namespace guidegen
