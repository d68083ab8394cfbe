#include "guidegen/generate/request_doubts.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

/// Usual extents of an adult's organ in mm along x, y, z, to the nearest cm; lungs, kidneys: both.
const std::map<TumorOrgan, Vec3>& organ_extents() {
  static const std::map<TumorOrgan, Vec3> extents = {
      {TumorOrgan::kLung, {270, 180, 250}},   {TumorOrgan::kLiver, {200, 160, 150}},
      {TumorOrgan::kKidney, {200, 70, 120}},  {TumorOrgan::kColon, {300, 150, 330}},
      {TumorOrgan::kPancreas, {150, 60, 80}},
  };
  return extents;
}

std::string millimeters(const Vec3& values) {
  return concat(std::llround(values[0]), " x ", std::llround(values[1]), " x ",
                std::llround(values[2]), " mm");
}

void doubt_field_of_view(const Prompt& prompt, const Vec3& view, std::vector<std::string>& doubts) {
  constexpr double kLargestPatient = 800;  // mm across, arms included
  if (view[0] > kLargestPatient || view[1] > kLargestPatient) {
    doubts.push_back(concat("the field of view of ", millimeters(view),
                            " is wider than any patient; the rest will be air"));
  }
  if (!prompt.tumors) return;
  for (const TumorRequest& request : *prompt.tumors) {
    Vec3 needed = organ_extents().at(request.organ);
    // A position is a part of the organ, and takes about half of it.
    for (double& extent : needed) extent *= request.position ? 0.5 : 1.0;
    if (view[0] >= needed[0] && view[1] >= needed[1] && view[2] >= needed[2]) continue;
    doubts.push_back(
        concat("the field of view of ", millimeters(view), " can hardly hold the ",
               name_of(request.organ), request.position ? " at " + name_of(*request.position) : "",
               ", which takes about ", millimeters(needed), "; its tumors may lie outside"));
  }
}

void doubt_sizes(const Prompt& prompt, const ImageGeometry& grid,
                 std::vector<std::string>& doubts) {
  const double coarsest = *std::max_element(grid.spacing.begin(), grid.spacing.end());
  for (const TumorRequest& request : prompt.tumors.value_or(std::vector<TumorRequest>())) {
    if (!request.size_mm || *request.size_mm >= 2 * coarsest) continue;
    doubts.push_back(concat("a tumor of ", *request.size_mm, " mm is smaller than two voxels of ",
                            coarsest, " mm and will hardly show"));
  }
}

void doubt_spacing(const ImageGeometry& grid, const ImageGeometry& trained,
                   std::vector<std::string>& doubts) {
  constexpr double kFinest = 0.2, kCoarsest = 2.0;  // of the spacing trained on
  for (size_t axis = 0; axis < 3; ++axis) {
    const double ratio = grid.spacing[axis] / trained.spacing[axis];
    if (ratio >= kFinest && ratio <= kCoarsest) continue;
    doubts.push_back(concat("voxels of ", grid.spacing[axis], " mm along ", "xyz"[axis], " are ",
                            ratio < 1 ? "much finer" : "much coarser", " than those of training (",
                            trained.spacing[axis], " mm); the image will lack detail"));
    return;
  }
}

}  // namespace

std::vector<std::string> doubts_about(const Prompt& prompt, const ImageGeometry& grid,
                                      const ImageGeometry& trained) {
  Vec3 view{};
  for (size_t axis = 0; axis < 3; ++axis) {
    view[axis] = grid.spacing[axis] * static_cast<double>(grid.size[axis]);
  }
  std::vector<std::string> doubts;
  doubt_field_of_view(prompt, view, doubts);
  doubt_sizes(prompt, grid, doubts);
  doubt_spacing(grid, trained, doubts);
  return doubts;
}

}  // namespace guidegen
