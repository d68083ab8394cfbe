#pragma once

#include <filesystem>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/prompt/prompt.hpp"
#include "guidegen/volume/dicom.hpp"

namespace guidegen {

/// What DICOM files say of the patient whom a prompt describes; what it leaves open stays open.
DicomStudy dicom_study(const Prompt& prompt);

/// Writes a case as DICOM into the existing `folder`: ct/0001.dcm and so on, one file a slice, and,
/// where `mask` is not null, seg.dcm, which refers to them. Both depend on the arguments and the
/// version of the program alone. The caller makes the folder appear at once (AtomicDirectory).
/// Throws Error(kFailure).
void write_dicom_case(const std::filesystem::path& folder, const Prompt& prompt, const Volume& ct,
                      const Volume* mask, const Vocabulary& vocabulary);

}  // namespace guidegen
