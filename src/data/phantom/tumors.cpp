#include "data/phantom/tumors.hpp"

#include <array>
#include <numbers>
#include <set>
#include <unordered_set>

namespace guidegen::phantom {
namespace {

struct Offset {
  int64_t x, y, z;
};

struct Voxel {
  int64_t x, y, z;
};

Voxel voxel_of(const Canvas& canvas, int64_t i) {
  return {i % canvas.nx, i / canvas.nx % canvas.ny, i / (canvas.nx * canvas.ny)};
}

// Index of the node of `course` nearest to p.
size_t nearest_node(const std::vector<TubeNode>& course, Point p) {
  size_t best = 0;
  float best_distance = DistanceField::kFar;
  for (size_t i = 0; i < course.size(); ++i) {
    const Point d = p - course[i].center;
    const float square = dot(d, d);
    if (square < best_distance) {
      best_distance = square;
      best = i;
    }
  }
  return best;
}

// The vertical plane through gallbladder and vena cava that parts the liver into right and left
// (Cantlie's line): positive on the right.
struct LiverPlane {
  Point anchor;
  Point normal{1, 0, 0};
  float side(Point p) const { return dot(p - anchor, normal); }
};

LiverPlane liver_plane(const Painter& painter) {
  const Canvas& canvas = painter.canvas;
  const uint8_t gallbladder = painter.id("gallbladder");
  const uint8_t cava = painter.id("inferior_vena_cava");
  Point sum_g{};
  Point sum_v{};
  float n_g = 0;
  float n_v = 0;
  for (int64_t i = 0; i < canvas.size(); ++i) {
    const uint8_t label = canvas.labels[static_cast<size_t>(i)];
    const Point p = canvas.points[static_cast<size_t>(i)];
    if (label == gallbladder) {
      sum_g = sum_g + p;
      ++n_g;
    } else if (label == cava && p.z > 230) {
      sum_v = sum_v + p;
      ++n_v;
    }
  }
  LiverPlane plane;
  plane.anchor = n_v > 0 ? sum_v * (1.0F / n_v) : Point{22, -14, 270};
  const Point front = n_g > 0 ? sum_g * (1.0F / n_g) : Point{52, 40, 242};
  const Point along = front - plane.anchor;
  plane.normal = normalized({along.y, -along.x, 0});
  return plane;
}

// The organ of the prompt that a label belongs to, or -1.
int tumor_organ_of(const std::string& label) {
  if (label.starts_with("lung_")) return static_cast<int>(TumorOrgan::kLung);
  if (label.starts_with("kidney_")) return static_cast<int>(TumorOrgan::kKidney);
  if (label == "liver") return static_cast<int>(TumorOrgan::kLiver);
  if (label == "colon") return static_cast<int>(TumorOrgan::kColon);
  if (label == "pancreas") return static_cast<int>(TumorOrgan::kPancreas);
  return -1;
}

class Placer {
 public:
  Placer(Painter& painter, RandomStream stream)
      : painter_(painter),
        canvas_(painter.canvas),
        stream_(std::move(stream)),
        plane_(liver_plane(painter)),
        tumor_(painter.id("tumor")),
        blocked_(canvas_.labels.size(), 0) {
    for (const LabelInfo& label : painter.vocabulary().labels()) {
      owners_.push_back(tumor_organ_of(label.name));
    }
  }

  std::optional<PlacedTumor> place(TumorPosition position, double size_mm);

 private:
  std::vector<int64_t> host_voxels(TumorPosition position) const;
  bool in_position(TumorPosition position, Point p, bool margin) const;
  bool in_colon_part(TumorPosition position, Point p, bool margin) const;
  bool in_pancreas_part(TumorPosition position, Point p, bool margin) const;
  std::vector<int64_t> grow(int64_t seed, double size_mm, const std::vector<uint8_t>& host,
                            float outside_cost);
  bool belongs(const std::vector<int64_t>& blob, const std::vector<uint8_t>& host,
               TumorOrgan organ) const;
  void block_around(const std::vector<int64_t>& voxels);

