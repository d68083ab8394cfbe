#pragma once

#include "volume/dicom_fields.hpp"

/// Attributes of DICOM that we write, under the names that PS3.6 gives them.
namespace guidegen::dicom_tags {

using gdcm::VR;

// Head of a file
inline constexpr DicomTag kImplementationClassUid{0x0002, 0x0012, VR::UI};
inline constexpr DicomTag kImplementationVersionName{0x0002, 0x0013, VR::SH};
inline constexpr DicomTag kSourceApplicationEntityTitle{0x0002, 0x0016, VR::AE};

// What the object is
inline constexpr DicomTag kSpecificCharacterSet{0x0008, 0x0005, VR::CS};
inline constexpr DicomTag kImageType{0x0008, 0x0008, VR::CS};
inline constexpr DicomTag kSopClassUid{0x0008, 0x0016, VR::UI};
inline constexpr DicomTag kSopInstanceUid{0x0008, 0x0018, VR::UI};
inline constexpr DicomTag kSyntheticData{0x0008, 0x001C, VR::CS};
inline constexpr DicomTag kStudyDate{0x0008, 0x0020, VR::DA};
inline constexpr DicomTag kSeriesDate{0x0008, 0x0021, VR::DA};
inline constexpr DicomTag kContentDate{0x0008, 0x0023, VR::DA};
inline constexpr DicomTag kStudyTime{0x0008, 0x0030, VR::TM};
inline constexpr DicomTag kSeriesTime{0x0008, 0x0031, VR::TM};
inline constexpr DicomTag kContentTime{0x0008, 0x0033, VR::TM};
inline constexpr DicomTag kAccessionNumber{0x0008, 0x0050, VR::SH};
inline constexpr DicomTag kModality{0x0008, 0x0060, VR::CS};
inline constexpr DicomTag kManufacturer{0x0008, 0x0070, VR::LO};
inline constexpr DicomTag kReferringPhysicianName{0x0008, 0x0090, VR::PN};
inline constexpr DicomTag kStudyDescription{0x0008, 0x1030, VR::LO};
inline constexpr DicomTag kSeriesDescription{0x0008, 0x103E, VR::LO};
inline constexpr DicomTag kManufacturerModelName{0x0008, 0x1090, VR::LO};
inline constexpr DicomTag kDerivationDescription{0x0008, 0x2111, VR::ST};
inline constexpr DicomTag kDeviceSerialNumber{0x0018, 0x1000, VR::LO};
inline constexpr DicomTag kSoftwareVersions{0x0018, 0x1020, VR::LO};

// Codes and references
inline constexpr DicomTag kCodeValue{0x0008, 0x0100, VR::SH};
inline constexpr DicomTag kCodingSchemeDesignator{0x0008, 0x0102, VR::SH};
inline constexpr DicomTag kCodeMeaning{0x0008, 0x0104, VR::LO};
inline constexpr DicomTag kLongCodeValue{0x0008, 0x0119, VR::UC};
inline constexpr DicomTag kReferencedSeriesSequence{0x0008, 0x1115, VR::SQ};
inline constexpr DicomTag kReferencedInstanceSequence{0x0008, 0x114A, VR::SQ};
inline constexpr DicomTag kReferencedSopClassUid{0x0008, 0x1150, VR::UI};
inline constexpr DicomTag kReferencedSopInstanceUid{0x0008, 0x1155, VR::UI};
inline constexpr DicomTag kSourceImageSequence{0x0008, 0x2112, VR::SQ};
inline constexpr DicomTag kDerivationImageSequence{0x0008, 0x9124, VR::SQ};
inline constexpr DicomTag kDerivationCodeSequence{0x0008, 0x9215, VR::SQ};
inline constexpr DicomTag kPurposeOfReferenceCodeSequence{0x0040, 0xA170, VR::SQ};

// Patient
inline constexpr DicomTag kPatientName{0x0010, 0x0010, VR::PN};
inline constexpr DicomTag kPatientId{0x0010, 0x0020, VR::LO};
inline constexpr DicomTag kPatientBirthDate{0x0010, 0x0030, VR::DA};
inline constexpr DicomTag kPatientSex{0x0010, 0x0040, VR::CS};
inline constexpr DicomTag kPatientAge{0x0010, 0x1010, VR::AS};
inline constexpr DicomTag kEthnicGroup{0x0010, 0x2160, VR::SH};
inline constexpr DicomTag kPatientComments{0x0010, 0x4000, VR::LT};

// Acquisition
inline constexpr DicomTag kContrastBolusAgent{0x0018, 0x0010, VR::LO};
inline constexpr DicomTag kSliceThickness{0x0018, 0x0050, VR::DS};
inline constexpr DicomTag kKvp{0x0018, 0x0060, VR::DS};
inline constexpr DicomTag kSpacingBetweenSlices{0x0018, 0x0088, VR::DS};
inline constexpr DicomTag kPatientPosition{0x0018, 0x5100, VR::CS};

// Where things belong and lie
inline constexpr DicomTag kStudyInstanceUid{0x0020, 0x000D, VR::UI};
inline constexpr DicomTag kSeriesInstanceUid{0x0020, 0x000E, VR::UI};
inline constexpr DicomTag kStudyId{0x0020, 0x0010, VR::SH};
inline constexpr DicomTag kSeriesNumber{0x0020, 0x0011, VR::IS};
inline constexpr DicomTag kAcquisitionNumber{0x0020, 0x0012, VR::IS};
inline constexpr DicomTag kInstanceNumber{0x0020, 0x0013, VR::IS};
inline constexpr DicomTag kImagePositionPatient{0x0020, 0x0032, VR::DS};
inline constexpr DicomTag kImageOrientationPatient{0x0020, 0x0037, VR::DS};
inline constexpr DicomTag kFrameOfReferenceUid{0x0020, 0x0052, VR::UI};
inline constexpr DicomTag kLaterality{0x0020, 0x0060, VR::CS};
inline constexpr DicomTag kPositionReferenceIndicator{0x0020, 0x1040, VR::LO};
inline constexpr DicomTag kImageComments{0x0020, 0x4000, VR::LT};

// Pixels
inline constexpr DicomTag kSamplesPerPixel{0x0028, 0x0002, VR::US};
inline constexpr DicomTag kPhotometricInterpretation{0x0028, 0x0004, VR::CS};
inline constexpr DicomTag kNumberOfFrames{0x0028, 0x0008, VR::IS};
inline constexpr DicomTag kRows{0x0028, 0x0010, VR::US};
inline constexpr DicomTag kColumns{0x0028, 0x0011, VR::US};
inline constexpr DicomTag kPixelSpacing{0x0028, 0x0030, VR::DS};
inline constexpr DicomTag kBitsAllocated{0x0028, 0x0100, VR::US};
inline constexpr DicomTag kBitsStored{0x0028, 0x0101, VR::US};
inline constexpr DicomTag kHighBit{0x0028, 0x0102, VR::US};
inline constexpr DicomTag kPixelRepresentation{0x0028, 0x0103, VR::US};
inline constexpr DicomTag kBurnedInAnnotation{0x0028, 0x0301, VR::CS};
inline constexpr DicomTag kWindowCenter{0x0028, 0x1050, VR::DS};
inline constexpr DicomTag kWindowWidth{0x0028, 0x1051, VR::DS};
inline constexpr DicomTag kRescaleIntercept{0x0028, 0x1052, VR::DS};
inline constexpr DicomTag kRescaleSlope{0x0028, 0x1053, VR::DS};
inline constexpr DicomTag kRescaleType{0x0028, 0x1054, VR::LO};
inline constexpr DicomTag kSpatialLocationsPreserved{0x0028, 0x135A, VR::CS};
inline constexpr DicomTag kLossyImageCompression{0x0028, 0x2110, VR::CS};
inline constexpr DicomTag kPixelWords{0x7FE0, 0x0010, VR::OW};  // PixelData of 16-bit images
inline constexpr DicomTag kPixelBits{0x7FE0, 0x0010, VR::OB};   // PixelData of binary segments

// Frames of one object
inline constexpr DicomTag kPixelMeasuresSequence{0x0028, 0x9110, VR::SQ};
inline constexpr DicomTag kFrameContentSequence{0x0020, 0x9111, VR::SQ};
inline constexpr DicomTag kPlanePositionSequence{0x0020, 0x9113, VR::SQ};
inline constexpr DicomTag kPlaneOrientationSequence{0x0020, 0x9116, VR::SQ};
inline constexpr DicomTag kDimensionIndexValues{0x0020, 0x9157, VR::UL};
inline constexpr DicomTag kDimensionOrganizationUid{0x0020, 0x9164, VR::UI};
inline constexpr DicomTag kDimensionIndexPointer{0x0020, 0x9165, VR::AT};
inline constexpr DicomTag kFunctionalGroupPointer{0x0020, 0x9167, VR::AT};
inline constexpr DicomTag kDimensionOrganizationSequence{0x0020, 0x9221, VR::SQ};
inline constexpr DicomTag kDimensionIndexSequence{0x0020, 0x9222, VR::SQ};
inline constexpr DicomTag kDimensionDescriptionLabel{0x0020, 0x9421, VR::LO};
inline constexpr DicomTag kSharedFunctionalGroupsSequence{0x5200, 0x9229, VR::SQ};
inline constexpr DicomTag kPerFrameFunctionalGroupsSequence{0x5200, 0x9230, VR::SQ};

// Segments
inline constexpr DicomTag kSegmentationType{0x0062, 0x0001, VR::CS};
inline constexpr DicomTag kSegmentSequence{0x0062, 0x0002, VR::SQ};
inline constexpr DicomTag kSegmentedPropertyCategoryCodeSequence{0x0062, 0x0003, VR::SQ};
inline constexpr DicomTag kSegmentNumber{0x0062, 0x0004, VR::US};
inline constexpr DicomTag kSegmentLabel{0x0062, 0x0005, VR::LO};
inline constexpr DicomTag kSegmentDescription{0x0062, 0x0006, VR::ST};
inline constexpr DicomTag kSegmentAlgorithmType{0x0062, 0x0008, VR::CS};
inline constexpr DicomTag kSegmentAlgorithmName{0x0062, 0x0009, VR::LO};
inline constexpr DicomTag kSegmentIdentificationSequence{0x0062, 0x000A, VR::SQ};
inline constexpr DicomTag kReferencedSegmentNumber{0x0062, 0x000B, VR::US};
inline constexpr DicomTag kRecommendedDisplayCielabValue{0x0062, 0x000D, VR::US};
inline constexpr DicomTag kSegmentedPropertyTypeCodeSequence{0x0062, 0x000F, VR::SQ};
inline constexpr DicomTag kSegmentsOverlap{0x0062, 0x0013, VR::CS};
inline constexpr DicomTag kContentLabel{0x0070, 0x0080, VR::CS};
inline constexpr DicomTag kContentDescription{0x0070, 0x0081, VR::LO};
inline constexpr DicomTag kContentCreatorName{0x0070, 0x0084, VR::PN};

}  // namespace guidegen::dicom_tags
