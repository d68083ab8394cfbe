#include "data/phantom/tissue.hpp"

#include "guidegen/anatomy/organ_facts.hpp"

namespace guidegen::phantom {

double phase_hu(const std::string& label, ContrastPhase phase) {
  const OrganFacts& facts = organ_facts(label);
  switch (phase) {
    case ContrastPhase::kNone:
      return facts.hu_native;
    case ContrastPhase::kArterial:
      return facts.hu_arterial;
    case ContrastPhase::kPortalVenous:
      return facts.hu_portal_venous;
    case ContrastPhase::kDelayed:
      return facts.hu_delayed;
  }
  return facts.hu_native;
}

Tissue::Tissue(const Painter& painter, uint64_t seed, const std::string& case_id)
    : painter_(painter),
      patient_(painter.patient),
      coarse_([&] {
        RandomStream s(seed, case_id, "phantom/texture-coarse");
        return SmoothNoise(s, 60, 6);
      }()),
      medium_([&] {
        RandomStream s(seed, case_id, "phantom/texture-medium");
        return SmoothNoise(s, 24, 6);
      }()),
      fine_([&] {
        RandomStream s(seed, case_id, "phantom/texture-fine");
        return SmoothNoise(s, 9, 6);
      }()) {
  RandomStream stream(seed, case_id, "phantom/tissue");
  const Vocabulary& vocabulary = painter.vocabulary();
  for (const LabelInfo& label : vocabulary.labels()) {
    const std::string& name = label.name;
    Kind kind = Kind::kPlain;
    if (name == "background") kind = Kind::kAir;
    if (name == "body") kind = Kind::kBody;
    if (name.rfind("lung_", 0) == 0) kind = Kind::kLung;
    if (name == "trachea") kind = Kind::kAirway;
    if (name == "heart") kind = Kind::kHeart;
    if (name.rfind("kidney_", 0) == 0) kind = Kind::kKidney;
    if (name == "aorta" || name == "inferior_vena_cava") kind = Kind::kVessel;
    if (name == "stomach" || name == "small_bowel" || name == "duodenum") kind = Kind::kHollow;
    if (name == "colon") kind = Kind::kColon;
    if (name == "bladder") kind = Kind::kBladder;
    if (name == "spine") kind = Kind::kSpine;
    if (name == "bone") kind = Kind::kBone;
    const double own = std::clamp(stream.normal(), -2.0, 2.0);
    double mean = 40;
    if (kind != Kind::kAir && kind != Kind::kBody && name != "tumor") {
      const double spread = organ_facts(name).hu_spread;
      mean = phase_hu(name, patient_.contrast) +
             (patient_.contrast == ContrastPhase::kNone ? 0.4 : 0.8) * spread * own;
    }
    if (name == "liver")
      mean -= 30.0 * std::max(0.0, patient_.visceral_fat - 0.55) * stream.uniform(0.0, 2.0);
    kinds_.push_back(kind);
    means_.push_back(static_cast<float>(mean));
  }
  const double decline = std::clamp((patient_.age - 30) / 60.0, 0.0, 1.0);
  fat_hu_ = static_cast<float>(stream.normal(-104, 3));
  muscle_hu_ = static_cast<float>((patient_.contrast == ContrastPhase::kNone ? 50 : 60) -
                                  14 * decline + stream.normal(0, 3));
  blood_hu_ = static_cast<float>(phase_hu("heart", patient_.contrast));
  marrow_hu_ = static_cast<float>(230 - 130 * decline * (patient_.male() ? 0.85 : 1.1) +
                                  stream.normal(0, 18));
  cortex_hu_ = static_cast<float>(1480 - 300 * decline + stream.normal(0, 60));
  cortex_mm_ = static_cast<float>(2.6 - 0.9 * decline);
  gas_level_ = static_cast<float>(stream.normal(22, 14));
  oral_contrast_hu_ = stream.flip(0.2) ? static_cast<float>(stream.uniform(120, 320)) : 0.0F;
  calcium_ = static_cast<float>(std::max(0.0, decline - 0.3) * stream.uniform(0.3, 1.4));
  excretion_hu_ = static_cast<float>(stream.uniform(180, 500));
}

// Share of a voxel that cortical bone of this thickness takes up, `depth` mm below its surface.
float Tissue::cortex_share(float depth, float thickness) const {
  const float s = std::max(1.0F, painter_.canvas.coarsest_spacing());
  return clamp01((thickness - (depth - 0.5F * s)) / s);
}

float Tissue::at(int64_t i) const {
  const auto index = static_cast<size_t>(i);
  const uint8_t label = painter_.canvas.labels[index];
  const float mean = means_[label];
  switch (kinds_[label]) {
    case Kind::kAir:
      return -1000.0F;
    case Kind::kBody:
      return body(i);
    case Kind::kLung:
      return lung(i, mean);
    case Kind::kAirway:
      return std::min(mean - 40.0F, -930.0F);
    case Kind::kHeart:
      return heart(i, mean);
    case Kind::kKidney:
      return kidney(i, mean);
    case Kind::kVessel:
      return vessel(i, mean);
    case Kind::kHollow:
      return hollow(i, mean);
    case Kind::kColon:
      return colon(i);
    case Kind::kBladder:
      return bladder(i, mean);
    case Kind::kSpine:
      return spine(i);
    case Kind::kBone:
      return bone(i);
    case Kind::kPlain:
      break;
  }
  return mean + 4.0F * coarse_(painter_.canvas.points[index]) +
         5.0F * medium_(painter_.canvas.points[index]);
}

float Tissue::body(int64_t i) const {
  const auto index = static_cast<size_t>(i);
  const Point p = painter_.canvas.points[index];
  const TorsoFrame& frame = painter_.frame;
  const float s = std::max(1.5F, painter_.canvas.finest_spacing());
  const float fat = fat_hu_ + 3.0F * medium_(p);
  const float muscle = muscle_hu_ + 7.0F * medium_(p);
  const float depth = painter_.canvas.depth[index];
  if (depth < 2.0F) return fat + (20.0F - fat) * clamp01((2.0F - depth) / s + 0.3F);  // skin
  const float outer = frame.muscle(p);
  if (outer > 0) return fat + (muscle - fat) * clamp01(0.5F - outer / s);
  const float inner = frame.cavity(p);
  if (inner > 0) {
    // Muscles of wall, back, buttocks and shoulders, fat between them; more of it with age.
    const float planes = std::abs(coarse_(p) + 0.4F * medium_(p));
    const float marbling = 0.10F + 0.12F * patient_.visceral_fat;
    const float thick = smooth_step(8, 22, inner - outer);
    return fat +
           (muscle - fat) * (1.0F - 0.9F * thick * smooth_step(marbling, 0.4F * marbling, planes));
  }
  // The psoas runs along the lumbar spine to the hip, on either side.
  if (p.z < 270 && p.z > 50) {
    const float t = (270.0F - p.z) / 220.0F;
    const float x = 27.0F + 52.0F * t * t + 8.0F * t;
    const float y =
        frame.spine_y(std::max(p.z, 140.0F)) + 2.0F + 56.0F * smooth_step(0.45F, 1.0F, t);
    const float dx = std::abs(p.x) - x;
    const float dy = p.y - y;
    const float radius =
        8.0F + 12.0F * smooth_step(0.0F, 0.5F, t) - 3.0F * smooth_step(0.7F, 1.0F, t);
    const float d = std::sqrt(dx * dx + dy * dy) - radius;
    if (d < 0) return muscle + (fat - muscle) * clamp01(0.3F + d / s);
  }
  const float above = p.z - frame.diaphragm(p.x, p.y) - painter_.diaphragm_shift;
  if (above > 0 && above < 4.0F) return muscle;
  if (above > 0) {
    // Mediastinum: fat with vessels and nodes.
    return fat + (0.6F * blood_hu_ + 20.0F - fat) *
                     smooth_step(0.1F, 1.1F, coarse_(p) + 0.5F * medium_(p) + 0.5F);
  }
  // Mesentery and retroperitoneum; pelvis between muscle and fat. Lean people have little fat
  // there.
  const float strands = medium_(p) + 0.5F * fine_(p);
  const float soft = 0.15F + 0.5F * (1.0F - patient_.visceral_fat);
  const float share = smooth_step(1.6F - 1.6F * soft, 2.6F - 1.2F * soft, strands + 0.6F);
  const float pelvic_floor = smooth_step(70, 30, p.z);
  return fat + (muscle - fat) * std::max(share, pelvic_floor * 0.8F);
}

float Tissue::lung(int64_t i, float mean) const {
  const Point p = painter_.canvas.points[static_cast<size_t>(i)];
  // Blood settles: denser at the back of a patient who lies on it.
  const float gravity = 30.0F * clamp01((20.0F - p.y) / 100.0F);
  return std::min(mean, -835.0F) - 25.0F + gravity + 9.0F * medium_(p) + 8.0F * coarse_(p);
}

float Tissue::heart(int64_t i, float mean) const {
  const auto index = static_cast<size_t>(i);
  const Point p = painter_.canvas.points[index];
  const float depth = painter_.canvas.depth[index];
  const bool native = patient_.contrast == ContrastPhase::kNone;
  const float wall = native ? mean : 45.0F + 0.42F * mean;
  const float blood = native ? mean - 2.0F : mean * 1.12F;
  if (depth < 2.5F) return wall - 70.0F * clamp01((2.5F - depth) / 4.0F);  // epicardial fat
  // Septum: a muscular sheet between the two ventricles.
  const float septum = std::abs((p.x + 8.0F) * 0.72F + (p.y - 34.0F) * 0.55F - 4.0F);
  const bool low = p.z < 362;
  if (depth < 10.0F || (low && septum < 5.0F)) return wall + 5.0F * medium_(p);
  return blood + 5.0F * coarse_(p);
}

float Tissue::kidney(int64_t i, float mean) const {
  const auto index = static_cast<size_t>(i);
  const Point p = painter_.canvas.points[index];
  const float depth = painter_.canvas.depth[index];
  const float medulla = smooth_step(5, 9, depth) * smooth_step(-0.5F, 0.5F, medium_(p) + 0.3F);
  switch (patient_.contrast) {
    case ContrastPhase::kArterial:
      return mean + 35.0F - 95.0F * medulla;
    case ContrastPhase::kPortalVenous:
      return mean + 8.0F - 25.0F * medulla;
    case ContrastPhase::kDelayed:
      return mean + (depth > 13 ? 0.5F * excretion_hu_ * medulla : 4.0F * coarse_(p));
    case ContrastPhase::kNone:
      break;
  }
  return mean + 3.0F * medium_(p);
}

float Tissue::vessel(int64_t i, float mean) const {
  const auto index = static_cast<size_t>(i);
  const Point p = painter_.canvas.points[index];
  const float plaque = medium_(p) + 0.7F * fine_(p) - 2.3F + 1.6F * calcium_;
  const bool aorta = painter_.canvas.labels[index] == painter_.id("aorta");
  if (aorta && calcium_ > 0 && painter_.canvas.depth[index] < 3.5F && plaque > 0 && p.z < 420) {
    return mean + std::min(900.0F, 250.0F + 600.0F * plaque);
  }
  return mean + 4.0F * coarse_(p);
}

float Tissue::hollow(int64_t i, float mean) const {
  const auto index = static_cast<size_t>(i);
  const Point p = painter_.canvas.points[index];
  const float s = 0.5F * painter_.canvas.finest_spacing();
  const float depth = painter_.canvas.depth[index];
  const bool stomach = painter_.canvas.labels[index] == painter_.id("stomach");
  const float wall = mean + (patient_.contrast == ContrastPhase::kNone ? 6.0F : 22.0F);
  if (depth < (stomach ? 4.0F : 2.8F) - 0.3F * s) return wall;
  // Gas rises to the front of a patient on his back.
  const bool gas = stomach ? p.y > 28.0F + gas_level_ : coarse_(p) + 0.5F * medium_(p) > 1.75F;
  if (gas) return -940.0F;
  const float fluid = 14.0F + 9.0F * medium_(p) + oral_contrast_hu_ * (0.8F + 0.15F * coarse_(p));
  return stomach ? fluid + 14.0F * fine_(p) : 0.65F * fluid + 0.35F * mean;
}

float Tissue::colon(int64_t i) const {
  const auto index = static_cast<size_t>(i);
  const Point p = painter_.canvas.points[index];
  if (painter_.canvas.depth[index] < 2.8F)
    return patient_.contrast == ContrastPhase::kNone ? 38.0F : 68.0F;
  const float front = clamp01((p.y + 30.0F) / 110.0F);
  const float gas = coarse_(p) + 0.5F * medium_(p) + 1.6F * front;
  if (gas > 1.15F) return -930.0F;
  const float bubbles = std::max(0.0F, fine_(p) + 0.4F * medium_(p));  // stool
  return 48.0F + 0.7F * oral_contrast_hu_ - 190.0F * bubbles * bubbles;
}

float Tissue::bladder(int64_t i, float mean) const {
  const auto index = static_cast<size_t>(i);
  const Point p = painter_.canvas.points[index];
  if (painter_.canvas.depth[index] < 2.0F) return 40.0F;
  const float urine = std::min(mean, 15.0F);
  if (patient_.contrast != ContrastPhase::kDelayed) return urine;
  return urine + excretion_hu_ * smooth_step(30, 8, p.y);  // excreted contrast sinks
}

float Tissue::spine(int64_t i) const {
  const auto index = static_cast<size_t>(i);
  const Point p = painter_.canvas.points[index];
  const float depth = painter_.canvas.depth[index];
  const float middle = painter_.frame.spine_y(p.z);
  const float marrow = marrow_hu_ + 22.0F * medium_(p);
  if (p.z > 128 && p.y > middle - 19.0F) {
    const float pitch = p.z < 262 ? 27.0F : 17.6F;
    const float start = p.z < 262 ? 141.0F : 272.5F;
    const float half = p.z < 262 ? 10.5F : 6.8F;
    const float off = std::abs(std::remainder(p.z - start, pitch));
    if (off > half) return 88.0F + 10.0F * coarse_(p);  // disc
    const float endplate = cortex_share(half - off, 1.0F);
    const float shell = std::max(0.5F * endplate, 0.6F * cortex_share(depth, 1.2F));
    return marrow + (0.55F * cortex_hu_ - marrow) * shell;
  }
  return marrow + (0.85F * cortex_hu_ - marrow) * cortex_share(depth, 1.2F * cortex_mm_);
}

float Tissue::bone(int64_t i) const {
  const auto index = static_cast<size_t>(i);
  const Point p = painter_.canvas.points[index];
  const float depth = painter_.canvas.depth[index];
  // Shafts of femur and humerus carry the thickest, densest cortex.
  const bool shaft = (p.z < 28 && std::abs(p.x) > 88) || (p.z > 452 && std::abs(p.x) > 105);
  const float thickness = shaft ? 3.0F * cortex_mm_ : cortex_mm_;
  const float dense = shaft ? 1.4F * cortex_hu_ : cortex_hu_;
  const float marrow = shaft ? -30.0F : 0.9F * marrow_hu_ + 25.0F * medium_(p);
  return marrow + (dense - marrow) * cortex_share(depth, thickness);
}

}  // namespace guidegen::phantom
