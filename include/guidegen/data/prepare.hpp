#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/prompt/prompt.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// A CT and the label map that somebody drew on it.
struct PairFiles {
  std::string id;
  std::filesystem::path ct;
  std::filesystem::path labels;
};

struct PrepareOptions {
  std::string mapping;          ///< name in the vocabulary: "totalsegmentator_v2"
  std::optional<Vec3> spacing;  ///< x, y, z in mm; native when absent
  std::optional<std::array<int64_t, 3>>
      size;  ///< x, y, z voxels, cropped or padded around the centre
};

/// A pair in our vocabulary, ready for DatasetWriter::add.
struct PreparedCase {
  Prompt
      prompt;  ///< what the labels alone tell: tumors where the source labels them, sex by prostate
  Volume mask;
  Volume ct;
};

/// Pairs the files of two folders by name (`.nii`, `.nii.gz`, and nnU-Net's `_0000` after the name
/// of a CT do not count), or one file with one file. `id` names a single pair; by default the name
/// of the CT file does. Throws Error(kUsage) for what has no partner or a name that can't be an id.
std::vector<PairFiles> find_pairs(const std::filesystem::path& ct,
                                  const std::filesystem::path& labels,
                                  const std::optional<std::string>& id = std::nullopt);

/// Reads a pair, checks that both lie on one grid, and maps its labels. Voxels without a label
/// inside the body envelope become "body". Without `spacing` and `size` no voxel is resampled:
/// mapped organs keep their voxel counts exactly. Throws Error(kFailure), naming the file, for
/// images that can't be read, differing grids or label values that the mapping lacks; Error(kUsage)
/// for unknown mappings.
PreparedCase prepare_pair(const PairFiles& files, const Vocabulary& vocabulary,
                          const PrepareOptions& options);

/// Foreign labels [1,D,H,W] in our ids. 0 stays 0. A value that stands for a left and right pair as
/// a whole (KiTS's kidneys) is parted at x index `middle_x`; each piece goes to one side. Values
/// that the mapping lacks throw Error(kFailure), opened by `source`; with `unknown` they become
/// "body" and their voxels are counted there.
Volume map_labels(const Volume& labels, const Vocabulary& vocabulary, const LabelMapping& mapping,
                  double middle_x, const std::string& source,
                  std::map<int, int64_t>* unknown = nullptr);

/// Voxels inside the skin, bool [D,H,W]: tissue above -300 HU, without what hangs on by less than
/// about 8 mm in the axial plane (table, wires, blankets), the largest piece, holes filled slice by
/// slice.
at::Tensor body_envelope(const Volume& ct);

}  // namespace guidegen
