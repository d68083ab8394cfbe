#include "guidegen/volume/refine_labels.hpp"

#include <ATen/Parallel.h>
#include <cmath>
#include <random>
#include <set>
#include <vector>

#include "../../bench/allocation_peak.hpp"
#include "guidegen/volume/labels.hpp"
#include "volume/volume_testing.hpp"

namespace guidegen {
namespace {

using testing::HasSubstr;
using volume_testing::message_of;

/// How a label hangs together, counted by brute force.
struct Topology {
  int64_t pieces = 0;       ///< 26-connected
  int64_t face_pieces = 0;  ///< 6-connected
  int64_t outsides = 0;     ///< 6-connected pieces of what is not the label: 1 + cavities
};

int64_t count_pieces(const std::vector<char>& inside, const std::array<int64_t, 3>& dhw,
                     bool corners) {
  std::vector<char> open = inside;
  std::vector<int64_t> stack;
  int64_t pieces = 0;
  for (size_t seed = 0; seed < open.size(); ++seed) {
    if (!open[seed]) continue;
    ++pieces;
    open[seed] = 0;
    stack.push_back(static_cast<int64_t>(seed));
    while (!stack.empty()) {
      const int64_t at = stack.back();
      stack.pop_back();
      const int64_t z = at / dhw[2] / dhw[1], y = at / dhw[2] % dhw[1], x = at % dhw[2];
      for (int64_t step = 0; step < 27; ++step) {
        const int64_t dz = step / 9 - 1, dy = step / 3 % 3 - 1, dx = step % 3 - 1;
        if (!corners && std::abs(dz) + std::abs(dy) + std::abs(dx) != 1) continue;
        const int64_t nz = z + dz, ny = y + dy, nx = x + dx;
        if (nz < 0 || ny < 0 || nx < 0 || nz >= dhw[0] || ny >= dhw[1] || nx >= dhw[2]) continue;
        const int64_t next = (nz * dhw[1] + ny) * dhw[2] + nx;
        if (!open[static_cast<size_t>(next)]) continue;
        open[static_cast<size_t>(next)] = 0;
        stack.push_back(next);
      }
    }
  }
  return pieces;
}

/// A margin of one voxel belongs to no label.
Topology topology_of(const Volume& mask, int64_t label) {
  const at::Tensor padded =
      at::constant_pad_nd(voxels_of(mask.data[0], label).to(at::kByte), {1, 1, 1, 1, 1, 1}, 0)
          .contiguous();
  const std::array<int64_t, 3> dhw = {padded.size(0), padded.size(1), padded.size(2)};
  const auto* first = padded.const_data_ptr<uint8_t>();
  const std::vector<char> inside(first, first + padded.numel());
  std::vector<char> outside(inside.size());
  for (size_t i = 0; i < inside.size(); ++i) outside[i] = inside[i] ? 0 : 1;
  return {count_pieces(inside, dhw, true), count_pieces(inside, dhw, false),
          count_pieces(outside, dhw, false)};
}

std::set<int64_t> labels_of(const Volume& mask) {
  std::set<int64_t> labels;
  const at::Tensor counts = count_labels(mask.data, 1);
  for (int64_t label = 0; label < counts.numel(); ++label) {
    if (counts[label].item<int64_t>() > 0) labels.insert(label);
  }
  return labels;
}

void expect_same_topology(const Volume& before, const Volume& after) {
  ASSERT_EQ(labels_of(before), labels_of(after));
  for (const int64_t label : labels_of(before)) {
    const Topology a = topology_of(before, label);
    const Topology b = topology_of(after, label);
    EXPECT_EQ(a.pieces, b.pieces) << "label " << label;
    EXPECT_EQ(a.outsides, b.outsides) << "label " << label;
    // What touched by an edge or corner may grow together by faces, nothing may fall apart.
    EXPECT_LE(b.face_pieces, a.face_pieces) << "label " << label;
    EXPECT_GE(b.face_pieces, b.pieces) << "label " << label;
  }
}

Volume empty_mask(const std::array<int64_t, 3>& size, double spacing,
                  at::ScalarType type = at::kByte) {
  const auto dhw = to_dhw(size);
  return {at::zeros({1, dhw[0], dhw[1], dhw[2]}, type),
          centered_geometry(size, {spacing, spacing, spacing})};
}

void fill_ball(Volume& mask, const Vec3& center_mm, double radius_mm, int64_t label) {
  const auto& size = mask.geometry.size;
  at::Tensor inside = at::zeros(mask.data[0].sizes(), at::kBool);
  bool* voxel = inside.mutable_data_ptr<bool>();
  for (int64_t z = 0; z < size[2]; ++z) {
    for (int64_t y = 0; y < size[1]; ++y) {
      for (int64_t x = 0; x < size[0]; ++x, ++voxel) {
        const Vec3 at = mask.geometry.to_world(
            {static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
        *voxel = std::hypot(at[0] - center_mm[0], at[1] - center_mm[1], at[2] - center_mm[2]) <=
                 radius_mm;
      }
    }
  }
  at::Tensor labels = mask.data[0];
  fill_label_(labels, inside, label);
}

/// Overlapping balls of many labels, specks of one voxel, and a tube that turns corners.
Volume random_anatomy(unsigned seed, const std::array<int64_t, 3>& size = {20, 18, 22}) {
  Volume mask = empty_mask(size, 6);
  std::mt19937 random(seed);
  const auto anywhere = [&](size_t axis) {
    return (static_cast<double>(random() % 1000) / 1000 - 0.5) * 6 *
           static_cast<double>(size[axis]);
  };
  fill_ball(mask, {0, 0, 0}, 55, 1);
  for (int64_t label = 2; label < 9; ++label) {
    fill_ball(mask, {anywhere(0) / 2, anywhere(1) / 2, anywhere(2) / 2},
              6 + static_cast<double>(random() % 20), label);
  }
  for (int speck = 0; speck < 12; ++speck) {
    fill_ball(mask, {anywhere(0), anywhere(1), anywhere(2)}, 5, 9);
  }
  std::array<int64_t, 3> at = {size[0] / 2, size[1] / 2, size[2] / 2};
  for (int step = 0; step < 25; ++step) {
    mask.data[0][at[2]][at[1]][at[0]] = 10;
    for (size_t axis = 0; axis < 3; ++axis) {
      at[axis] =
          std::clamp<int64_t>(at[axis] + static_cast<int64_t>(random() % 3) - 1, 0, size[axis] - 1);
    }
  }
  return mask;
}

Volume noise(unsigned seed, int64_t labels, const std::array<int64_t, 3>& size) {
  Volume mask = empty_mask(size, 6);
  std::mt19937 random(seed);
  uint8_t* voxel = mask.data.mutable_data_ptr<uint8_t>();
  for (int64_t i = 0; i < mask.data.numel(); ++i) {
    voxel[i] = static_cast<uint8_t>(random() % static_cast<unsigned>(labels));
  }
  return mask;
}

Volume refine_by(const Volume& mask, double spacing, const RefineOptions& options = {},
                 RefineReport* report = nullptr) {
  return refine_labels(mask, recentered(mask.geometry, {spacing, spacing, spacing}), options,
                       report);
}

int64_t voxels(const Volume& mask, int64_t label) {
  return voxels_of(mask.data, label).sum().item<int64_t>();
}

/// Mean distance in mm of the boundary voxels from the sphere that they should lie on.
double roughness(const Volume& mask, int64_t label, double radius) {
  const at::Tensor inside = voxels_of(mask.data[0], label);
  const auto size = mask.geometry.size;
  double sum = 0;
  int64_t count = 0;
  for (int64_t z = 0; z < size[2]; ++z) {
    for (int64_t y = 0; y < size[1]; ++y) {
      const bool* row = inside[z][y].const_data_ptr<bool>();
      for (int64_t x = 0; x + 1 < size[0]; ++x) {
        if (row[x] == row[x + 1]) continue;
        const Vec3 at = mask.geometry.to_world(
            {static_cast<double>(x) + 0.5, static_cast<double>(y), static_cast<double>(z)});
        sum += std::abs(std::hypot(at[0], at[1], at[2]) - radius);
        ++count;
      }
    }
  }
  return sum / static_cast<double>(count);
}

TEST(RefineLabels, KeepsTheTopologyOfRandomAnatomy) {
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    const Volume mask = random_anatomy(seed);
    RefineReport report;
    const Volume fine = refine_by(mask, 2, {}, &report);
    expect_same_topology(mask, fine);
    EXPECT_TRUE(report.changes.empty());
    EXPECT_GT(report.moved, 1000);
    EXPECT_LT(report.held_back, report.moved / 4);
  }
}

TEST(RefineLabels, KeepsTheTopologyAtRatiosThatAreNoWholeNumbers) {
  const Volume mask = random_anatomy(5);
  for (const Vec3& spacing : {Vec3{4, 4, 4}, Vec3{2.5, 3.1, 5.9}, Vec3{6, 1.5, 3}}) {
    expect_same_topology(mask, refine_labels(mask, recentered(mask.geometry, spacing)));
  }
}

TEST(RefineLabels, KeepsTheTopologyOfNoiseAndCheckerboards) {
  expect_same_topology(noise(1, 2, {9, 8, 10}), refine_by(noise(1, 2, {9, 8, 10}), 1.5));
  expect_same_topology(noise(2, 5, {9, 8, 10}), refine_by(noise(2, 5, {9, 8, 10}), 2));
  Volume board = empty_mask({8, 8, 8}, 6);
  for (int64_t z = 0; z < 8; ++z) {
    for (int64_t y = 0; y < 8; ++y) {
      for (int64_t x = 0; x < 8; ++x) board.data[0][z][y][x] = (x + y + z) % 2;
    }
  }
  expect_same_topology(board, refine_by(board, 2));
}

TEST(RefineLabels, KeepsRingsOpenAndThinShellsClosed) {
  Volume mask = empty_mask({20, 20, 20}, 6);
  fill_ball(mask, {0, 0, 0}, 44, 1);
  fill_ball(mask, {0, 0, 0}, 37, 2);  // a shell of one voxel remains
  for (int64_t x = 6; x < 14; ++x) {
    for (const int64_t end : {6, 13}) {
      mask.data[0][10][end][x] = 3;  // a square ring
      mask.data[0][10][x][end] = 3;
    }
  }
  const Volume fine = refine_by(mask, 1.5);
  expect_same_topology(mask, fine);
  EXPECT_EQ(topology_of(fine, 1).outsides, 2);
  EXPECT_NEAR(static_cast<double>(voxels(fine, 3)) / 64 / static_cast<double>(voxels(mask, 3)), 1,
              0.25);
}

TEST(RefineLabels, BallsKeepTheirVolumeAndBecomeRound) {
  for (const double radius : {20.0, 33.0, 50.0}) {
    Volume mask = empty_mask({24, 24, 24}, 6);
    fill_ball(mask, {0, 0, 0}, radius, 1);
    const Volume fine = refine_by(mask, 1.5);
    const Volume nearest{
        mask.data.repeat_interleave(4, 1).repeat_interleave(4, 2).repeat_interleave(4, 3),
        fine.geometry};
    EXPECT_NEAR(static_cast<double>(voxels(fine, 1)) / static_cast<double>(voxels(nearest, 1)), 1,
                0.03);
    EXPECT_LT(roughness(fine, 1, radius), 0.7 * roughness(nearest, 1, radius)) << radius;
  }
}

TEST(RefineLabels, TumorsOfOneVoxelBecomeBallsOfItsVolume) {
  Volume mask = empty_mask({12, 12, 12}, 6);
  fill_ball(mask, {0, 0, 0}, 30, 1);
  mask.data[0][6][6][6] = 2;
  const Volume fine = refine_by(mask, 0.75);
  expect_same_topology(mask, fine);
  EXPECT_NEAR(static_cast<double>(voxels(fine, 2)), 512, 150);
  // The corners of its cube went to the organ.
  EXPECT_EQ(fine.data[0][48][48][48].item<int64_t>(), 1);
  EXPECT_EQ(fine.data[0][52][52][52].item<int64_t>(), 2);
}

TEST(RefineLabels, DependsNeitherOnTilesNorOnThreads) {
  const Volume mask = random_anatomy(7);
  const Volume whole = refine_by(mask, 1.5);
  const int threads = at::get_num_threads();
  for (const int64_t tile : {1, 7, 32, 1000}) {
    for (const int count : {1, 3}) {
      at::set_num_threads(count);
      RefineOptions options;
      options.tile = tile;
      EXPECT_TRUE(at::equal(refine_by(mask, 1.5, options).data, whole.data)) << tile;
    }
  }
  at::set_num_threads(threads);
}

TEST(RefineLabels, SameGridIsUntouchedAndSameSpacingCropsAndPads) {
  const Volume mask = random_anatomy(8);
  EXPECT_TRUE(at::equal(refine_labels(mask, mask.geometry).data, mask.data));
  const Volume cropped = refine_labels(mask, recentered(mask.geometry, {6, 6, 6}, {{10, 18, 22}}));
  EXPECT_TRUE(at::equal(cropped.data, mask.data.slice(3, 5, 15)));
  const Volume padded = refine_labels(mask, recentered(mask.geometry, {6, 6, 6}, {{20, 18, 26}}));
  EXPECT_TRUE(at::equal(padded.data.slice(1, 2, 24), mask.data));
  EXPECT_EQ(padded.data.slice(1, 0, 2).sum().item<int64_t>(), 0);
}

TEST(RefineLabels, CropsAndPadsWhileItRefines) {
  const Volume mask = random_anatomy(9);
  const ImageGeometry target = recentered(mask.geometry, {2, 2, 2}, {{30, 80, 66}});
  const Volume fine = refine_labels(mask, target);
  EXPECT_TRUE(same_geometry(fine.geometry, target));
  // 18 voxels of 6 mm are 54 of 2 mm: 13 rows of nothing on either side.
  EXPECT_EQ(fine.data.slice(2, 0, 13).sum().item<int64_t>(), 0);
  EXPECT_EQ(fine.data.slice(2, 67, 80).sum().item<int64_t>(), 0);
  const Volume seen{mask.data.slice(3, 5, 15).contiguous(),
                    recentered(mask.geometry, {6, 6, 6}, {{10, 18, 22}})};
  for (const int64_t label : labels_of(seen)) {
    if (label == 0) continue;
    EXPECT_EQ(topology_of(seen, label).pieces, topology_of(fine, label).pieces) << label;
  }
}

TEST(RefineLabels, WideLabelsGiveWhatNarrowOnesGive) {
  const Volume narrow = random_anatomy(10);
  Volume wide{narrow.data.to(at::kInt).mul(700).to(at::kUInt16), narrow.geometry};
  const Volume fine = refine_by(wide, 2);
  EXPECT_EQ(fine.data.scalar_type(), at::kUInt16);
  EXPECT_TRUE(at::equal(wide_labels(fine.data), refine_by(narrow, 2).data.to(at::kInt).mul(700)));
}

TEST(RefineLabels, TellsWhatACoarserAxisLoses) {
  Volume mask = empty_mask({12, 12, 12}, 6);
  fill_ball(mask, {0, 0, 0}, 30, 1);
  mask.data[0][0][0][0] = 2;
  RefineReport report;
  const Volume out = refine_labels(mask, recentered(mask.geometry, {3, 3, 24}), {}, &report);
  EXPECT_EQ(out.geometry.size, (std::array<int64_t, 3>{24, 24, 3}));
  ASSERT_EQ(report.changes.size(), 1U);
  EXPECT_EQ(report.changes[0].label, 2);
  EXPECT_EQ(report.changes[0].before, 1);
  EXPECT_EQ(report.changes[0].after, 0);
}

TEST(RefineLabels, ObliqueMasksKeepTheirPlace) {
  Volume mask = random_anatomy(11);
  const Volume straight = refine_by(mask, 3);
  mask.geometry.direction = volume_testing::rotation(0.3, -0.2, 0.1);
  const Volume oblique = refine_by(mask, 3);
  EXPECT_TRUE(at::equal(straight.data, oblique.data));
  const auto& size = oblique.geometry.size;
  const Vec3 middle = {static_cast<double>(size[0] - 1) / 2, static_cast<double>(size[1] - 1) / 2,
                       static_cast<double>(size[2] - 1) / 2};
  const Vec3 a = oblique.geometry.to_world(middle);
  const Vec3 b = mask.geometry.to_world({9.5, 8.5, 10.5});
  for (size_t axis = 0; axis < 3; ++axis) EXPECT_NEAR(a[axis], b[axis], 1e-9);
}

TEST(RefineLabels, NeedsTheResultTwiceAndLittleElse) {
  const Volume mask = random_anatomy(12);
  auto& counter = bench::AllocationPeak::instance();
  counter.reset();
  const Volume fine = refine_by(mask, 1);
  EXPECT_LE(counter.peak(), 2 * fine.data.numel() + (1 << 16));
}

TEST(RefineLabels, RefusesWhatItCannotRefine) {
  const Volume mask = random_anatomy(13);
  Volume ct{mask.data.to(at::kFloat), mask.geometry};
  EXPECT_THAT(message_of([&] { refine_by(ct, 2); }), HasSubstr("expected one of uint8 or uint16"));
  ImageGeometry turned = mask.geometry;
  turned.direction = volume_testing::rotation(0.1, 0, 0);
  EXPECT_THAT(message_of([&] { refine_labels(mask, turned); }), HasSubstr("one orientation"));
  RefineOptions options;
  options.tile = 0;
  EXPECT_THAT(message_of([&] { refine_by(mask, 2, options); }), HasSubstr("tile: 0"));
  ImageGeometry flat = mask.geometry;
  flat.spacing[1] = 0;
  EXPECT_THAT(message_of([&] { refine_labels(mask, flat); }), HasSubstr("positive figures"));
}

}  // namespace
}  // namespace guidegen
