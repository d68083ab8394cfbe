#pragma once

#include <array>
#include <string>
#include <vector>

#include "guidegen/volume/dicom.hpp"
#include "volume/dicom_fields.hpp"

namespace guidegen {

inline constexpr const char* kCtImageStorage = "1.2.840.10008.5.1.4.1.1.2";
inline constexpr const char* kSegmentationStorage = "1.2.840.10008.5.1.4.1.1.66.4";

/// Axial slices of a RAS grid in the world of DICOM, where x grows to the left and y to the back.
struct DicomSlices {
  explicit DicomSlices(const ImageGeometry& ras);
  /// Position of the first pixel of slice k, from inferior to superior.
  std::vector<double> position(int64_t slice) const;

  ImageGeometry grid;               ///< RAS, with index axes that run to L, P and S
  std::vector<double> orientation;  ///< unit vectors of a row and a column of pixels, LPS
};

/// The voxels [D,H,W] of a RAS volume with rows and columns as in DicomSlices.
at::Tensor slice_pixels(const Volume& ras);

/// Attributes of patient, study, equipment and frame of reference, which all objects of a case
/// share, with date and time.
DicomFields study_fields(const DicomSeries& series);

/// Attributes that name an object and its series.
struct DicomObject {
  const char* sop_class = nullptr;
  std::string instance_uid;
  std::string series_uid;
  std::string modality;
  std::string series_description = {};
  int64_t series_number = 1;
  int64_t instance_number = 1;
};
DicomFields object_fields(const DicomObject& object);

/// A single item of a code sequence.
DicomFields code_item(const std::string& value, const std::string& scheme,
                      const std::string& meaning);

}  // namespace guidegen
