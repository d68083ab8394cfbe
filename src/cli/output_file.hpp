#pragma once

#include <filesystem>
#include <string>

namespace guidegen {

/// Refuses early what could be found out only after long work: throws Error(kUsage) naming the flag
/// unless `path` ends in .nii or .nii.gz.
void check_nifti_name(const std::string& flag, const std::string& path);

/// Makes the folder that `path` lies in.
void make_parent(const std::filesystem::path& path);

}  // namespace guidegen
