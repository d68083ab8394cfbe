#include "cli/output_file.hpp"

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"

namespace guidegen {

void check_nifti_name(const std::string& flag, const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  const auto ends_with = [&name](const std::string& end) {
    return name.size() > end.size() && name.ends_with(end);
  };
  if (!ends_with(".nii") && !ends_with(".nii.gz")) {
    throw_usage(flag, " ", path, ": expected a name that ends in .nii.gz or .nii");
  }
}

void make_parent(const std::filesystem::path& path) {
  if (path.has_parent_path()) make_directories(path.parent_path());
}

}  // namespace guidegen
