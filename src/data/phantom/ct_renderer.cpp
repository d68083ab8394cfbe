#include "data/phantom/ct_renderer.hpp"

#include "data/phantom/implants.hpp"
#include "data/phantom/tissue.hpp"
#include "data/phantom/vessel_tree.hpp"

namespace guidegen::phantom {
namespace {

// One pass of (w, 1 - 2w, w) along an axis: the blur of a voxel's own extent and of the scanner.
void blur_axis(std::vector<float>& values, int64_t count, int64_t stride, int64_t lines_a,
               int64_t stride_a, int64_t lines_b, int64_t stride_b, float w) {
  for (int64_t a = 0; a < lines_a; ++a) {
    for (int64_t b = 0; b < lines_b; ++b) {
      float* line = values.data() + a * stride_a + b * stride_b;
      float before = line[0];
      for (int64_t i = 0; i < count; ++i) {
        const float here = line[i * stride];
        const float after = line[std::min(i + 1, count - 1) * stride];
        line[i * stride] = here + w * (before + after - 2.0F * here);
        before = here;
      }
    }
  }
}

void blur(const Canvas& canvas, std::vector<float>& values, float w) {
  const int64_t plane = canvas.nx * canvas.ny;
  blur_axis(values, canvas.nx, 1, canvas.nz, plane, canvas.ny, canvas.nx, w);
  // Columns go row by row for the sake of the cache: the x loop runs innermost.
  std::vector<float> before(static_cast<size_t>(plane));
  const auto sweep = [&](int64_t count, int64_t stride, int64_t outer, int64_t outer_stride,
                         int64_t width) {
    for (int64_t o = 0; o < outer; ++o) {
      float* base = values.data() + o * outer_stride;
      std::copy_n(base, width, before.begin());
      for (int64_t i = 0; i < count; ++i) {
        float* row = base + i * stride;
        const float* next = base + std::min(i + 1, count - 1) * stride;
        for (int64_t x = 0; x < width; ++x) {
          const float here = row[x];
          row[x] = here + w * (before[static_cast<size_t>(x)] + next[x] - 2.0F * here);
          before[static_cast<size_t>(x)] = here;
        }
      }
    }
  };
  sweep(canvas.ny, canvas.nx, canvas.nz, plane, canvas.nx);
  sweep(canvas.nz, plane, 1, 0, plane);
}

// A curved shell under the patient, foam within, and a mattress; air elsewhere.
void add_table(const Painter& painter, std::vector<float>& hu) {
  const Canvas& canvas = painter.canvas;
  int64_t lowest = canvas.ny;
  for (int64_t i = 0; i < canvas.size(); ++i) {
    if (canvas.labels[static_cast<size_t>(i)] != 0) {
      lowest = std::min(lowest, i / canvas.nx % canvas.ny);
    }
  }
  const float middle_x = 0.5F * static_cast<float>(canvas.nx - 1);
  const float top = (static_cast<float>(lowest) - 0.5F) * canvas.spacing.y;
  const auto cover = [](float from, float to, float low, float high) {
    return std::max(0.0F, std::min(to, high) - std::max(from, low)) / (high - low);
  };
  for (int64_t i = 0; i < canvas.size(); ++i) {
    if (canvas.labels[static_cast<size_t>(i)] != 0) continue;
    const auto x = static_cast<float>(i % canvas.nx);
    const auto y = static_cast<float>(i / canvas.nx % canvas.ny);
    const float offset = (x - middle_x) * canvas.spacing.x;
    if (std::abs(offset) > 215.0F) continue;
    const float bend = offset * offset / 1500.0F;  // the cradle rises to the sides
    const float low = (y - 0.5F) * canvas.spacing.y - bend;
    const float high = (y + 0.5F) * canvas.spacing.y - bend;
    float& v = hu[static_cast<size_t>(i)];
    v += 620.0F * cover(top - 4.0F, top - 1.5F, low, high);    // mattress cover and carbon shell
    v += 70.0F * cover(top - 30.0F, top - 4.0F, low, high);    // foam
    v += 760.0F * cover(top - 33.0F, top - 30.0F, low, high);  // lower shell
  }
}

void add_noise(const Painter& painter, std::vector<float>& hu, RandomStream stream) {
  const Canvas& canvas = painter.canvas;
  std::vector<float> noise(hu.size());
  stream.fill_normal(noise.data(), static_cast<int64_t>(noise.size()));
  constexpr float kBlur = 0.16F;
  blur(canvas, noise, kBlur);
  // Deviation left by the blur along three axes.
  const float kept = std::pow(1.0F - 4.0F * kBlur + 6.0F * kBlur * kBlur, 1.5F);
  // Averaging over larger voxels lowers the noise; large patients absorb more.
  const double dose = stream.uniform(0.75, 1.35);
  const double thickness = std::clamp(canvas.coarsest_spacing() / 1.5, 0.5, 4.0);
  const double girth = 0.85 + 0.012 * painter.patient.fat_mm;
  const auto sigma = static_cast<float>(15.0 * dose * girth / std::sqrt(thickness)) / kept;
  for (int64_t i = 0; i < canvas.size(); ++i) {
    const auto index = static_cast<size_t>(i);
    const float z = canvas.points[index].z;
    const float shoulders = 1.0F + 0.6F * smooth_step(415, 450, z) + 0.4F * smooth_step(110, 60, z);
    const float here = canvas.labels[index] == 0 ? 0.45F : shoulders;
    hu[index] += sigma * here * noise[index];
  }
}

void mark_outside_field_of_view(const Canvas& canvas, std::vector<float>& hu) {
  const float fx = 0.5F * static_cast<float>(canvas.nx) * canvas.spacing.x;
  const float fy = 0.5F * static_cast<float>(canvas.ny) * canvas.spacing.y;
  const float radius = std::max(fx, fy);
  for (int64_t i = 0; i < canvas.size(); ++i) {
    const auto index = static_cast<size_t>(i);
    const float x = (static_cast<float>(i % canvas.nx) + 0.5F) * canvas.spacing.x - fx;
    const float y = (static_cast<float>(i / canvas.nx % canvas.ny) + 0.5F) * canvas.spacing.y - fy;
    if (canvas.labels[index] == 0 && x * x + y * y > radius * radius) hu[index] = -1024.0F;
  }
}

const char* organ_label(const Vocabulary& vocabulary, uint8_t id) {
  return vocabulary.label(id).name.c_str();
}

// Tumors enhance less than their host, more at the rim than in the necrotic middle of a large one.
void render_tumors(const Painter& painter, const std::vector<PlacedTumor>& tumors,
                   std::vector<float>& hu, RandomStream stream) {
  const Canvas& canvas = painter.canvas;
  const ContrastPhase phase = painter.patient.contrast;
  const bool native = phase == ContrastPhase::kNone;
  for (const PlacedTumor& tumor : tumors) {
    const TumorOrgan organ = organ_of(tumor.position);
    const auto host =
        static_cast<float>(phase_hu(organ_label(painter.vocabulary(), tumor.host), phase));
    float rim = 0;
    switch (organ) {
      case TumorOrgan::kLung:
        rim = native ? 32 : 62;
        break;
      case TumorOrgan::kLiver:
        rim = native ? host - 16 : (phase == ContrastPhase::kArterial ? host + 12 : host - 42);
        break;
      case TumorOrgan::kKidney:
        rim = native ? host + 4 : (phase == ContrastPhase::kArterial ? 120 : 95);
        break;
      case TumorOrgan::kColon:
        rim = native ? 38 : 82;
        break;
      case TumorOrgan::kPancreas:
        rim = native ? host - 4 : host - 36;
        break;
    }
    rim += static_cast<float>(stream.normal(0.0, 6.0));
    const float necrosis =
        tumor.diameter_mm > 26 && !native ? static_cast<float>(stream.uniform(10.0, 45.0)) : 0.0F;
    const SmoothNoise texture(stream, 12, 5);
    Point middle{};
    for (const int64_t i : tumor.where) middle = middle + canvas.points[static_cast<size_t>(i)];
    middle = middle * (1.0F / static_cast<float>(tumor.where.size()));
    const auto radius = static_cast<float>(0.5 * tumor.diameter_mm);
    for (const int64_t i : tumor.where) {
      const Point p = canvas.points[static_cast<size_t>(i)];
      const float core = smooth_step(0.75F, 0.3F, length(p - middle) / radius);
      hu[static_cast<size_t>(i)] = rim - necrosis * core + 5.0F * texture(p);
    }
  }
}

}  // namespace

std::vector<float> render_ct(const Painter& painter, const std::vector<PlacedTumor>& tumors,
                             double implants, uint64_t seed, const std::string& case_id) {
  const Canvas& canvas = painter.canvas;
  std::vector<float> hu(canvas.labels.size());
  const Tissue tissue(painter, seed, case_id);
  for (int64_t i = 0; i < canvas.size(); ++i) hu[static_cast<size_t>(i)] = tissue.at(i);
  add_lung_vessels(painter, hu, RandomStream(seed, case_id, "phantom/lung-vessels"));
  add_liver_vessels(painter, hu, RandomStream(seed, case_id, "phantom/liver-vessels"));
  render_tumors(painter, tumors, hu, RandomStream(seed, case_id, "phantom/tumor-tissue"));
  add_table(painter, hu);
  RandomStream metal(seed, case_id, "phantom/implants");
  if (metal.flip(implants)) add_implants(painter, hu, metal);
  // A fine grid resolves what a coarse one averages: blur by about 0.8 mm, and half a voxel at
  // most.
  const float sharpness = clamp01(1.2F / canvas.finest_spacing());
  blur(canvas, hu, 0.10F + 0.06F * sharpness);
  add_noise(painter, hu, RandomStream(seed, case_id, "phantom/noise"));
  mark_outside_field_of_view(canvas, hu);
  for (float& v : hu) v = std::clamp(v, -1024.0F, 3071.0F);
  return hu;
}

}  // namespace guidegen::phantom
