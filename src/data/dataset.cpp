#include "guidegen/data/dataset.hpp"

#include <algorithm>
#include <cmath>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/data/without_tumors.hpp"
#include "guidegen/volume/labels.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIndexName = "dataset.json";
constexpr const char* kFormat = "guidegen-dataset";
constexpr int64_t kVersion = 1;

CaseEntry read_entry(const fs::path& root, const std::string& id) {
  CaseEntry entry{id, root / id, read_case_prompt(root / id)};
  for (const fs::path& file : {entry.mask_path(), entry.ct_path()}) {
    if (!fs::is_regular_file(file)) {
      throw_failure(file.string(), ": missing, expected every case to hold mask and CT");
    }
  }
  if (entry.prompt.id != id) {
    throw_usage((entry.folder / "prompt.json").string(), ": id: '", entry.prompt.id,
                "' is not the name of its folder, expected '", id, "'");
  }
  return entry;
}

template <typename T>
std::array<T, 3> three(const JsonObject& object, const std::string& key,
                       const std::vector<T>& values) {
  if (values.size() != 3) object.fail(key, "expected three numbers, x, y and z");
  return {values[0], values[1], values[2]};
}

/// Grid that all cases share: absent as soon as two differ.
struct SharedGrid {
  bool first = true;
  bool same = true;
  std::array<double, 3> spacing{};
  std::array<int64_t, 3> size{};

  void add(const ImageGeometry& geometry) {
    if (first) {
      spacing = geometry.spacing;
      size = geometry.size;
      first = false;
      return;
    }
    same = same && size == geometry.size;
    for (size_t axis = 0; axis < 3; ++axis) {
      same = same && std::abs(spacing[axis] - geometry.spacing[axis]) < 1e-4;
    }
  }
};

}  // namespace

Dataset Dataset::open(const fs::path& root) {
  const fs::path index_path = root / kIndexName;
  if (!fs::is_directory(root)) throw_usage(root.string(), ": no such folder, expected a data set");
  if (!fs::exists(index_path)) {
    throw_usage(root.string(), ": no ", kIndexName, " in it, expected a data set folder");
  }
  const std::string source = index_path.string();
  const Json document = read_json_file(index_path);
  JsonObject index(document, source);
  index.choice("format", {kFormat});
  index.integer("version", kVersion, kVersion);
  Dataset dataset;
  dataset.root_ = root;
  dataset.vocabulary_ = Vocabulary::from_json(index.raw("vocabulary"), source);
  if (index.has("spacing_mm")) {
    dataset.spacing_mm_ = three(index, "spacing_mm", index.numbers("spacing_mm", 1e-3, 1e3));
  }
  if (index.has("size")) {
    dataset.size_ = three(index, "size", index.integers("size", 1, int64_t{1} << 20));
  }
  const std::vector<std::string> ids = index.texts("cases");
  index.finish();
  if (ids.empty()) index.fail("cases", "empty, expected at least one case");
  for (size_t i = 0; i < ids.size(); ++i) {
    check_file_name(ids[i], concat(source, ": cases[", i, "]"));
    dataset.cases_.push_back(read_entry(root, ids[i]));
  }
  return dataset;
}

bool is_validation_case(const std::string& id, double validation_share) {
  // The same patient without tumors shows nearly the same voxels: both go one way.
  if (id.ends_with(kWithoutTumors)) {
    const std::string patient = id.substr(0, id.size() - kWithoutTumors.size());
    return is_validation_case(patient, validation_share);
  }
  // The first 32 bits of the hash as a number in [0,1): no list of ids has to be kept.
  const uint64_t bits = std::stoull(sha256_hex("split/" + id).substr(0, 8), nullptr, 16);
  return static_cast<double>(bits) / 4294967296.0 < validation_share;
}

std::vector<size_t> Dataset::training_indices(double validation_share) const {
  std::vector<size_t> indices;
  for (size_t i = 0; i < cases_.size(); ++i) {
    if (!is_validation_case(cases_[i].id, validation_share)) indices.push_back(i);
  }
  return indices;
}

std::vector<size_t> Dataset::validation_indices(double validation_share) const {
  std::vector<size_t> indices;
  for (size_t i = 0; i < cases_.size(); ++i) {
    if (is_validation_case(cases_[i].id, validation_share)) indices.push_back(i);
  }
  return indices;
}

Volume Dataset::read_case_mask(size_t index) const {
  return read_mask(cases_.at(index).mask_path(), vocabulary_.size());
}

Volume Dataset::read_case_ct(size_t index) const { return read_ct(cases_.at(index).ct_path()); }

