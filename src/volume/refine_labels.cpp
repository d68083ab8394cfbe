#include "guidegen/volume/refine_labels.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "guidegen/core/error.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/volume/all_pieces.hpp"
#include "guidegen/volume/resample.hpp"
#include "volume/membership.hpp"
#include "volume/piece_weights.hpp"
#include "volume/run_on_threads.hpp"
#include "volume/topology_sweep.hpp"

namespace guidegen {
namespace {

/// Spacings and offsets this close (in source voxels) are equal, as for resample_mask.
constexpr double kSnapVoxels = 1e-3;

/// How a target with the orientation of the source lies on it, in source voxels.
struct AlignedGrids {
  Vec3 offset{};  ///< of target voxel (0,0,0)
  Vec3 step{};

  AlignedGrids(const ImageGeometry& source, const ImageGeometry& target)
      : offset(source.to_index(target.origin)) {
    for (size_t axis = 0; axis < 3; ++axis) {
      step[axis] = target.spacing[axis] / source.spacing[axis];
      if (std::abs(step[axis] - 1) < kSnapVoxels) step[axis] = 1;
      const double whole = std::round(offset[axis]);
      if (std::abs(offset[axis] - whole) < kSnapVoxels) offset[axis] = whole;
    }
  }
  bool coarser(size_t axis) const { return step[axis] > 1; }
  bool any_coarser() const { return coarser(0) || coarser(1) || coarser(2); }
};

void check(const Volume& mask, const ImageGeometry& target, const RefineOptions& options) {
  check_volume(mask, "mask");
  const auto type = mask.data.scalar_type();
  if (mask.data.size(0) != 1 || (type != at::kByte && type != at::kUInt16)) {
    throw_failure("mask to refine: ", mask.data.size(0), " channels of ", type,
                  ", expected one of uint8 or uint16 labels");
  }
  for (size_t row = 0; row < 3; ++row) {
    for (size_t column = 0; column < 3; ++column) {
      const double a = mask.geometry.direction[row][column];
      if (std::abs(a - target.direction[row][column]) > 1e-3) {
        throw_failure(
            "mask to refine: its axes and those of the wanted grid differ, expected one "
            "orientation");
      }
    }
    if (!(target.spacing[row] > 0) || target.size[row] < 1) {
      throw_failure("wanted grid: ", target.size[row], " voxels of ", target.spacing[row],
                    " mm along an axis, expected positive figures");
    }
  }
  if (options.tile < 1) throw_usage("tile: ", options.tile, " voxels, expected 1 or more");
}

/// First and last + 1 run of each tile along one axis.
std::vector<std::pair<size_t, size_t>> cut_runs(const AxisPlan& plan, int64_t tile) {
  std::vector<std::pair<size_t, size_t>> parts;
  int64_t filled = 0;
  for (size_t run = 0; run < plan.runs.size(); ++run) {
    if (parts.empty() || filled + plan.runs[run].count > tile) {
      parts.emplace_back(run, run);
      filled = 0;
    }
    filled += plan.runs[run].count;
    parts.back().second = run + 1;
  }
  return parts;
}

/// Writes, cell by cell, the nearest label and the wanted one. A tile is a whole number of cells,
/// so that each cell is computed by the same instructions however tiles are cut.
template <typename Label>
class CellPainter {
 public:
  CellPainter(const Pieces& pieces, const std::vector<float>& weights, const ImageGeometry& source,
              const ImageGeometry& target, const GridPlan& plan, Label* nearest, Label* wanted)
      : pieces_(pieces),
        weights_(weights),
        source_(source.size),
        target_(target.size),
        plan_(plan),
        cell_(pieces, source.size, plan),
        nearest_(nearest),
        wanted_(wanted) {}

