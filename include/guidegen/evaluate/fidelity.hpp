#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/evaluate/answer_summary.hpp"
#include "guidegen/evaluate/noise_power.hpp"
#include "guidegen/volume/exposure.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// How true a CT is to its reference; docs/evaluation.md defines every figure. `name` is a key of
/// the JSON: "mae_hu", or "soft_tissue/ssim_3d" for one seen through a window. NaN and infinity
/// (no voxel, equal images) mean that there is no such figure.
using FidelityFigure = std::pair<std::string, double>;

/// Figures of one window, tissue class, organ, kind of border or homogeneous organ.
struct FidelityRow {
  std::string name;
  std::vector<FidelityFigure> figures;
};

/// "windows", "tissues", "organs", "borders" or "noise"; the last three need a mask. Rows without a
/// voxel in this case are left out.
struct FidelitySection {
  std::string name;
  std::vector<FidelityRow> rows;
};

/// Noise power of one homogeneous organ, in the same patches of both images.
struct NoiseComparison {
  std::string label;
  NoiseSpectrum reference;
  NoiseSpectrum reconstruction;
};

/// PNG bytes of three planes each: axial, coronal, sagittal.
struct FidelityPictures {
  std::string window;
  double difference_hu = 0;  ///< the difference is white at +this and black at -this
  std::string reference, reconstruction, difference;
};

struct FidelityCase {
  std::string id;
  std::vector<FidelitySection> sections;
  std::vector<NoiseComparison> noise;
  std::vector<FidelityPictures> pictures;  ///< of the first cases only
};

struct FidelityOptions {
  std::vector<Exposure> windows = default_exposures();
  /// Labels whose inside counts as homogeneous; those that the vocabulary lacks are left out.
  std::vector<std::string> homogeneous = {"liver", "spleen", "bladder"};
  int64_t pictures = 0;  ///< cases to draw
  /// Voxels that are worked on at once, in whole slices: some 100 bytes each. Figures do not depend
  /// on it but for the order in which floating-point numbers are added.
  int64_t slab_voxels = int64_t{1} << 22;
};

/// Figures of one case, without pictures. CTs [1,D,H,W] in HU, `mask` [1,D,H,W] of the vocabulary
/// or null, all on one grid. Works through the volume in slabs. Throws Error(kFailure) for shapes
/// that differ and for labels that the vocabulary lacks.
FidelityCase measure_fidelity(const std::string& id, const Volume& reference,
                              const Volume& reconstruction, const Volume* mask,
                              const Vocabulary& vocabulary, const FidelityOptions& options = {});

/// Reference, reconstruction and their difference through each window.
std::vector<FidelityPictures> draw_fidelity(const Volume& reference, const Volume& reconstruction,
                                            const Volume* mask, const Vocabulary& vocabulary,
                                            const std::vector<Exposure>& windows);

/// Files of one case.
struct FidelityPair {
  std::string id;
  std::filesystem::path reference, reconstruction;
  std::optional<std::filesystem::path> mask;
};

/// Each path is a NIfTI file or a folder of cases, <id>/ct.nii.gz (or <id>.nii.gz, <id>.nii); masks
/// are <id>/mask.nii.gz (or <id>.nii.gz, <id>.nii). Without `mask`, the masks beside the CTs of a
/// reference folder are taken where they are. Sorted by id. Throws Error(kUsage) naming a case that
/// one side lacks.
std::vector<FidelityPair> find_fidelity_pairs(const std::filesystem::path& reference,
                                              const std::filesystem::path& reconstruction,
                                              const std::filesystem::path& mask);

/// One row of the summary: means over the cases that have the figure, with 95 % bootstrap intervals
/// over cases (NaN for a single one).
struct FidelitySummaryRow {
  std::string name;
  std::vector<std::pair<std::string, Estimate>> figures;
};

struct FidelitySummary {
  std::string name;  ///< of the section
  std::vector<FidelitySummaryRow> rows;
};

struct FidelityReport {
  std::vector<Exposure> windows;
  std::vector<FidelityCase> cases;
  std::vector<FidelitySummary> summary;
};

/// Reads and measures case by case. Throws Error(kUsage) naming the file whose grid differs from
/// that of its reference.
FidelityReport evaluate_fidelity(const std::vector<FidelityPair>& pairs,
                                 const Vocabulary& vocabulary, const FidelityOptions& options,
                                 const std::function<void(int64_t, int64_t)>& on_case = {});

FidelityReport summarize_fidelity(std::vector<FidelityCase> cases,
                                  const std::vector<Exposure>& windows);

/// Tables for people and a final newline.
std::string to_table(const FidelityReport& report);
/// Everything but the pictures; figures that do not exist are null.
Json to_json(const FidelityReport& report);
/// A page that needs no other file.
std::string to_page(const FidelityReport& report, const std::string& title);

}  // namespace guidegen
