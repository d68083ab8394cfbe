#include <cstdio>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/core/version.hpp"
#include "guidegen/volume/dicom.hpp"
#include "volume/dicom_modules.hpp"
#include "volume/dicom_tags.hpp"
#include "volume/stored_voxels.hpp"

namespace guidegen {
namespace {

namespace tags = dicom_tags;

std::string digest_of(const Volume& stored, const DicomStudy& study) {
  const ImageGeometry& grid = stored.geometry;
  const Json json = {{"version", version()},
                     {"id", study.case_id},
                     {"text", study.text},
                     {"sex", study.sex},
                     {"age", study.age.value_or(-1)},
                     {"ethnic_group", study.ethnic_group},
                     {"contrast", study.contrast},
                     {"size", grid.size},
                     {"affine", grid.affine()},
                     {"voxels", sha256_hex(voxel_bytes(stored.data))}};
  return sha256_hex(json.dump());
}

DicomSeries series_of(const Volume& stored, const DicomStudy& study) {
  DicomSeries series;
  series.study = study;
  series.geometry = stored.geometry;
  series.digest = digest_of(stored, study);
  const auto uid = [&](const std::string& what) { return dicom_uid(series.digest + "/" + what); };
  series.study_uid = uid("study");
  series.frame_of_reference_uid = uid("frame of reference");
  series.series_uid = uid("CT");
  for (int64_t k = 0; k < stored.geometry.size[2]; ++k) {
    series.instance_uids.push_back(uid("CT/" + std::to_string(k)));
  }
  return series;
}

/// What all slices share.
DicomFields image_fields(const DicomSeries& series, const DicomSlices& slices) {
  const ImageGeometry& grid = slices.grid;
  DicomFields fields = study_fields(series);
  fields.texts(tags::kImageType, {"DERIVED", "SECONDARY", "AXIAL"});
  fields.text(tags::kDerivationDescription, "Sampled from a generative model");
  if (!series.study.text.empty()) fields.text(tags::kImageComments, series.study.text);
  fields.text(tags::kBurnedInAnnotation, "NO");
  fields.text(tags::kPatientPosition, "HFS");
  fields.text(tags::kLaterality, "");  // validators miss it where no body part is named
  fields.text(tags::kKvp, "");
  fields.text(tags::kAcquisitionNumber, "1");
  if (!series.study.contrast.empty()) {
    fields.text(tags::kContrastBolusAgent, series.study.contrast);
  }
  fields.integer(tags::kSamplesPerPixel, 1);
  fields.text(tags::kPhotometricInterpretation, "MONOCHROME2");
  fields.integer(tags::kRows, grid.size[1]);
  fields.integer(tags::kColumns, grid.size[0]);
  fields.decimals(tags::kPixelSpacing, {grid.spacing[1], grid.spacing[0]});  // down, then across
  fields.decimals(tags::kSliceThickness, {grid.spacing[2]});
  fields.decimals(tags::kSpacingBetweenSlices, {grid.spacing[2]});
  fields.decimals(tags::kImageOrientationPatient, slices.orientation);
  fields.integer(tags::kBitsAllocated, 16);
  fields.integer(tags::kBitsStored, 16);
  fields.integer(tags::kHighBit, 15);
  fields.integer(tags::kPixelRepresentation, 1);  // signed: every value of ct.nii.gz fits
  fields.decimals(tags::kRescaleIntercept, {0});
  fields.decimals(tags::kRescaleSlope, {1});
  fields.text(tags::kRescaleType, "HU");
  fields.decimals(tags::kWindowCenter, {40});
  fields.decimals(tags::kWindowWidth, {400});
  return fields;
}

}  // namespace

DicomSeries write_dicom_ct(const std::filesystem::path& folder, const Volume& ct,
                           const DicomStudy& study) {
  const Volume stored = stored_ct(folder.string(), ct);
  const at::Tensor pixels = slice_pixels(stored);
  const DicomSeries series = series_of(stored, study);
  const DicomSlices slices(stored.geometry);
  DicomFields fields = image_fields(series, slices);
  for (int64_t k = 0; k < pixels.size(0); ++k) {
    DicomObject object{kCtImageStorage, series.instance_uids[static_cast<size_t>(k)],
                       series.series_uid, "CT"};
    object.series_description = "Synthetic CT";
    object.instance_number = k + 1;
    fields.add(object_fields(object));
    fields.decimals(tags::kImagePositionPatient, slices.position(k));
    fields.bytes(tags::kPixelWords, voxel_bytes(pixels[k]));
    char name[16];
    std::snprintf(name, sizeof name, "%04d.dcm", static_cast<int>(k + 1));
    write_file_atomic(folder / name, dicom_file(fields));
  }
  return series;
}

}  // namespace guidegen