  void paint(const AxisPlan::Run& x, const AxisPlan::Run& y, const AxisPlan::Run& z) {
    cell_.open(x, y, z);
    choose();
    size_t i = 0;
    for (int64_t k = z.first; k < z.first + z.count; ++k) {
      for (int64_t j = y.first; j < y.first + y.count; ++j) {
        const int64_t to = (k * target_[1] + j) * target_[0];
        const int64_t from = (plan_[2].nearest[static_cast<size_t>(k)] * source_[1] +
                              plan_[1].nearest[static_cast<size_t>(j)]) *
                             source_[0];
        for (int64_t t = x.first; t < x.first + x.count; ++t, ++i) {
          nearest_[to + t] = label_of(
              pieces_.ids[static_cast<size_t>(from + plan_[0].nearest[static_cast<size_t>(t)])]);
          wanted_[to + t] = label_of(best_[i]);
        }
      }
    }
  }

 private:
  Label label_of(int32_t piece) const {
    return static_cast<Label>(pieces_.label[static_cast<size_t>(piece)]);
  }

  /// The piece with the largest weighted membership, the first of equals.
  void choose() {
    const auto voxels = static_cast<size_t>(cell_.voxels());
    best_.assign(voxels, cell_.present()[0]);
    if (cell_.present().size() == 1) return;
    score_.assign(voxels, -1.0F);
    for (const int32_t piece : cell_.present()) {
      const float* values = cell_.membership(piece);
      const float weight = weights_[static_cast<size_t>(piece)];
      for (size_t i = 0; i < voxels; ++i) {
        const float score = weight * values[i];
        if (score <= score_[i]) continue;
        score_[i] = score;
        best_[i] = piece;
      }
    }
  }

