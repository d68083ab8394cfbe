#include "volume/dicom_modules.hpp"

#include <cstdio>

#include "guidegen/core/sha256.hpp"
#include "guidegen/core/version.hpp"
#include "volume/dicom_tags.hpp"

namespace guidegen {
namespace {

// Segmentations must have a date. A fixed one keeps equal inputs at equal files.
constexpr const char* kDate = "20000101";
constexpr const char* kTime = "000000";

/// Case ids may be twice as long as an id of DICOM: long ones keep their start and gain a hash.
std::string short_id(const std::string& id) {
  constexpr size_t kLongest = 48;
  if (id.size() <= kLongest) return id;
  return id.substr(0, kLongest - 13) + "-" + sha256_hex(id).substr(0, 12);
}

}  // namespace

DicomSlices::DicomSlices(const ImageGeometry& ras) : grid(ras) {
  const Vec3 first{static_cast<double>(ras.size[0] - 1), static_cast<double>(ras.size[1] - 1), 0};
  grid.origin = ras.to_world(first);
  for (auto& row : grid.direction) {
    row[0] = -row[0];
    row[1] = -row[1];
  }
  for (const size_t axis : {0, 1}) {
    orientation.insert(orientation.end(), {-grid.direction[0][axis], -grid.direction[1][axis],
                                           grid.direction[2][axis]});
  }
}

std::vector<double> DicomSlices::position(int64_t slice) const {
  const Vec3 world = grid.to_world({0, 0, static_cast<double>(slice)});
  return {-world[0], -world[1], world[2]};
}

at::Tensor slice_pixels(const Volume& ras) { return ras.data[0].flip({1, 2}).contiguous(); }

DicomFields study_fields(const DicomSeries& series) {
  namespace tags = dicom_tags;
  const DicomStudy& study = series.study;
  DicomFields fields;
  fields.text(tags::kSpecificCharacterSet, "ISO_IR 192");  // UTF-8
  fields.text(tags::kSyntheticData, "YES");
  fields.text(tags::kPatientName, "Synthetic^" + short_id(study.case_id));
  fields.text(tags::kPatientId, "synthetic-" + short_id(study.case_id));
  fields.text(tags::kPatientBirthDate, "");
  fields.text(tags::kPatientSex, study.sex);
  if (study.age) {
    char age[8];
    std::snprintf(age, sizeof age, "%03dY", *study.age);
    fields.text(tags::kPatientAge, age);
  }
  if (!study.ethnic_group.empty()) fields.text(tags::kEthnicGroup, study.ethnic_group);
  fields.text(tags::kPatientComments, "Not a real patient: made by guidegen");

  fields.text(tags::kStudyInstanceUid, series.study_uid);
  fields.text(tags::kStudyId, "1");
  fields.text(tags::kStudyDescription, "Synthetic CT " + short_id(study.case_id));
  fields.text(tags::kReferringPhysicianName, "");
  fields.text(tags::kAccessionNumber, "");
  for (const DicomTag& tag : {tags::kStudyDate, tags::kSeriesDate, tags::kContentDate}) {
    fields.text(tag, kDate);
  }
  for (const DicomTag& tag : {tags::kStudyTime, tags::kSeriesTime, tags::kContentTime}) {
    fields.text(tag, kTime);
  }
  fields.text(tags::kFrameOfReferenceUid, series.frame_of_reference_uid);
  fields.text(tags::kPositionReferenceIndicator, "");

  fields.text(tags::kManufacturer, "guidegen");
  fields.text(tags::kManufacturerModelName, "guidegen");
  fields.text(tags::kDeviceSerialNumber, "none");
  fields.text(tags::kSoftwareVersions, version());
  return fields;
}

DicomFields object_fields(const DicomObject& object) {
  namespace tags = dicom_tags;
  DicomFields fields;
  fields.text(tags::kSopClassUid, object.sop_class);
  fields.text(tags::kSopInstanceUid, object.instance_uid);
  fields.text(tags::kSeriesInstanceUid, object.series_uid);
  fields.text(tags::kModality, object.modality);
  fields.text(tags::kSeriesDescription, object.series_description);
  fields.integer(tags::kSeriesNumber, object.series_number);
  fields.integer(tags::kInstanceNumber, object.instance_number);
  return fields;
}

DicomFields code_item(const std::string& value, const std::string& scheme,
                      const std::string& meaning) {
  constexpr size_t kLongestShortCode = 16;
  DicomFields code;
  const bool is_short = value.size() <= kLongestShortCode;
  code.text(is_short ? dicom_tags::kCodeValue : dicom_tags::kLongCodeValue, value);
  code.text(dicom_tags::kCodingSchemeDesignator, scheme);
  code.text(dicom_tags::kCodeMeaning, meaning);
  return code;
}

}  // namespace guidegen
