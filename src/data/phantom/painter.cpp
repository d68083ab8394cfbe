#include "data/phantom/painter.hpp"

namespace guidegen::phantom {

Painter::Painter(Canvas& target, const Patient& who, const TorsoFrame& torso,
                 const Vocabulary& vocabulary, Thresholds& thresholds, bool calibrate)
    : canvas(target),
      patient(who),
      frame(torso),
      vocabulary_(vocabulary),
      thresholds_(thresholds),
      calibrate_(calibrate),
      body_(static_cast<uint8_t>(vocabulary.body())) {}

float Painter::solve(const std::string& name, const DistanceField& field, double volume_ml,
                     float low, float high, const std::function<bool(int64_t)>& where) {
  if (!calibrate_) return thresholds_.at(name);
  std::vector<float> candidates;
  for_each_voxel(canvas, field.box(), [&](int64_t i) {
    if (field[i] < high && free(i) && (!where || where(i))) candidates.push_back(field[i]);
  });
  float threshold = high;
  const auto wanted = static_cast<size_t>(volume_ml / canvas.voxel_ml());
  if (wanted < candidates.size()) {
    const auto nth = candidates.begin() + static_cast<std::ptrdiff_t>(wanted);
    std::nth_element(candidates.begin(), nth, candidates.end());
    threshold = std::max(low, *nth);
  }
  thresholds_[name] = threshold;
  return threshold;
}

void Painter::paint(const std::string& label, const DistanceField& field, float threshold) {
  const uint8_t value = id(label);
  int64_t painted = 0;
  int64_t nearest = -1;
  for_each_voxel(canvas, field.box(), [&](int64_t i) {
    const float d = field[i];
    if (d >= DistanceField::kFar || !free(i)) return;
    if (d < threshold) {
      canvas.labels[static_cast<size_t>(i)] = value;
      canvas.depth[static_cast<size_t>(i)] = threshold - d;
      ++painted;
    } else if (nearest < 0 || d < field[nearest]) {
      nearest = i;
    }
  });
  // A structure smaller than a voxel still exists.
  if (painted == 0 && nearest >= 0 && field[nearest] < 0.9F * canvas.coarsest_spacing()) {
    canvas.labels[static_cast<size_t>(nearest)] = value;
  }
}

void Painter::paint_to_volume(const std::string& label, const DistanceField& field, float slack) {
  const auto found = patient.volume_ml.find(label);
  const float threshold =
      found == patient.volume_ml.end() ? 0.0F : solve(label, field, found->second, -slack, slack);
  paint(label, field, threshold);
}

float Painter::abdomen(Point p) const {
  return std::max(frame.cavity(p) + 1.5F, p.z - frame.diaphragm(p.x, p.y) - diaphragm_shift + 2.0F);
}

Point Painter::settle(Point p) const {
  return {p.x, p.y, p.z + diaphragm_shift * smooth_step(170, 300, p.z)};
}

std::vector<TubeNode> Painter::settle(std::vector<TubeNode> nodes) const {
  for (TubeNode& node : nodes) node.center = settle(node.center);
  return nodes;
}

}  // namespace guidegen::phantom