  const Pieces& pieces_;
  const std::vector<float>& weights_;
  std::array<int64_t, 3> source_;
  std::array<int64_t, 3> target_;
  const GridPlan& plan_;
  CellReader cell_;
  Label* nearest_;
  Label* wanted_;
  std::vector<int32_t> best_;
  std::vector<float> score_;
};

template <typename Label>
SweepResult refine_into(const Volume& mask, const GridPlan& plan, const RefineOptions& options,
                        Volume& out) {
  const Pieces pieces = find_all_pieces(mask);
  const std::vector<float> weights =
      piece_weights(pieces, mask.geometry.size, {plan[0].smooth, plan[1].smooth, plan[2].smooth});
  at::Tensor wanted = at::zeros_like(out.data);
  auto* labels = out.data.template mutable_data_ptr<Label>();
  auto* goal = wanted.template mutable_data_ptr<Label>();
  std::array<std::vector<std::pair<size_t, size_t>>, 3> parts;
  for (size_t axis = 0; axis < 3; ++axis) parts[axis] = cut_runs(plan[axis], options.tile);
  const auto nx = static_cast<int64_t>(parts[0].size());
  const auto ny = static_cast<int64_t>(parts[1].size());
  const auto nz = static_cast<int64_t>(parts[2].size());
  run_on_threads(nx * ny * nz, [&]() -> std::function<void(int64_t)> {
    auto painter = std::make_shared<CellPainter<Label>>(pieces, weights, mask.geometry,
                                                        out.geometry, plan, labels, goal);
    return [&, painter](int64_t tile) {
      throw_if_stopped();
      const auto& x = parts[0][static_cast<size_t>(tile % nx)];
      const auto& y = parts[1][static_cast<size_t>(tile / nx % ny)];
      const auto& z = parts[2][static_cast<size_t>(tile / nx / ny)];
      for (size_t k = z.first; k < z.second; ++k) {
        for (size_t j = y.first; j < y.second; ++j) {
          for (size_t i = x.first; i < x.second; ++i) {
            painter->paint(plan[0].runs[i], plan[1].runs[j], plan[2].runs[k]);
          }
        }
      }
    };
  });
  return sweep_to<Label>(goal, labels, out.geometry.size);
}

/// The target may be as fine or finer along each axis only.
Volume refine_finer(const Volume& mask, const ImageGeometry& target, const RefineOptions& options,
                    RefineReport& report) {
  const AlignedGrids grids(mask.geometry, target);
  GridPlan plan;
  for (size_t axis = 0; axis < 3; ++axis) {
    plan[axis] = plan_axis(mask.geometry.size[axis], target.size[axis], grids.offset[axis],
                           grids.step[axis], grids.step[axis] < 1);
  }
  const auto dhw = to_dhw(target.size);
  Volume out{at::zeros({1, dhw[0], dhw[1], dhw[2]}, mask.data.scalar_type()), target};
  const SweepResult result = mask.data.scalar_type() == at::kByte
                                 ? refine_into<uint8_t>(mask, plan, options, out)
                                 : refine_into<uint16_t>(mask, plan, options, out);
  report.moved = result.moved;
  report.held_back = result.held_back;
  report.passes = result.passes;
  return out;
}

/// The target, but along the axes where it is coarser the source's own voxels that it overlaps.
ImageGeometry finer_of_both(const ImageGeometry& source, const ImageGeometry& target) {
  const AlignedGrids grids(source, target);
  ImageGeometry finer = target;
  Vec3 origin = grids.offset;
  for (size_t axis = 0; axis < 3; ++axis) {
    if (!grids.coarser(axis)) continue;
    const double low = grids.offset[axis] - grids.step[axis] / 2;
    const double high = low + grids.step[axis] * static_cast<double>(target.size[axis]);
    const int64_t last = source.size[axis] - 1;
    const auto first =
        std::clamp<int64_t>(static_cast<int64_t>(std::floor(low + 0.5 + kSnapVoxels)), 0, last);
    const auto final =
        std::clamp<int64_t>(static_cast<int64_t>(std::ceil(high - 0.5 - kSnapVoxels)), first, last);
    finer.spacing[axis] = source.spacing[axis];
    finer.size[axis] = final - first + 1;
    origin[axis] = static_cast<double>(first);
  }
  finer.origin = source.to_world(origin);
  return finer;
}

std::vector<ComponentChange> compare_pieces(const Volume& before, const Volume& after) {
  std::map<int64_t, ComponentChange> changes;
  for (const int64_t label : find_all_pieces(before).label) ++changes[label].before;
  for (const int64_t label : find_all_pieces(after).label) ++changes[label].after;
  std::vector<ComponentChange> differing;
  for (auto& [label, change] : changes) {
    change.label = label;
    if (change.before != change.after) differing.push_back(change);
  }
  return differing;
}

}  // namespace

Volume refine_labels(const Volume& mask, const ImageGeometry& target, const RefineOptions& options,
                     RefineReport* report) {
  check(mask, target, options);
  RefineReport unused;
  RefineReport& told = report ? *report : unused;
  told = {};
  if (!AlignedGrids(mask.geometry, target).any_coarser()) {
    return refine_finer(mask, target, options, told);
  }
  const Volume finer = refine_finer(mask, finer_of_both(mask.geometry, target), options, told);
  Volume out = resample_mask(finer, target);
  if (report) told.changes = compare_pieces(finer, out);
  return out;
}

ImageGeometry recentered(const ImageGeometry& geometry, const Vec3& spacing,
                         const std::optional<std::array<int64_t, 3>>& size) {
  ImageGeometry grid = geometry;
  Vec3 center{};  // continuous index
  for (size_t axis = 0; axis < 3; ++axis) {
    center[axis] = static_cast<double>(geometry.size[axis] - 1) / 2;
    const double extent = static_cast<double>(geometry.size[axis]) * geometry.spacing[axis];
    grid.spacing[axis] = spacing[axis];
    grid.size[axis] =
        size ? (*size)[axis]
             : std::max<int64_t>(1, std::llround(std::ceil(extent / spacing[axis] - 1e-6)));
  }
  const Vec3 world = geometry.to_world(center);
  Vec3 half{};
  for (size_t axis = 0; axis < 3; ++axis) half[axis] = static_cast<double>(grid.size[axis] - 1) / 2;
  grid.origin = {0, 0, 0};
  const Vec3 shift = grid.to_world(half);
  for (size_t axis = 0; axis < 3; ++axis) grid.origin[axis] = world[axis] - shift[axis];
  return grid;
}

}  // namespace guidegen
