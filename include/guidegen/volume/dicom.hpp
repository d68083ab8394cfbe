#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// What DICOM files say of the patient and the scan. All of it is made up, and the files say so.
struct DicomStudy {
  std::string case_id;       ///< becomes part of the patient's name and id
  std::string text;          ///< the prompt in words, for the comment on each image
  std::string sex;           ///< "F", "M", or empty when open
  std::optional<int> age;    ///< years, 0…999
  std::string ethnic_group;  ///< empty when open
  std::string contrast;      ///< agent and phase in words; empty for a scan without
};

/// A written CT series: what a segmentation of it has to refer to.
struct DicomSeries {
  DicomStudy study;
  ImageGeometry geometry;  ///< as written, RAS
  std::string digest;      ///< SHA-256 of everything that the files were made from
  std::string study_uid;
  std::string frame_of_reference_uid;
  std::string series_uid;
  std::vector<std::string> instance_uids;  ///< of the slices, from inferior to superior
};

/// Writes `ct` (HU, rounded and clamped to int16) as a series of CT Image Storage into the existing
/// `folder`: "0001.dcm" is the most inferior slice. Rows run from anterior to posterior and columns
/// from right to left, tilted where the volume is; positions are millimeters of the LPS world of
/// DICOM. UIDs and bytes depend on the arguments and the version of the program alone; dates are a
/// fixed placeholder. Throws Error(kFailure).
DicomSeries write_dicom_ct(const std::filesystem::path& folder, const Volume& ct,
                           const DicomStudy& study);

/// Writes `mask` (labels of `vocabulary`, on the grid of the series) as one object of Segmentation
/// Storage: a binary segment for each label that occurs, but for the background, with its code,
/// color and name; frames without a voxel are left out. Labels without a SNOMED CT code get one of
/// the private scheme 99GUIDEGEN. Throws Error(kFailure), also for a mask that is empty, on another
/// grid or has labels that the vocabulary lacks.
void write_dicom_segmentation(const std::filesystem::path& path, const Volume& mask,
                              const DicomSeries& series, const Vocabulary& vocabulary);

}  // namespace guidegen
