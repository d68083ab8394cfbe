#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// Finished case folders, of `guidegen generate` or of a data set, to turn into what others take.
struct ExportSource {
  std::filesystem::path root;
  std::vector<std::string> ids;  ///< in the order of their names
};

/// The complete cases of `root`, or those of `only` among them. Throws Error(kUsage) when there is
/// none, or naming an id of `only` that is not there.
ExportSource find_export_cases(const std::filesystem::path& root,
                               const std::vector<std::string>& only = {});

enum class ExportState { kWritten, kKept, kFailed };

/// How the export of one case ended.
struct ExportedCase {
  std::string id;
  ExportState state = ExportState::kWritten;  ///< written now, complete before, or failed
  std::string error;                          ///< one line, when failed
};

/// Writes each case as a folder <out>/<id> of DICOM files (see write_dicom_case), with export.json,
/// which notes the hashes of the files that it was made from. A folder that was made from equal
/// files is kept, one that was made from others is replaced; a folder that is no export is an
/// error. A case that can't be read is reported as failed, and the others go on. Throws
/// Error(kUsage) before anything is written when `out` is or holds what is not ours, and Stopped
/// between cases; the same call resumes.
std::vector<ExportedCase> export_dicom(const ExportSource& source, const std::filesystem::path& out,
                                       const Vocabulary& vocabulary, bool segmentation);

struct NnunetOptions {
  /// Labels or groups of the vocabulary to segment, each a class of its own; others become
  /// background. Empty: all labels.
  std::vector<std::string> labels;
  double test_share = 0;  ///< of the cases, which go to imagesTs and labelsTs; 0…0.9
};

struct NnunetSummary {
  std::vector<std::string> classes;  ///< names in the order of their values, from 1
  std::vector<std::string> training;
  std::vector<std::string> test;
};

/// Writes a raw data set of nnU-Net v2 to `out`, which appears whole or not at all and must not be
/// there yet: imagesTr/<id>_0000.nii.gz, labelsTr/<id>.nii.gz, the same of the test cases under
/// imagesTs and labelsTs, dataset.json. Files that need no change are hard links where the file
/// system has them. Which cases test depends on their ids alone. Throws Error(kUsage) for a name
/// other than Dataset<three digits>_<name>, for labels that are unknown or overlap, and when no
/// case is left to train on; Error(kFailure) for a case that can't be read.
NnunetSummary export_nnunet(const ExportSource& source, const std::filesystem::path& out,
                            const Vocabulary& vocabulary, const NnunetOptions& options);

}  // namespace guidegen