CaseImages Dataset::read_case(size_t index) const {
  CaseImages images{read_case_mask(index), read_case_ct(index)};
  if (!same_geometry(images.mask.geometry, images.ct.geometry)) {
    throw_failure(cases_.at(index).ct_path().string(),
                  ": its grid differs from that of mask.nii.gz, expected one grid a case");
  }
  return images;
}

DatasetWriter::DatasetWriter(fs::path root, const Vocabulary& vocabulary)
    : root_(std::move(root)), vocabulary_(vocabulary) {
  const fs::path index_path = root_ / kIndexName;
  if (fs::exists(root_) && !fs::is_directory(root_)) {
    throw_usage(root_.string(), ": is a file, expected a folder to write the data set to");
  }
  if (fs::exists(index_path)) {
    const Json document = read_json_file(index_path);
    JsonObject index(document, index_path.string());
    index.choice("format", {kFormat});
    if (index.raw("vocabulary") != vocabulary_.document()) {
      index.fail("vocabulary", concat("differs from '", vocabulary_.name(),
                                      "', expected one vocabulary for all cases"));
    }
  } else if (fs::is_directory(root_)) {
    // An interrupted run leaves case folders without an index: those may be continued.
    for (const auto& item : fs::directory_iterator(root_)) {
      const bool ours = fs::exists(item.path() / "prompt.json");
      const bool hidden = item.path().filename().string().starts_with(".");
      if (!ours && !hidden) {
        throw_usage(root_.string(), ": holds '", item.path().filename().string(),
                    "', expected an empty folder or a data set");
      }
    }
  }
  make_directories(root_);
}

bool DatasetWriter::has_case(const std::string& id) const {
  const CaseEntry entry{id, root_ / id, {}};
  return fs::is_regular_file(entry.folder / "prompt.json") &&
         fs::is_regular_file(entry.mask_path()) && fs::is_regular_file(entry.ct_path());
}

void DatasetWriter::add(const Prompt& prompt, const Volume& mask, const Volume& ct) {
  check_file_name(prompt.id, "id of the case");
  check_volume(mask, prompt.id + ": mask");
  check_volume(ct, prompt.id + ": CT");
  if (!same_geometry(mask.geometry, ct.geometry)) {
    throw_failure(prompt.id, ": mask and CT lie on different grids, expected one");
  }
  const int64_t largest = label_range(mask.data).largest;
  if (largest >= vocabulary_.size()) {
    throw_failure(prompt.id, ": mask value ", largest, ", expected labels below ",
                  vocabulary_.size());
  }
  AtomicDirectory folder(root_ / prompt.id);
  write_case_files(folder.staging(), prompt, mask, &ct);
  folder.commit();
}

void DatasetWriter::finish() {
  Json index = Json::object();
  index["format"] = kFormat;
  index["version"] = kVersion;
  index["vocabulary"] = vocabulary_.document();
  const std::vector<std::string> ids = complete_cases(root_);
  if (ids.empty()) throw_failure(root_.string(), ": no complete case, expected at least one");
  SharedGrid grid;
  for (const std::string& id : ids) grid.add(validate_nifti(root_ / id / "mask.nii.gz"));
  if (grid.same) {
    index["spacing_mm"] = grid.spacing;
    index["size"] = grid.size;
  }
  index["cases"] = ids;
  write_file_atomic(root_ / kIndexName, dump_json(index));
}

void write_case_files(const fs::path& folder, const Prompt& prompt, const Volume& mask,
                      const Volume* ct) {
  write_file_atomic(folder / "prompt.json", dump_json(to_json(prompt)));
  write_mask(folder / "mask.nii.gz", mask);
  if (ct != nullptr) write_ct(folder / "ct.nii.gz", *ct);
}

std::vector<std::string> complete_cases(const fs::path& root, bool with_ct) {
  if (!fs::is_directory(root)) throw_usage(root.string(), ": no such folder");
  std::vector<std::string> ids;
  for (const auto& item : fs::directory_iterator(root)) {
    const std::string id = item.path().filename().string();
    if (id.starts_with(".") || !item.is_directory()) continue;
    const bool complete = fs::is_regular_file(item.path() / "prompt.json") &&
                          fs::is_regular_file(item.path() / "mask.nii.gz") &&
                          (!with_ct || fs::is_regular_file(item.path() / "ct.nii.gz"));
    if (complete) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

Prompt read_case_prompt(const fs::path& folder) {
  const fs::path path = folder / "prompt.json";
  return prompt_from_json(read_json_file(path), path.string());
}

}  // namespace guidegen
