#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/prompt/prompt.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// One case of a data set on disk: <root>/<id>/{prompt.json, mask.nii.gz, ct.nii.gz}.
struct CaseEntry {
  std::string id;
  std::filesystem::path folder;
  Prompt prompt;

  std::filesystem::path mask_path() const { return folder / "mask.nii.gz"; }
  std::filesystem::path ct_path() const { return folder / "ct.nii.gz"; }
};

/// The images of one case, on one grid.
struct CaseImages {
  Volume mask;
  Volume ct;
};

/// A data set folder: `dataset.json` {"format": "guidegen-dataset", "version": 1, "vocabulary":
/// {…}, "spacing_mm": […], "size": […], "cases": [ids]} and one folder per case. Spacing (mm) and
/// size (voxels) are in x, y, z order, and present only where all cases share them.
class Dataset {
 public:
  /// Reads the index and every prompt, no image. Throws Error(kUsage) when the folder or
  /// dataset.json is missing or malformed, Error(kFailure) when a case lacks a file.
  static Dataset open(const std::filesystem::path& root);

  const std::filesystem::path& root() const { return root_; }
  const Vocabulary& vocabulary() const { return vocabulary_; }
  const std::vector<CaseEntry>& cases() const { return cases_; }
  size_t size() const { return cases_.size(); }
  /// Grid that all cases share; absent when they differ.
  const std::optional<std::array<double, 3>>& spacing_mm() const { return spacing_mm_; }
  const std::optional<std::array<int64_t, 3>>& grid_size() const { return size_; }

  /// The split is a function of the case id alone: about `validation_share` of cases validate, and
  /// a case stays on its side when others come or go. Both are in the order of cases().
  std::vector<size_t> training_indices(double validation_share) const;
  std::vector<size_t> validation_indices(double validation_share) const;

  /// uint8 (uint16 above 256 labels) [1,D,H,W], values below the size of the vocabulary, RAS.
  Volume read_case_mask(size_t index) const;
  /// float32 HU [1,D,H,W], RAS.
  Volume read_case_ct(size_t index) const;
  /// Both, checked to share their grid.
  CaseImages read_case(size_t index) const;

 private:
  std::filesystem::path root_;
  Vocabulary vocabulary_;
  std::vector<CaseEntry> cases_;
  std::optional<std::array<double, 3>> spacing_mm_;
  std::optional<std::array<int64_t, 3>> size_;
};

/// Which side of the split a case id falls on; a patient with and without tumors (kWithoutTumors)
/// is on one.
bool is_validation_case(const std::string& id, double validation_share);

/// Writes cases one by one, each atomically, then dataset.json on finish(). Opening the writer on
/// an existing data set of the same vocabulary adds to it; a folder that holds anything else is
/// refused (Error(kUsage)), so that nothing foreign is overwritten.
class DatasetWriter {
 public:
  DatasetWriter(std::filesystem::path root, const Vocabulary& vocabulary);
  /// A complete case of this id is there: callers that resume skip it.
  bool has_case(const std::string& id) const;
  /// Writes case `prompt.id`, replacing an older one. Mask and CT must share their grid; mask
  /// values must be ids of the vocabulary. Throws Error(kUsage) for a bad id, else Error(kFailure).
  void add(const Prompt& prompt, const Volume& mask, const Volume& ct);
  void finish();  ///< indexes every complete case folder, sorted by id

 private:
  std::filesystem::path root_;
  Vocabulary vocabulary_;
};

/// Writes `prompt`, mask and CT into an existing `folder` under the names of a case. `ct` may be
/// null.
void write_case_files(const std::filesystem::path& folder, const Prompt& prompt, const Volume& mask,
                      const Volume* ct);

/// Ids of the folders of `root` that hold a complete case (prompt.json, mask.nii.gz, and ct.nii.gz
/// when `with_ct`), sorted. Throws Error(kUsage) when `root` is no folder.
std::vector<std::string> complete_cases(const std::filesystem::path& root, bool with_ct = true);

/// The prompt of a case folder. Throws Error(kFailure) or Error(kUsage), naming the file.
Prompt read_case_prompt(const std::filesystem::path& folder);

}  // namespace guidegen
