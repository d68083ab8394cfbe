#include <map>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/data/prepare.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

bool is_nifti(const fs::path& path) {
  const std::string name = path.filename().string();
  return !name.starts_with(".") && (name.ends_with(".nii") || name.ends_with(".nii.gz"));
}

std::string without(const std::string& name, std::string_view ending) {
  return name.ends_with(ending) ? name.substr(0, name.size() - ending.size()) : name;
}

std::string stem_of(const fs::path& path) {
  return without(without(path.filename().string(), ".gz"), ".nii");
}

/// nnU-Net marks the first input channel with `_0000`.
std::string ct_stem_of(const fs::path& path) { return without(stem_of(path), "_0000"); }

template <typename Stem>
std::map<std::string, fs::path> images_in(const fs::path& folder, Stem&& stem) {
  std::map<std::string, fs::path> images;
  for (const auto& item : fs::directory_iterator(folder)) {
    if (!item.is_regular_file() || !is_nifti(item.path())) continue;
    const auto [other, inserted] = images.emplace(stem(item.path()), item.path());
    if (!inserted) {
      throw_usage(item.path().string(), ": same case as ", other->second.string(),
                  ", expected one image a case");
    }
  }
  if (images.empty()) throw_usage(folder.string(), ": no .nii or .nii.gz file in it");
  return images;
}

std::vector<PairFiles> pairs_of_folders(const fs::path& ct, const fs::path& labels) {
  const std::map<std::string, fs::path> scans = images_in(ct, ct_stem_of);
  const std::map<std::string, fs::path> maps = images_in(labels, stem_of);
  std::vector<PairFiles> pairs;
  for (const auto& [name, path] : scans) {
    const auto found = maps.find(name);
    if (found == maps.end()) {
      throw_usage(path.string(), ": no label map '", name, ".nii.gz' in ", labels.string());
    }
    check_file_name(name, path.string());
    pairs.push_back({name, path, found->second});
  }
  for (const auto& [name, path] : maps) {
    if (!scans.contains(name)) throw_usage(path.string(), ": no CT of that name in ", ct.string());
  }
  return pairs;
}

void check_exists(const fs::path& path) {
  if (!fs::exists(path)) throw_usage(path.string(), ": no such file or folder");
}

}  // namespace

std::vector<PairFiles> find_pairs(const fs::path& ct, const fs::path& labels,
                                  const std::optional<std::string>& id) {
  check_exists(ct);
  check_exists(labels);
  if (fs::is_directory(ct) != fs::is_directory(labels)) {
    throw_usage(ct.string(), " and ", labels.string(),
                ": a file and a folder, expected two files or two folders");
  }
  if (!fs::is_directory(ct)) {
    const std::string name = id.value_or(ct_stem_of(ct));
    check_file_name(name, id ? "--id" : ct.string());
    return {{name, ct, labels}};
  }
  if (id) throw_usage("--id: names one pair, expected a single CT file instead of a folder");
  return pairs_of_folders(ct, labels);
}

}  // namespace guidegen
