#include "guidegen/data/own_mask.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "guidegen/core/error.hpp"
#include "guidegen/data/prepare.hpp"
#include "guidegen/volume/labels.hpp"

namespace guidegen {
namespace {

constexpr double kSkinMm = 15;      // of body wall that labels of organs and bones leave out
constexpr double kMostEmpty = 0.3;  // share of the labels' hull without a label; arms apart from
                                    // the trunk leave some empty in whole masks too

struct Point {
  double x, y;
};

double cross(const Point& o, const Point& a, const Point& b) {
  return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

/// Convex hull, counter-clockwise (Andrew's monotone chain).
std::vector<Point> convex_hull(std::vector<Point> points) {
  std::sort(points.begin(), points.end(),
            [](const Point& a, const Point& b) { return a.x < b.x || (a.x == b.x && a.y < b.y); });
  std::vector<Point> hull;
  const auto chain = [&hull](const auto& range_begin, const auto& range_end) {
    const size_t base = hull.size();
    for (auto point = range_begin; point != range_end; ++point) {
      while (hull.size() >= base + 2 && cross(hull[hull.size() - 2], hull.back(), *point) <= 0) {
        hull.pop_back();
      }
      hull.push_back(*point);
    }
    hull.pop_back();  // it begins the other chain
  };
  chain(points.begin(), points.end());
  chain(points.rbegin(), points.rend());
  return hull;
}

/// First and last labelled voxel of each row of a slice, in mm from its corner.
std::vector<Point> row_ends(const uint8_t* slice, int64_t height, int64_t width, double dy,
                            double dx) {
  std::vector<Point> points;
  for (int64_t y = 0; y < height; ++y) {
    const uint8_t* row = slice + y * width;
    const uint8_t* end = row + width;
    const uint8_t* first = std::find_if(row, end, [](uint8_t value) { return value != 0; });
    if (first == end) continue;
    const uint8_t* last = end - 1;
    while (*last == 0) --last;
    points.push_back({static_cast<double>(first - row) * dx, static_cast<double>(y) * dy});
    points.push_back({static_cast<double>(last - row) * dx, static_cast<double>(y) * dy});
  }
  return points;
}

/// The hull of discs of `radius` mm around the points: their Minkowski sum with a polygon.
std::vector<Point> widened_hull(const std::vector<Point>& points, double radius) {
  constexpr int kCorners = 24;
  std::vector<Point> widened;
  for (const Point& point : points.size() < 3 ? points : convex_hull(points)) {
    for (int i = 0; i < kCorners; ++i) {
      const double angle = 2 * std::numbers::pi * i / kCorners;
      widened.push_back({point.x + radius * std::cos(angle), point.y + radius * std::sin(angle)});
    }
  }
  return convex_hull(std::move(widened));
}

/// Sets the voxels of a slice whose middle lies in a convex polygon.
void fill_polygon(const std::vector<Point>& polygon, bool* slice, int64_t height, int64_t width,
                  double dy, double dx) {
  for (int64_t y = 0; y < height; ++y) {
    const double at = static_cast<double>(y) * dy;
    double low = 1e30, high = -1e30;
    for (size_t i = 0; i < polygon.size(); ++i) {
      const Point& a = polygon[i];
      const Point& b = polygon[(i + 1) % polygon.size()];
      if ((a.y > at) == (b.y > at)) continue;
      const double x = a.x + (at - a.y) / (b.y - a.y) * (b.x - a.x);
      low = std::min(low, x);
      high = std::max(high, x);
    }
    if (low > high) continue;  // the polygon does not reach this row
    const auto first = std::max<int64_t>(0, static_cast<int64_t>(std::ceil(low / dx)));
    const auto last = std::min<int64_t>(width - 1, static_cast<int64_t>(std::floor(high / dx)));
    for (int64_t x = first; x <= last; ++x) slice[y * width + x] = true;
  }
}

/// Our own ids, of which those that the vocabulary lacks become "body".
Volume own_labels(const Volume& labels, const Vocabulary& vocabulary,
                  std::map<int, int64_t>& unknown) {
  const auto counts = count_labels(labels.data, vocabulary.size());
  auto wide = labels.data.to(at::kInt);
  for (int64_t value = vocabulary.size(); value < counts.size(0); ++value) {
    if (const auto voxels = counts[value].item<int64_t>(); voxels > 0) {
      unknown[static_cast<int>(value)] = voxels;
    }
  }
  wide = at::where(wide.ge(vocabulary.size()), vocabulary.body(), wide);
  return {wide.to(label_type(vocabulary.size())), labels.geometry};
}

/// Whether the source says where the body is: values that became "body" because nobody knows them
/// don't.
bool names_body(const OwnMask& own, const Vocabulary& vocabulary) {
  int64_t guessed = 0;
  for (const auto& [value, voxels] : own.unknown) guessed += voxels;
  return voxels_of(own.mask.data, vocabulary.body()).sum().item<int64_t>() > guessed;
}

}  // namespace

at::Tensor body_around(const Volume& mask, double skin_mm) {
  const auto labelled = voxels_of(mask.data[0], 0).logical_not().to(at::kByte).contiguous();
  const int64_t height = labelled.size(1), width = labelled.size(2);
  const double dy = mask.geometry.spacing[1], dx = mask.geometry.spacing[0];
  auto body = at::zeros(labelled.sizes(), at::kBool);
  for (int64_t z = 0; z < labelled.size(0); ++z) {
    const auto points =
        row_ends(labelled.const_data_ptr<uint8_t>() + z * height * width, height, width, dy, dx);
    if (points.empty()) continue;
    fill_polygon(widened_hull(points, skin_mm), body.data_ptr<bool>() + z * height * width, height,
                 width, dy, dx);
  }
  return body;
}

OwnMask take_mask(const Volume& labels, const Vocabulary& vocabulary, const LabelMapping* mapping,
                  const std::string& source) {
  const auto labelled = voxels_of(labels.data[0], 0).logical_not();
  if (!labelled.any().item<bool>())
    throw_failure(source, ": no voxel has a label, expected organs");
  OwnMask own;
  // A patient lies in the middle of the table; the labels' own middle moves with what is labelled.
  const double middle = 0.5 * static_cast<double>(labels.data.size(3) - 1);
  own.mask = mapping ? map_labels(labels, vocabulary, *mapping, middle, source, &own.unknown)
                     : own_labels(labels, vocabulary, own.unknown);
  auto mask = own.mask.data[0];
  const auto empty = [&mask](const at::Tensor& hull) { return mask.eq(0).logical_and(hull); };
  if (names_body(own, vocabulary)) {
    const auto hull = body_around(own.mask, 0);
    if (empty(hull).sum().item<double>() <= kMostEmpty * hull.sum().item<double>()) return own;
  }
  fill_label_(mask, empty(body_around(own.mask, kSkinMm)), vocabulary.body());
  own.body_added = true;
  return own;
}

}  // namespace guidegen
