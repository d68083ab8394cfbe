#include "guidegen/data/tumor_census.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "data/tumor_position.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/volume/labels.hpp"

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

/// What one label contributes to the shell around a tumor.
struct Contact {
  int64_t voxels = 0;
  Vec3 direction{};  ///< sum of unit vectors from the tumor's centre

  void add(const Contact& other) {
    voxels += other.voxels;
    for (size_t k = 0; k < 3; ++k) direction[k] += other.direction[k];
  }
  /// 1 when the voxels lie all around the tumor, 0 when all lie in one direction.
  double balance() const {
    const double length = std::hypot(direction[0], direction[1], direction[2]);
    return std::max(0.0, 1 - length / static_cast<double>(voxels));
  }
};

/// Contacts, by label, of a box-shaped shell of `thickness_mm` (at least one voxel) around piece
/// `piece_id` of `ids` [D,H,W].
std::map<int, Contact> contacts_of(const Volume& mask, const at::Tensor& ids, int32_t piece_id,
                                   const Component& component, double thickness_mm) {
  const Vec3& spacing = mask.geometry.spacing;
  std::array<int64_t, 3> low{};
  std::array<int64_t, 3> high{};
  std::array<int64_t, 3> reach{};  // x, y, z
  for (size_t k = 0; k < 3; ++k) {
    reach[k] = std::max<int64_t>(1, std::llround(thickness_mm / spacing[k]));
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
  // Both run through the shell in the same order.
  const at::Tensor places = shell.nonzero();
  const at::Tensor labels = wide_labels(crop(mask.data[0])).masked_select(shell).to(at::kLong);
  const auto place = places.accessor<int64_t, 2>();
  const auto label = labels.accessor<int64_t, 1>();
  std::map<int, Contact> contacts;
  for (int64_t i = 0; i < labels.numel(); ++i) {
    Contact voxel{1, {}};
    for (size_t k = 0; k < 3; ++k) {
      const auto at_axis = static_cast<double>(place[i][2 - static_cast<int64_t>(k)] + low[k]);
      voxel.direction[k] = (at_axis - component.centroid_index[k]) * spacing[k];
    }
    const double length = std::hypot(voxel.direction[0], voxel.direction[1], voxel.direction[2]);
    for (double& part : voxel.direction) part = length > 0 ? part / length : 0;
    contacts[static_cast<int>(label[i])].add(voxel);
  }
  return contacts;
}

/// How much a voxel of contact says for an organ. A tumor replaces most of the cross-section of a
/// thin organ and touches what is left of it in few places, while a large neighbor may cover one
/// whole side. The weights and the exponent below were fitted on phantoms of known hosts.
double weight_of(TumorOrgan organ) {
  switch (organ) {
    case TumorOrgan::kPancreas:
      return 5;
    case TumorOrgan::kColon:
      return 2;
    case TumorOrgan::kKidney:
      return 1.2;
    default:
      return 1;
  }
}

/// A host lies around its tumor, a neighbor on one side of it.
double evidence(TumorOrgan organ, const Contact& contact) {
  const double balance = std::max(0.02, contact.balance());
  return weight_of(organ) * static_cast<double>(contact.voxels) * std::pow(balance, 0.6);
}

struct Host {
  TumorOrgan organ;
  std::optional<TumorPosition> position;
};

std::optional<Host> host_among(const std::map<int, Contact>& contacts,
                               const Vocabulary& vocabulary) {
  std::map<TumorOrgan, Contact> organs;
  std::map<TumorPosition, int64_t> positions;
  for (const HostLabel& host : host_labels()) {
    const auto found = contacts.find(vocabulary.find(host.label).value_or(-1));
    if (found == contacts.end()) continue;
    organs[host.organ].add(found->second);
    if (host.position) positions[*host.position] += found->second.voxels;
  }
  if (organs.empty()) return std::nullopt;
  const auto best =
      std::max_element(organs.begin(), organs.end(), [](const auto& a, const auto& b) {
        return evidence(a.first, a.second) < evidence(b.first, b.second);
      });
  Host host{best->first, std::nullopt};
  int64_t most = 0;
  for (const auto& [position, voxels] : positions) {
    if (organ_of(position) != host.organ || voxels <= most) continue;
    host.position = position;
    most = voxels;
  }
  return host;
}

std::optional<TumorPosition> position_in(TumorOrgan organ, const Volume& mask,
                                         const Vocabulary& vocabulary, const at::Tensor& tumor,
                                         const Vec3& center) {
  switch (organ) {
    case TumorOrgan::kColon:
      return colon_position(mask, vocabulary, center);
    case TumorOrgan::kPancreas:
      return pancreas_position(mask, vocabulary, tumor);
    case TumorOrgan::kLiver:
      return liver_position(mask, vocabulary, center);
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
    const std::optional<Host> host =
        host_among(contacts_of(mask, ids, piece_id, component, thickness_mm), vocabulary);
    if (!host) continue;
    tumor.organ = host->organ;
    tumor.position = host->position;
    break;
  }
  if (tumor.organ && !tumor.position) {
    Vec3 center = component.centroid_index;
    for (size_t k = 0; k < 3; ++k) center[k] *= mask.geometry.spacing[k];
    const at::Tensor points = points_in_mm(ids.eq(piece_id), mask.geometry.spacing);
    tumor.position = position_in(*tumor.organ, mask, vocabulary, points, center);
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

std::vector<int> host_labels_of(TumorPosition position, const Vocabulary& vocabulary) {
  std::vector<int> labels;
  for (const HostLabel& host : host_labels()) {
    if (host.organ != organ_of(position)) continue;
    if (host.position && *host.position != position) continue;
    if (const auto label = vocabulary.find(host.label)) labels.push_back(*label);
  }
  return labels;
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
