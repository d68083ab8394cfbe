#include "guidegen/evaluate/resegmentation.hpp"

#include "guidegen/core/error.hpp"
#include "guidegen/data/tumor_census.hpp"
#include "guidegen/volume/components.hpp"
#include "guidegen/volume/labels.hpp"

namespace guidegen {
namespace {

constexpr double kDetectedShare = 0.1;
constexpr int64_t kLeastVoxels = 2;  // of a piece that counts as a tumor

at::Tensor voxels_of_any(const Volume& mask, const std::vector<int>& labels) {
  at::Tensor where = at::zeros(mask.data[0].sizes(), at::kBool);
  for (const int label : labels) where.logical_or_(voxels_of(mask.data[0], label));
  return where;
}

void add_overlap(std::map<std::string, Overlap>& rows, const std::string& name,
                 const Overlap& overlap) {
  if (overlap.wanted_voxels + overlap.found_voxels > 0) rows[name] = overlap;
}

/// The tumor with id `piece` of `wanted` against the pieces of `found` that touch it.
TumorCheck check_tumor(const at::Tensor& piece, const at::Tensor& found_ids) {
  TumorCheck check;
  const at::Tensor met = found_ids.masked_select(piece);
  const auto voxels = static_cast<double>(met.numel());
  const auto common = static_cast<double>(met.count_nonzero().item<int64_t>());
  check.detected = common > 0 && common >= kDetectedShare * voxels;
  if (common == 0) return check;
  const at::Tensor touching = at::isin(found_ids, met.masked_select(met.ne(0)));
  check.dice = 2 * common / (voxels + static_cast<double>(touching.sum().item<int64_t>()));
  return check;
}

void check_tumors(const Volume& wanted, const Volume& found, const Vocabulary& vocabulary,
                  Resegmentation& out) {
  at::Tensor wanted_ids;
  at::Tensor found_ids;
  find_components(wanted, vocabulary.tumor(), &wanted_ids);
  const auto pieces = find_components(found, vocabulary.tumor(), &found_ids);
  const auto tumors = find_tumors(wanted, vocabulary, kLeastVoxels);
  // Both list components largest first, and small ones come last, so ids are places in the list.
  for (size_t i = 0; i < tumors.size(); ++i) {
    const at::Tensor piece = wanted_ids.eq(static_cast<int64_t>(i) + 1);
    TumorCheck check = check_tumor(piece, found_ids);
    check.organ = tumors[i].organ;
    check.diameter_mm = tumors[i].component.diameter_mm;
    out.tumors.push_back(check);
  }
  const at::Tensor hit = at::bincount(found_ids.masked_select(wanted_ids.ne(0)), {},
                                      static_cast<int64_t>(pieces.size()) + 1);
  for (size_t i = 0; i < pieces.size(); ++i) {
    const auto id = static_cast<int64_t>(i) + 1;
    if (pieces[i].voxels >= kLeastVoxels && hit[id].item<int64_t>() == 0) ++out.false_tumors;
  }
}

}  // namespace

Resegmentation compare_masks(const Volume& wanted, const Volume& found,
                             const Vocabulary& vocabulary, double tolerance_mm) {
  if (!same_geometry(wanted.geometry, found.geometry)) {
    throw_failure("re-segmentation: the grids of the two masks differ, expected one grid");
  }
  Resegmentation out;
  const auto compare = [&](const std::vector<int>& labels) {
    return overlap_of(voxels_of_any(wanted, labels), voxels_of_any(found, labels),
                      wanted.geometry.spacing, tolerance_mm);
  };
  for (const LabelInfo& label : vocabulary.labels()) {
    if (label.id == vocabulary.background()) continue;
    add_overlap(out.labels, label.name, compare({label.id}));
  }
  for (const auto& [name, members] : vocabulary.groups()) {
    add_overlap(out.groups, name, compare(members));
  }
  check_tumors(wanted, found, vocabulary, out);
  return out;
}

}  // namespace guidegen