  Painter& painter_;
  Canvas& canvas_;
  RandomStream stream_;
  LiverPlane plane_;
  uint8_t tumor_;
  std::vector<uint8_t> blocked_;  // too near to a tumor
  std::vector<int> owners_;       // per label: TumorOrgan, or -1
};

std::vector<const char*> host_labels(TumorPosition position) {
  switch (position) {
    case TumorPosition::kLungLeftUpper:
      return {"lung_upper_left"};
    case TumorPosition::kLungLeftLower:
      return {"lung_lower_left"};
    case TumorPosition::kLungRightUpperMiddle:
      return {"lung_upper_right", "lung_middle_right"};
    case TumorPosition::kLungRightLower:
      return {"lung_lower_right"};
    case TumorPosition::kKidneyLeft:
      return {"kidney_left"};
    case TumorPosition::kKidneyRight:
      return {"kidney_right"};
    case TumorPosition::kLiverLeft:
    case TumorPosition::kLiverRight:
      return {"liver"};
    case TumorPosition::kPancreasHead:
    case TumorPosition::kPancreasBody:
    case TumorPosition::kPancreasTail:
      return {"pancreas"};
    default:
      return {"colon"};
  }
}

// Whether most of what surrounds the blob, of all organs that can hold a tumor, is its host at the
// wanted position: then the mask alone tells whose tumor it is.
bool Placer::belongs(const std::vector<int64_t>& blob, const std::vector<uint8_t>& host,
                     TumorOrgan organ) const {
  std::unordered_set<int64_t> seen(blob.begin(), blob.end());
  std::array<int64_t, kTumorOrganCount> shell{};
  int64_t own = 0;
  for (const int64_t i : blob) {
    const Voxel v = voxel_of(canvas_, i);
    for (int64_t n = 0; n < 27; ++n) {
      const Voxel w{v.x + n % 3 - 1, v.y + n / 3 % 3 - 1, v.z + n / 9 - 1};
      if (w.x < 0 || w.y < 0 || w.z < 0 || w.x >= canvas_.nx || w.y >= canvas_.ny ||
          w.z >= canvas_.nz) {
        continue;
      }
      const int64_t j = canvas_.index(w.x, w.y, w.z);
      if (!seen.insert(j).second) continue;
      if (host[static_cast<size_t>(j)] == 1) ++own;
      const int owner = owners_[canvas_.labels[static_cast<size_t>(j)]];
      if (owner >= 0) ++shell[static_cast<size_t>(owner)];
    }
  }
  if (2 * own <= shell[static_cast<size_t>(organ)]) return false;
  for (size_t other = 0; other < shell.size(); ++other) {
    if (other != static_cast<size_t>(organ) && shell[other] >= shell[static_cast<size_t>(organ)]) {
      return false;
    }
  }
  return own > 0;
}

// Pieces of the colon's course, as shares of a step between its landmarks (see paint_colon):
// `margin` keeps clear of the flexures, where one part passes into the next.
bool Placer::in_colon_part(TumorPosition position, Point p, bool margin) const {
  const Courses& courses = painter_.courses;
  const size_t at = nearest_node(courses.colon, p);
  const size_t gap = margin ? courses.step / 2 : 0;
  switch (position) {
    case TumorPosition::kColonSigmoidRectum:
      return at + gap < courses.descending;
    case TumorPosition::kColonDescending:
      return at >= courses.descending + gap && at + gap < courses.transverse;
    case TumorPosition::kColonTransverse:
      return at >= courses.transverse + gap && at + 2 * gap < courses.ascending;
    default:
      return at >= courses.ascending + 2 * gap;
  }
}

// Head, body and tail are thirds of the pancreas along the line from head to tail.
bool Placer::in_pancreas_part(TumorPosition position, Point p, bool margin) const {
  const std::vector<TubeNode>& course = painter_.courses.pancreas;
  const Point head = course.front().center;
  const Point axis = normalized(course.back().center - head);
  const float low = -course.front().radius;
  const float high = dot(course.back().center - head, axis) + course.back().radius;
  const float share = (dot(p - head, axis) - low) / (high - low);
  const float gap = margin ? 0.05F : 0.0F;
  switch (position) {
    case TumorPosition::kPancreasHead:
      return share < 1.0F / 3 - gap;
    case TumorPosition::kPancreasBody:
      return share >= 1.0F / 3 + gap && share < 2.0F / 3 - gap;
    default:
      return share >= 2.0F / 3 + gap;
  }
}

bool Placer::in_position(TumorPosition position, Point p, bool margin) const {
  const float gap = margin ? 6.0F : 2.0F;
  switch (organ_of(position)) {
    case TumorOrgan::kLiver:
      return position == TumorPosition::kLiverLeft ? plane_.side(p) < -gap : plane_.side(p) > gap;
    case TumorOrgan::kColon:
      return in_colon_part(position, p, margin);
    case TumorOrgan::kPancreas:
      return in_pancreas_part(position, p, margin);
    default:
      return true;  // the label says it all
  }
}

std::vector<int64_t> Placer::host_voxels(TumorPosition position) const {
  std::set<uint8_t> labels;
  for (const char* name : host_labels(position)) labels.insert(painter_.id(name));
  std::vector<int64_t> out;
  for (int64_t i = 0; i < canvas_.size(); ++i) {
    if (labels.count(canvas_.labels[static_cast<size_t>(i)]) > 0 &&
        in_position(position, canvas_.points[static_cast<size_t>(i)], false)) {
      out.push_back(i);
    }
  }
  return out;
}

void Placer::block_around(const std::vector<int64_t>& voxels) {
  constexpr int64_t kGap = 2;
  for (const int64_t i : voxels) {
    const Voxel v = voxel_of(canvas_, i);
    for (int64_t z = std::max<int64_t>(0, v.z - kGap); z <= std::min(canvas_.nz - 1, v.z + kGap);
         ++z) {
      for (int64_t y = std::max<int64_t>(0, v.y - kGap); y <= std::min(canvas_.ny - 1, v.y + kGap);
           ++y) {
        for (int64_t x = std::max<int64_t>(0, v.x - kGap);
             x <= std::min(canvas_.nx - 1, v.x + kGap); ++x) {
          blocked_[static_cast<size_t>(canvas_.index(x, y, z))] = 1;
        }
      }
    }
  }
}

// A roughly round blob about `seed`: the voxels of least bumpy distance, grown as one piece through
// the host and, at a cost, the soft tissue beside it. `host`: 1 host, 2 permitted neighbor.
std::vector<int64_t> Placer::grow(int64_t seed, double size_mm, const std::vector<uint8_t>& host,
                                  float outside_cost) {
  const auto radius = static_cast<float>(0.5 * size_mm);
  const SmoothNoise bumps(stream_, std::max(8.0, 0.7 * size_mm), 6);
  const Point stretch{static_cast<float>(stream_.uniform(0.88, 1.14)),
                      static_cast<float>(stream_.uniform(0.88, 1.14)),
                      static_cast<float>(stream_.uniform(0.88, 1.14))};
  const auto wanted =
      static_cast<size_t>(std::max(3L, std::lround(std::numbers::pi / 6.0 * size_mm * size_mm *
                                                   size_mm / (1000.0 * canvas_.voxel_ml()))));
  const Voxel center = voxel_of(canvas_, seed);
  const auto key = [&](Voxel v) {
    const Point d{static_cast<float>(v.x - center.x) * canvas_.spacing.x,
                  static_cast<float>(v.y - center.y) * canvas_.spacing.y,
                  static_cast<float>(v.z - center.z) * canvas_.spacing.z};
    const float r = length({d.x * stretch.x, d.y * stretch.y, d.z * stretch.z});
    return r + 0.11F * bumps(d) * std::min(r, radius);
  };
  // Growing in order of the key from the seed keeps the blob in one piece.
  const float limit = 1.45F * radius + canvas_.coarsest_spacing();
  std::set<std::pair<float, int64_t>> front{{0.0F, seed}};
  std::set<int64_t> seen{seed};
  std::vector<int64_t> blob;
  constexpr std::array kSteps{Offset{1, 0, 0},  Offset{-1, 0, 0}, Offset{0, 1, 0},
                              Offset{0, -1, 0}, Offset{0, 0, 1},  Offset{0, 0, -1}};
  while (!front.empty() && blob.size() < wanted) {
    const int64_t i = front.begin()->second;
    front.erase(front.begin());
    blob.push_back(i);
    const Voxel v = voxel_of(canvas_, i);
    for (const Offset& step : kSteps) {
      const Voxel n{v.x + step.x, v.y + step.y, v.z + step.z};
      if (n.x < 0 || n.y < 0 || n.z < 0 || n.x >= canvas_.nx || n.y >= canvas_.ny ||
          n.z >= canvas_.nz) {
        continue;
      }
      const int64_t j = canvas_.index(n.x, n.y, n.z);
      const uint8_t kind = host[static_cast<size_t>(j)];
      if (kind == 0 || blocked_[static_cast<size_t>(j)] != 0 || !seen.insert(j).second) continue;
      const float k = key(n) + (kind == 2 ? outside_cost * radius : 0.0F);
      if (k <= limit) front.emplace(k, j);
    }
  }
  return blob;
}

std::optional<PlacedTumor> Placer::place(TumorPosition position, double size_mm) {
  const std::vector<int64_t> inside = host_voxels(position);
  if (inside.empty()) return std::nullopt;
  std::vector<int64_t> seeds;
  for (const int64_t i : inside) {
    if (in_position(position, canvas_.points[static_cast<size_t>(i)], true)) seeds.push_back(i);
  }
  if (seeds.empty()) seeds = inside;
  // Tumors of hollow and small organs, and of the kidney's rim, bulge into the fat around.
  const TumorOrgan organ = organ_of(position);
  const bool bulges = organ != TumorOrgan::kLung && organ != TumorOrgan::kLiver;
  const float cost = organ == TumorOrgan::kKidney ? 0.40F : 0.12F;
  std::vector<uint8_t> host(canvas_.labels.size(), 0);
  for (const int64_t i : inside) host[static_cast<size_t>(i)] = 1;
  if (bulges) {
    for (int64_t i = 0; i < canvas_.size(); ++i) {
      const bool soft =
          painter_.free(i) && painter_.frame.cavity(canvas_.points[static_cast<size_t>(i)]) < 0;
      if (soft) host[static_cast<size_t>(i)] = 2;
    }
  }
  // Of several seeds keep the blob nearest to the wanted volume, most of it within the host.
  PlacedTumor best;
  double best_score = -1;
  const double wanted_ml = std::numbers::pi / 6.0 * size_mm * size_mm * size_mm / 1000.0;
  for (int attempt = 0; attempt < 40; ++attempt) {
    const int64_t seed =
        seeds[static_cast<size_t>(stream_.integer(static_cast<int64_t>(seeds.size())))];
    if (blocked_[static_cast<size_t>(seed)] != 0) continue;
    std::vector<int64_t> blob = grow(seed, size_mm, host, cost);
    if (blob.size() < 3) continue;
    int64_t own = 0;
    for (const int64_t i : blob) own += host[static_cast<size_t>(i)] == 1 ? 1 : 0;
    const double filled = static_cast<double>(blob.size()) * canvas_.voxel_ml() / wanted_ml;
    const double share = static_cast<double>(own) / static_cast<double>(blob.size());
    const double score = std::min(1.0, filled) + 0.3 * std::min(share, 0.5) +
                         (belongs(blob, host, organ) ? 1.0 : 0.0);
    if (score > best_score) {
      best_score = score;
      best.where = std::move(blob);
      best.host = canvas_.labels[static_cast<size_t>(seed)];
    }
    if (best_score > 2.0) break;
  }
  if (best.where.empty()) return std::nullopt;
  best.position = position;
  best.voxels = static_cast<int64_t>(best.where.size());
  best.diameter_mm = std::cbrt(6.0 / std::numbers::pi * 1000.0 * canvas_.voxel_ml() *
                               static_cast<double>(best.voxels));
  for (const int64_t i : best.where) canvas_.labels[static_cast<size_t>(i)] = tumor_;
  block_around(best.where);
  return best;
}

}  // namespace

std::vector<PlacedTumor> place_tumors(Painter& painter, const std::vector<TumorPlan>& plans,
                                      uint64_t seed, const std::string& case_id) {
  Placer placer(painter, RandomStream(seed, case_id, "phantom/tumors"));
  RandomStream sizes(seed, case_id, "phantom/tumor-sizes");
  std::vector<PlacedTumor> placed;
  for (const TumorPlan& plan : plans) {
    for (int i = 0; i < plan.count; ++i) {
      const double size = plan.size_mm * (plan.count > 1 ? sizes.uniform(0.92, 1.08) : 1.0);
      if (auto tumor = placer.place(plan.position, size)) placed.push_back(std::move(*tumor));
    }
  }
  return placed;
}

}  // namespace guidegen::phantom
