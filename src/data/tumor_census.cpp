#include "guidegen/data/tumor_census.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "data/tumor_position.hpp"
#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

/// Labels of the five organs that may host a tumor, with the position that the label alone settles.
struct HostLabel {
  const char* label;
  TumorOrgan organ;
  std::optional<TumorPosition> position;
};

const std::vector<HostLabel>& host_labels() {
  using O = TumorOrgan;
  using P = TumorPosition;
  static const std::vector<HostLabel> labels{
      {"lung_upper_left", O::kLung, P::kLungLeftUpper},
      {"lung_lower_left", O::kLung, P::kLungLeftLower},
      {"lung_upper_right", O::kLung, P::kLungRightUpperMiddle},
      {"lung_middle_right", O::kLung, P::kLungRightUpperMiddle},
      {"lung_lower_right", O::kLung, P::kLungRightLower},
      {"kidney_left", O::kKidney, P::kKidneyLeft},
      {"kidney_right", O::kKidney, P::kKidneyRight},
      {"liver", O::kLiver, std::nullopt},
      {"colon", O::kColon, std::nullopt},
      {"pancreas", O::kPancreas, std::nullopt},
  };
  return labels;
}

/// Voxels of each label in a box-shaped shell of `thickness_mm` (at least one voxel) around piece
/// `piece_id` of `ids` [D,H,W]; int64 [labels].
at::Tensor shell_counts(const Volume& mask, const at::Tensor& ids, int32_t piece_id,
                        const Component& component, double thickness_mm, int labels) {
  std::array<int64_t, 3> low{};
  std::array<int64_t, 3> high{};
  std::array<int64_t, 3> reach{};  // x, y, z
  for (size_t k = 0; k < 3; ++k) {
    reach[k] = std::max<int64_t>(
        1, static_cast<int64_t>(std::lround(thickness_mm / mask.geometry.spacing[k])));
    low[k] = std::max<int64_t>(0, component.bounds[2 * k] - reach[k]);
    high[k] = std::min(mask.geometry.size[k] - 1, component.bounds[2 * k + 1] + reach[k]);
  }
  const auto crop = [&](const at::Tensor& volume) {
    return volume.slice(0, low[2], high[2] + 1)
        .slice(1, low[1], high[1] + 1)
        .slice(2, low[0], high[0] + 1);
  };
  const at::Tensor inside = crop(ids).eq(piece_id);
  const at::Tensor grown = at::max_pool3d(inside.to(at::kFloat).unsqueeze(0),
                                          {2 * reach[2] + 1, 2 * reach[1] + 1, 2 * reach[0] + 1},
                                          {1, 1, 1}, {reach[2], reach[1], reach[0]})
                               .squeeze(0)
                               .gt(0.5F);
  const at::Tensor shell = grown.logical_and(inside.logical_not());
  return crop(mask.data[0]).masked_select(shell).to(at::kLong).bincount({}, labels);
}

/// Key of the largest value; the smaller key on a tie, none when all are zero.
template <typename Key>
std::optional<Key> most(const std::map<Key, int64_t>& counts) {
  std::optional<Key> best;
  int64_t most_voxels = 0;
  for (const auto& [key, voxels] : counts) {
    if (voxels > most_voxels) {
      best = key;
      most_voxels = voxels;
    }
  }
  return best;
}

struct Host {
  TumorOrgan organ;
  std::optional<TumorPosition> position;
};

std::optional<Host> host_in(const at::Tensor& counts, const Vocabulary& vocabulary) {
  std::map<TumorOrgan, int64_t> organs;
  std::map<TumorPosition, int64_t> positions;
  for (const HostLabel& host : host_labels()) {
    const std::optional<int> label = vocabulary.find(host.label);
    if (!label) continue;
    const int64_t voxels = counts[*label].item<int64_t>();
    organs[host.organ] += voxels;
    if (host.position) positions[*host.position] += voxels;
  }
  const std::optional<TumorOrgan> organ = most(organs);
  if (!organ) return std::nullopt;
  std::erase_if(positions, [&](const auto& item) { return organ_of(item.first) != *organ; });
  return Host{*organ, most(positions)};
}

std::optional<TumorPosition> position_in(TumorOrgan organ, const Volume& mask,
                                         const Vocabulary& vocabulary, const Vec3& point) {
  switch (organ) {
    case TumorOrgan::kColon:
      return colon_position(mask, vocabulary, point);
    case TumorOrgan::kPancreas:
      return pancreas_position(mask, vocabulary, point);
    case TumorOrgan::kLiver:
      return liver_position(mask, vocabulary, point);
    default:
      return std::nullopt;
  }
}

FoundTumor locate(const Volume& mask, const Vocabulary& vocabulary, const at::Tensor& ids,
                  int32_t piece_id, const Component& component) {
  FoundTumor tumor;
  tumor.component = component;
  // A thin shell says best what surrounds the tumor; wider ones help where a rim of another label,
  // fat for instance, parts it from its host.
  for (const double thickness_mm : {3.0, 6.0, 12.0}) {
    const at::Tensor counts =
        shell_counts(mask, ids, piece_id, component, thickness_mm, vocabulary.size());
    const std::optional<Host> host = host_in(counts, vocabulary);
    if (!host) continue;
    tumor.organ = host->organ;
    tumor.position = host->position;
    break;
  }
  if (tumor.organ && !tumor.position) {
    Vec3 point = component.centroid_index;
    for (size_t k = 0; k < 3; ++k) point[k] *= mask.geometry.spacing[k];
    tumor.position = position_in(*tumor.organ, mask, vocabulary, point);
  }
  return tumor;
}

}  // namespace

std::vector<FoundTumor> find_tumors(const Volume& mask, const Vocabulary& vocabulary,
                                    int64_t min_voxels) {
  at::Tensor ids;
  const std::vector<Component> components = find_components(mask, vocabulary.tumor(), &ids);
  std::vector<FoundTumor> tumors;
  for (size_t i = 0; i < components.size(); ++i) {
    if (components[i].voxels < min_voxels) continue;
    tumors.push_back(locate(mask, vocabulary, ids, static_cast<int32_t>(i) + 1, components[i]));
  }
  return tumors;
}

std::vector<TumorRequest> summarize_tumors(const std::vector<FoundTumor>& tumors) {
  constexpr size_t kMostInOneRequest = 20;
  std::map<std::pair<TumorOrgan, std::optional<TumorPosition>>, std::vector<double>> groups;
  for (const FoundTumor& tumor : tumors) {
    if (tumor.organ) {
      groups[{*tumor.organ, tumor.position}].push_back(tumor.component.diameter_mm);
    }
  }
  std::vector<TumorRequest> requests;
  for (const auto& [where, diameters] : groups) {
    for (size_t first = 0; first < diameters.size(); first += kMostInOneRequest) {
      const size_t last = std::min(first + kMostInOneRequest, diameters.size());
      double sum = 0;
      for (size_t i = first; i < last; ++i) sum += diameters[i];
      const double mean = sum / static_cast<double>(last - first);
      TumorRequest request;
      request.organ = where.first;
      request.position = where.second;
      request.count = static_cast<int>(last - first);
      request.size_mm = std::clamp(std::round(mean * 10) / 10, 3.0, 150.0);
      requests.push_back(request);
    }
  }
  return requests;
}

}  // namespace guidegen
