#pragma once

#include <filesystem>
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
};

/// A data set folder: `dataset.json` {"format": "guidegen-dataset", "version": 1, "vocabulary": {…},
/// "spacing_mm": …, "size": …, "cases": [ids]} and one folder per case.
class Dataset {
 public:
  /// Throws Error(kUsage) when the folder or dataset.json is missing or malformed.
  static Dataset open(const std::filesystem::path& root);

  const Vocabulary& vocabulary() const { return vocabulary_; }
  const std::vector<CaseEntry>& cases() const { return cases_; }
  /// The split is a function of the case id alone: about `validation_share` of cases validate.
  std::vector<size_t> training_indices(double validation_share) const;
  std::vector<size_t> validation_indices(double validation_share) const;

  Volume read_case_mask(size_t index) const;  ///< uint8 [1,D,H,W]
  Volume read_case_ct(size_t index) const;    ///< float32 HU [1,D,H,W]

 private:
  std::filesystem::path root_;
  Vocabulary vocabulary_;
  std::vector<CaseEntry> cases_;
};

/// Writes cases one by one (each atomically), then dataset.json on finish(); an existing case with
/// the same id is kept when `resume`.
class DatasetWriter {
 public:
  DatasetWriter(std::filesystem::path root, const Vocabulary& vocabulary);
  bool has_case(const std::string& id) const;
  void add(const Prompt& prompt, const Volume& mask, const Volume& ct);
  void finish();  ///< indexes every complete case folder, sorted by id

 private:
  std::filesystem::path root_;
  Vocabulary vocabulary_;
};

}  // namespace guidegen
