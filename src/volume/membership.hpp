#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "guidegen/volume/all_pieces.hpp"

namespace guidegen {

/// Where the voxels of a target lie along one axis of the source, and how they weigh it.
struct AxisPlan {
  /// Consecutive target voxels that see the same four source voxels: base - 1 … base + 2.
  struct Run {
    int64_t first = 0;
    int64_t count = 0;
    int64_t base = 0;
  };
  std::vector<int64_t> nearest;  ///< source voxel of each target voxel, -1 outside the source
  std::vector<std::array<float, 4>> weights;  ///< of the four; they add up to 1
  std::vector<Run> runs;                      ///< of the target voxels inside the source
  bool smooth = false;

  int64_t longest_run() const;
};

/// Target voxel k lies at source index offset + step * k. `smooth`: cubic B-spline, else linear.
AxisPlan plan_axis(int64_t source_size, int64_t target_size, double offset, double step,
                   bool smooth);

using GridPlan = std::array<AxisPlan, 3>;  ///< x, y, z

/// Interpolates the indicators of pieces, cell by cell: a cell is the target voxels of one run
/// along each axis. Beyond the faces the source goes on as at the face. One for each thread.
class CellReader {
 public:
  /// `pieces` and `plan` must outlive it.
  CellReader(const Pieces& pieces, const std::array<int64_t, 3>& source_size, const GridPlan& plan);

  void open(const AxisPlan::Run& x, const AxisPlan::Run& y, const AxisPlan::Run& z);
  /// Pieces that the cell sees, ascending; where it is one, its membership is 1 throughout.
  const std::vector<int32_t>& present() const { return present_; }
  int64_t voxels() const { return x_.count * y_.count * z_.count; }
  /// Membership in [0, 1] of the cell's voxels in z, y, x order; valid until the next call.
  const float* membership(int32_t piece);

 private:
  void gather();

  const Pieces& pieces_;
  std::array<int64_t, 3> size_;
  const GridPlan& plan_;
  AxisPlan::Run x_, y_, z_;
  std::array<int32_t, 64> ids_{};
  std::vector<int32_t> present_;
  std::vector<float> rows_, planes_, values_;
};

}  // namespace guidegen
