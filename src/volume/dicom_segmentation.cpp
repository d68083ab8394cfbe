#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/volume/dicom.hpp"
#include "guidegen/volume/labels.hpp"
#include "volume/cielab.hpp"
#include "volume/dicom_modules.hpp"
#include "volume/dicom_tags.hpp"
#include "volume/stored_voxels.hpp"

namespace guidegen {
namespace {

namespace tags = dicom_tags;

/// Frames of all segments, and the bits of their pixels one after the other without padding.
struct Frames {
  std::vector<int> labels;          ///< of the segments, in order
  std::vector<DicomFields> fields;  ///< of each frame
  std::string bits;

  /// Adds the pixels of a frame, `count` bytes that are 0 or 1; the first goes to the lowest bit.
  void append(const uint8_t* pixels, int64_t count) {
    for (int64_t i = 0; i < count; ++i, ++size_) {
      if (size_ % 8 == 0) bits += '\0';
      bits.back() = static_cast<char>(static_cast<uint8_t>(bits.back()) |
                                      static_cast<uint8_t>(pixels[i] << (size_ % 8)));
    }
  }

 private:
  int64_t size_ = 0;
};

DicomFields reference_to(const std::string& instance_uid) {
  DicomFields reference;
  reference.text(tags::kReferencedSopClassUid, kCtImageStorage);
  reference.text(tags::kReferencedSopInstanceUid, instance_uid);
  return reference;
}

/// Which slice of the CT a frame was made for (Derivation Image).
DicomFields derivation_of(const std::string& instance_uid) {
  DicomFields source = reference_to(instance_uid);
  source.sequence(tags::kPurposeOfReferenceCodeSequence,
                  {code_item("121322", "DCM", "Source image for image processing operation")});
  source.text(tags::kSpatialLocationsPreserved, "YES");
  DicomFields derivation;
  derivation.sequence(tags::kSourceImageSequence, {source});
  derivation.sequence(tags::kDerivationCodeSequence, {code_item("113076", "DCM", "Segmentation")});
  return derivation;
}

DicomFields frame_fields(int64_t segment, int64_t slice, const DicomSlices& slices,
                         const DicomSeries& series) {
  DicomFields content, position, identification, frame;
  content.integers(tags::kDimensionIndexValues, {segment, slice + 1});
  position.decimals(tags::kImagePositionPatient, slices.position(slice));
  identification.integer(tags::kReferencedSegmentNumber, segment);
  frame.sequence(tags::kDerivationImageSequence,
                 {derivation_of(series.instance_uids[static_cast<size_t>(slice)])});
  frame.sequence(tags::kFrameContentSequence, {content});
  frame.sequence(tags::kPlanePositionSequence, {position});
  frame.sequence(tags::kSegmentIdentificationSequence, {identification});
  return frame;
}

Frames frames_of(const Volume& stored, const DicomSlices& slices, const DicomSeries& series,
                 const Vocabulary& vocabulary) {
  const at::Tensor pixels = slice_pixels(stored);
  const at::Tensor counts = count_labels(stored.data, vocabulary.size());
  Frames frames;
  for (const LabelInfo& label : vocabulary.labels()) {
    if (label.id == vocabulary.background() || counts[label.id].item<int64_t>() == 0) continue;
    frames.labels.push_back(label.id);
    const auto segment = static_cast<int64_t>(frames.labels.size());
    const at::Tensor voxels = voxels_of(pixels, label.id).contiguous();
    const at::Tensor slices_in_use = voxels.flatten(1).any(1);
    for (int64_t k = 0; k < pixels.size(0); ++k) {
      if (!slices_in_use[k].item<bool>()) continue;
      frames.fields.push_back(frame_fields(segment, k, slices, series));
      const at::Tensor frame = voxels[k];
      frames.append(reinterpret_cast<const uint8_t*>(frame.const_data_ptr<bool>()), frame.numel());
    }
  }
  return frames;
}

DicomFields segment_fields(const LabelInfo& label, int64_t number, bool is_tumor) {
  DicomFields segment;
  segment.integer(tags::kSegmentNumber, number);
  segment.text(tags::kSegmentLabel, label.display);
  segment.text(tags::kSegmentDescription, label.name);
  segment.text(tags::kSegmentAlgorithmType, "AUTOMATIC");
  segment.text(tags::kSegmentAlgorithmName, "guidegen");
  segment.integers(tags::kRecommendedDisplayCielabValue, dicom_cielab(label.color));
  segment.sequence(tags::kSegmentedPropertyCategoryCodeSequence,
                   {is_tumor ? code_item("49755003", "SCT", "Morphologically Abnormal Structure")
                             : code_item("123037004", "SCT", "Anatomical Structure")});
  segment.sequence(tags::kSegmentedPropertyTypeCodeSequence,
                   {label.code.empty() ? code_item("label-" + std::to_string(label.id),
                                                   "99GUIDEGEN", label.display)
                                       : code_item(label.code, "SCT", label.code_meaning)});
  return segment;
}

/// The axes that frames are sorted along: segment, then position.
void add_dimensions(DicomFields& fields, const std::string& uid) {
  const auto index = [&](const DicomTag& attribute, const DicomTag& group,
                         const std::string& name) {
    DicomFields item;
    item.text(tags::kDimensionOrganizationUid, uid);
    item.pointer(tags::kDimensionIndexPointer, attribute);
    item.pointer(tags::kFunctionalGroupPointer, group);
    item.text(tags::kDimensionDescriptionLabel, name);
    return item;
  };
  DicomFields organization;
  organization.text(tags::kDimensionOrganizationUid, uid);
  fields.sequence(tags::kDimensionOrganizationSequence, {organization});
  fields.sequence(
      tags::kDimensionIndexSequence,
      {index(tags::kReferencedSegmentNumber, tags::kSegmentIdentificationSequence, "Segment"),
       index(tags::kImagePositionPatient, tags::kPlanePositionSequence, "Position")});
}

void add_grid(DicomFields& fields, const DicomSlices& slices) {
  const Vec3& spacing = slices.grid.spacing;
  DicomFields measures, orientation, shared;
  measures.decimals(tags::kPixelSpacing, {spacing[1], spacing[0]});
  measures.decimals(tags::kSliceThickness, {spacing[2]});
  measures.decimals(tags::kSpacingBetweenSlices, {spacing[2]});
  orientation.decimals(tags::kImageOrientationPatient, slices.orientation);
  shared.sequence(tags::kPixelMeasuresSequence, {measures});
  shared.sequence(tags::kPlaneOrientationSequence, {orientation});
  fields.sequence(tags::kSharedFunctionalGroupsSequence, {shared});
}

void add_references(DicomFields& fields, const DicomSeries& series) {
  std::vector<DicomFields> instances;
  for (const std::string& uid : series.instance_uids) instances.push_back(reference_to(uid));
  DicomFields referenced;
  referenced.text(tags::kSeriesInstanceUid, series.series_uid);
  referenced.sequence(tags::kReferencedInstanceSequence, instances);
  fields.sequence(tags::kReferencedSeriesSequence, {referenced});
}

void add_segments(DicomFields& fields, const Frames& frames, const Vocabulary& vocabulary) {
  std::vector<DicomFields> segments;
  for (const int id : frames.labels) {
    segments.push_back(segment_fields(
        vocabulary.label(id), static_cast<int64_t>(segments.size()) + 1, id == vocabulary.tumor()));
  }
  fields.text(tags::kSegmentationType, "BINARY");
  fields.text(tags::kSegmentsOverlap, "NO");
  fields.sequence(tags::kSegmentSequence, segments);
}

void add_pixels(DicomFields& fields, const Frames& frames, const DicomSlices& slices) {
  fields.texts(tags::kImageType, {"DERIVED", "PRIMARY"});
  fields.text(tags::kContentLabel, "SEGMENTATION");
  fields.text(tags::kContentDescription, "Labels that the synthetic CT was made from");
  fields.text(tags::kContentCreatorName, "guidegen^");
  fields.text(tags::kLossyImageCompression, "00");
  fields.text(tags::kBurnedInAnnotation, "NO");
  fields.integer(tags::kSamplesPerPixel, 1);
  fields.text(tags::kPhotometricInterpretation, "MONOCHROME2");
  fields.integer(tags::kNumberOfFrames, static_cast<int64_t>(frames.fields.size()));
  fields.integer(tags::kRows, slices.grid.size[1]);
  fields.integer(tags::kColumns, slices.grid.size[0]);
  fields.integer(tags::kBitsAllocated, 1);
  fields.integer(tags::kBitsStored, 1);
  fields.integer(tags::kHighBit, 0);
  fields.integer(tags::kPixelRepresentation, 0);
  fields.sequence(tags::kPerFrameFunctionalGroupsSequence, frames.fields);
  fields.bytes(tags::kPixelBits, frames.bits);
}

void check_mask(const std::string& name, const Volume& stored, const DicomSeries& series,
                const Vocabulary& vocabulary) {
  if (!same_geometry(stored.geometry, series.geometry)) {
    throw_failure(name, ": cannot be written: the mask is not on the grid of the CT");
  }
  const int64_t largest = label_range(stored.data).largest;
  if (largest >= vocabulary.size()) {
    throw_failure(name, ": cannot be written: label ", largest, ", expected labels below ",
                  vocabulary.size());
  }
  if (largest == 0) {
    throw_failure(name, ": cannot be written: the mask holds background alone, expected a label");
  }
}

}  // namespace

void write_dicom_segmentation(const std::filesystem::path& path, const Volume& mask,
                              const DicomSeries& series, const Vocabulary& vocabulary) {
  const Volume stored = stored_mask(path.string(), mask);
  check_mask(path.string(), stored, series, vocabulary);
  const DicomSlices slices(series.geometry);
  const Frames frames = frames_of(stored, slices, series, vocabulary);
  const std::string digest = sha256_hex(series.digest + sha256_hex(voxel_bytes(stored.data)) +
                                        sha256_hex(vocabulary.document().dump()));

  DicomFields fields = study_fields(series);
  DicomObject object{kSegmentationStorage, dicom_uid(digest + "/segmentation"),
                     dicom_uid(digest + "/series"), "SEG"};
  object.series_description = "Labels of the synthetic CT";
  object.series_number = 2;
  fields.add(object_fields(object));
  add_references(fields, series);
  add_dimensions(fields, dicom_uid(digest + "/dimensions"));
  add_grid(fields, slices);
  add_segments(fields, frames, vocabulary);
  add_pixels(fields, frames, slices);
  write_file_atomic(path, dicom_file(fields));
}

}  // namespace guidegen
