#include "guidegen/data/prepare.hpp"

#include <algorithm>
#include <cmath>

#include "guidegen/core/error.hpp"
#include "guidegen/data/tumor_census.hpp"
#include "guidegen/volume/components.hpp"
#include "guidegen/volume/labels.hpp"
#include "guidegen/volume/nifti.hpp"
#include "guidegen/volume/resample.hpp"

namespace guidegen {
namespace {

template <typename T>
std::string in_brackets(const std::array<T, 3>& values) {
  return concat("[", values[0], ", ", values[1], ", ", values[2], "]");
}

void check_same_grid(const ImageGeometry& ct, const ImageGeometry& labels, const PairFiles& files) {
  if (same_geometry(ct, labels)) return;
  std::string difference = "orientation differs";
  if (ct.size != labels.size) {
    difference = concat("size ", in_brackets(labels.size), " against ", in_brackets(ct.size));
  } else if (std::abs(ct.spacing[0] - labels.spacing[0]) > 1e-3 ||
             std::abs(ct.spacing[1] - labels.spacing[1]) > 1e-3 ||
             std::abs(ct.spacing[2] - labels.spacing[2]) > 1e-3) {
    difference = concat("spacing ", in_brackets(labels.spacing), " mm against ",
                        in_brackets(ct.spacing), " mm");
  } else if (ct.direction == labels.direction) {
    difference = concat("origin ", in_brackets(labels.origin), " mm against ",
                        in_brackets(ct.origin), " mm");
  }
  throw_failure(files.labels.string(), ": not on the grid of ", files.ct.string(), ": ", difference,
                ", expected equal grids");
}

/// The two members of a group that differ in side alone: {left, right}.
std::pair<int, int> sides_of(const std::string& group, const Vocabulary& vocabulary,
                             const std::string& source, int value) {
  int left = -1;
  int right = -1;
  const std::vector<int>& members = vocabulary.group(group);
  for (const int id : members) {
    if (vocabulary.label(id).name.ends_with("_left")) left = id;
    if (vocabulary.label(id).name.ends_with("_right")) right = id;
  }
  if (members.size() != 2 || left < 0 || right < 0) {
    throw_failure(source, ": label value ", value, " stands for the group '", group,
                  "' as a whole, expected labels of its members");
  }
  return {left, right};
}

/// Whether voxels belong to the right half of the body, bool [1,D,H,W] or broadcast to it. Pieces
/// of what the mapping knows as groups alone lie on one side as a whole, that of their centroid, so
/// that a large tumor or a missing kidney does not cut the other one in two; but for pieces of
/// which the plane cuts a third off, such as horseshoe kidneys.
at::Tensor right_half(const Volume& labels, const LabelMapping& mapping, double middle_x) {
  constexpr double kTooMuch = 1.0 / 3;
  const at::Tensor beyond = at::arange(labels.data.size(3), at::kDouble).gt(middle_x);
  at::Tensor grouped = at::zeros(labels.data.sizes(), at::kByte);
  for (const auto& [value, group] : mapping.to_group) {
    grouped.masked_fill_(voxels_of(labels.data, value), 1);
  }
  at::Tensor ids;
  const auto pieces = find_components({grouped, labels.geometry}, 1, &ids);
  if (pieces.empty()) return beyond;
  const auto width = labels.data.size(3);
  at::Tensor right = beyond.expand(labels.data.sizes()).clone();
  for (size_t i = 0; i < pieces.size(); ++i) {
    const at::Tensor piece = ids.eq(static_cast<int64_t>(i) + 1).unsqueeze(0);
    const auto there = piece.logical_and(beyond.view({1, 1, 1, width})).sum().item<int64_t>();
    const bool is_right = pieces[i].centroid_index[0] > middle_x;
    const auto cut_off = is_right ? pieces[i].voxels - there : there;
    if (static_cast<double>(cut_off) < kTooMuch * static_cast<double>(pieces[i].voxels)) {
      right.masked_fill_(piece, is_right);
    }
  }
  return right;
}

/// Where the body's middle lies along x: the mean of its envelope.
double middle_of(const at::Tensor& envelope) {
  const at::Tensor columns = envelope.sum(c10::IntArrayRef{0, 1}).to(at::kDouble);
  const double total = columns.sum().item<double>();
  const auto width = columns.size(0);
  if (total == 0) return static_cast<double>(width - 1) / 2;
  return columns.dot(at::arange(width, at::kDouble)).item<double>() / total;
}

/// A source that labels the prostate by itself tells men; nothing tells women for sure.
std::optional<Sex> sex_of(const Volume& labels, const LabelMapping& mapping) {
  constexpr double kLeastMl = 5;  // smaller finds are often mistakes of an automatic segmentation
  for (const auto& [value, name] : mapping.foreign_names) {
    if (name != "prostate" && name != "uterus") continue;
    const auto voxels = voxels_of(labels.data, value).sum().item<int64_t>();
    if (static_cast<double>(voxels) * labels.geometry.voxel_ml() >= kLeastMl) {
      return name == "prostate" ? Sex::kMale : Sex::kFemale;
    }
  }
  return std::nullopt;
}

void resample(PreparedCase& prepared, const PrepareOptions& options) {
  if (!options.spacing && !options.size) return;
  ImageGeometry target = prepared.ct.geometry;
  if (options.spacing) target = respaced(target, *options.spacing);
  if (options.size) target = center_cropped_or_padded(target, *options.size);
  prepared.ct = resample_ct(prepared.ct, target);
  prepared.mask = resample_mask(prepared.mask, target);
}

}  // namespace

Volume map_labels(const Volume& labels, const Vocabulary& vocabulary, const LabelMapping& mapping,
                  double middle_x, const std::string& source, std::map<int, int64_t>* unknown) {
  const int64_t largest = label_range(labels.data).largest;
  const at::Tensor counts = count_labels(labels.data, largest + 1);
  // Two tables from foreign value to our id, one for each side of the middle.
  at::Tensor left = at::zeros({largest + 1}, at::kInt);
  at::Tensor right = at::zeros({largest + 1}, at::kInt);
  for (int value = 1; value <= static_cast<int>(largest); ++value) {
    if (counts[value].item<int64_t>() == 0) continue;
    if (const auto found = mapping.to_ours.find(value); found != mapping.to_ours.end()) {
      left[value] = found->second;
      right[value] = found->second;
    } else if (const auto group = mapping.to_group.find(value); group != mapping.to_group.end()) {
      const auto [left_id, right_id] = sides_of(group->second, vocabulary, source, value);
      left[value] = left_id;
      right[value] = right_id;
    } else if (unknown != nullptr) {
      left[value] = vocabulary.body();
      right[value] = vocabulary.body();
      (*unknown)[value] = counts[value].item<int64_t>();
    } else {
      throw_failure(source, ": label value ", value, " (", counts[value].item<int64_t>(),
                    " voxels) is not in the mapping '", mapping.name, "'");
    }
  }
  const at::Tensor index = labels.data.to(at::kLong);
  const at::Tensor on_right = right_half(labels, mapping, middle_x);
  const at::Tensor ours = at::where(on_right, right.index({index}), left.index({index}));
  return {ours.to(label_type(vocabulary.size())).contiguous(), labels.geometry};
}

PreparedCase prepare_pair(const PairFiles& files, const Vocabulary& vocabulary,
                          const PrepareOptions& options) {
  const LabelMapping& mapping = vocabulary.mapping(options.mapping);
  const Volume labels = read_mask(files.labels);
  PreparedCase prepared;
  prepared.ct = read_ct(files.ct);
  check_same_grid(prepared.ct.geometry, labels.geometry, files);
  const at::Tensor envelope = body_envelope(prepared.ct);
  prepared.mask =
      map_labels(labels, vocabulary, mapping, middle_of(envelope), files.labels.string());
  at::Tensor mask = prepared.mask.data[0];
  fill_label_(mask, mask.eq(0).logical_and(envelope), vocabulary.body());
  resample(prepared, options);
  prepared.prompt.id = files.id;
  prepared.prompt.sex = sex_of(labels, mapping);
  const bool labels_tumors = std::find(mapping.unlabelled.begin(), mapping.unlabelled.end(),
                                       vocabulary.tumor()) == mapping.unlabelled.end();
  // A source that never labels tumors does not say that there are none.
  if (labels_tumors) {
    prepared.prompt.tumors = summarize_tumors(find_tumors(prepared.mask, vocabulary));
  }
  return prepared;
}

}  // namespace guidegen
