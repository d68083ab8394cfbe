#include <map>

#include "guidegen/core/error.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/evaluate/fidelity.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;
using Images = std::map<std::string, fs::path>;

/// File name without .nii or .nii.gz; empty for other files.
std::string stem_of(const fs::path& path) {
  const std::string name = path.filename().string();
  for (const char* end : {".nii.gz", ".nii"}) {
    if (name.ends_with(end)) return name.substr(0, name.size() - std::string(end).size());
  }
  return "";
}

/// By id: <id>/`inner` or <id>.nii.gz.
Images images_of(const fs::path& folder, const std::string& inner) {
  Images images;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".")) continue;  // unfinished, by AtomicDirectory
    const bool is_case = entry.is_directory() && fs::is_regular_file(entry.path() / inner);
    const std::string id = is_case ? name : stem_of(entry.path());
    if (id.empty() || (!is_case && !entry.is_regular_file())) continue;
    const fs::path file = is_case ? entry.path() / inner : entry.path();
    const auto [other, fresh] = images.try_emplace(id, file);
    if (!fresh) {
      throw_usage(file.string(), ": case ", id, " is also in ", other->second.string(),
                  ", expected one of them");
    }
  }
  return images;
}

Images images_in(const fs::path& folder, const std::string& inner) {
  const Images images = images_of(folder, inner);
  if (images.empty()) {
    throw_usage(folder.string(), ": no case in it, expected folders <id> with ", inner,
                " or files <id>.nii.gz");
  }
  return images;
}

void check_exists(const fs::path& path) {
  if (!fs::exists(path)) throw_usage(path.string(), ": no such file or folder");
}

/// Names the first case that one of two sides lacks.
void check_ids(const Images& a, const fs::path& where_a, const Images& b, const fs::path& where_b) {
  const auto find_missing = [](const Images& wanted, const fs::path& wanted_where,
                               const Images& there, const fs::path& where) {
    for (const auto& [id, file] : wanted) {
      if (there.contains(id)) continue;
      throw_usage(where.string(), ": no case ", id, ", which ", wanted_where.string(),
                  " has; expected the same cases in both");
    }
  };
  find_missing(a, where_a, b, where_b);
  find_missing(b, where_b, a, where_a);
}

void check_kind(const fs::path& path, bool folder, const fs::path& reference) {
  if (fs::is_directory(path) == folder) return;
  throw_usage(path.string(), ": is ", folder ? "no folder" : "a folder", ", but ",
              reference.string(), " is ", folder ? "one" : "none",
              "; expected files for a file, folders for a folder");
}

void check_grid(const Volume& volume, const fs::path& file, const Volume& reference,
                const fs::path& reference_file) {
  if (same_geometry(volume.geometry, reference.geometry)) return;
  throw_usage(file.string(), ": its grid differs from that of ", reference_file.string(),
              ", expected equal size, spacing and place");
}

FidelityCase measure_pair(const FidelityPair& pair, const Vocabulary& vocabulary,
                          const FidelityOptions& options, bool draw) {
  const Volume reference = read_ct(pair.reference);
  const Volume reconstruction = read_ct(pair.reconstruction);
  check_grid(reconstruction, pair.reconstruction, reference, pair.reference);
  std::optional<Volume> mask;
  if (pair.mask) {
    mask = read_mask(*pair.mask, vocabulary.size());
    check_grid(*mask, *pair.mask, reference, pair.reference);
  }
  const Volume* labels = mask ? &*mask : nullptr;
  FidelityCase measured =
      measure_fidelity(pair.id, reference, reconstruction, labels, vocabulary, options);
  if (draw) {
    measured.pictures =
        draw_fidelity(reference, reconstruction, labels, vocabulary, options.windows);
  }
  return measured;
}

}  // namespace

std::vector<FidelityPair> find_fidelity_pairs(const fs::path& reference,
                                              const fs::path& reconstruction,
                                              const fs::path& mask) {
  for (const fs::path& path : {reference, reconstruction}) check_exists(path);
  const bool folders = fs::is_directory(reference);
  check_kind(reconstruction, folders, reference);
  if (!mask.empty()) {
    check_exists(mask);
    check_kind(mask, folders, reference);
  }
  if (!folders) {
    FidelityPair pair{stem_of(reference), reference, reconstruction, std::nullopt};
    if (pair.id.empty()) pair.id = reference.filename().string();
    if (!mask.empty()) pair.mask = mask;
    return {pair};
  }
  const Images references = images_in(reference, "ct.nii.gz");
  const Images made = images_in(reconstruction, "ct.nii.gz");
  check_ids(references, reference, made, reconstruction);
  Images masks;
  if (!mask.empty()) {
    masks = images_in(mask, "mask.nii.gz");
    check_ids(references, reference, masks, mask);
  }
  std::vector<FidelityPair> pairs;
  for (const auto& [id, file] : references) {
    FidelityPair pair{id, file, made.at(id), std::nullopt};
    const fs::path beside = file.parent_path() / "mask.nii.gz";
    if (!mask.empty()) {
      pair.mask = masks.at(id);
    } else if (file.parent_path().filename() == id && fs::is_regular_file(beside)) {
      pair.mask = beside;
    }
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

FidelityReport evaluate_fidelity(const std::vector<FidelityPair>& pairs,
                                 const Vocabulary& vocabulary, const FidelityOptions& options,
                                 const std::function<void(int64_t, int64_t)>& on_case) {
  std::vector<FidelityCase> cases;
  for (const FidelityPair& pair : pairs) {
    throw_if_stopped();
    const bool draw = static_cast<int64_t>(cases.size()) < options.pictures;
    cases.push_back(measure_pair(pair, vocabulary, options, draw));
    if (on_case) on_case(static_cast<int64_t>(cases.size()), static_cast<int64_t>(pairs.size()));
  }
  return summarize_fidelity(std::move(cases), options.windows);
}

}  // namespace guidegen
