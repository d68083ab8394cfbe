#include "data/phantom/smooth_noise.hpp"

namespace guidegen::phantom {
namespace {

// Sine of a phase in cycles: a parabola per half wave with one correction, within 0.1 %. Far faster
// than sinf, and the same on every processor.
inline float sine_of_cycles(float t) {
  t -= std::floor(t + 0.5F);
  const float s = 8.0F * t - 16.0F * t * std::abs(t);
  return s * (0.775F + 0.225F * std::abs(s));
}

}  // namespace

SmoothNoise::SmoothNoise(RandomStream& stream, double wavelength_mm, int waves)
    : gain_(std::sqrt(2.0F / static_cast<float>(waves))) {
  for (int i = 0; i < waves; ++i) {
    const Point direction =
        normalized({static_cast<float>(stream.normal()), static_cast<float>(stream.normal()),
                    static_cast<float>(stream.normal())});
    const auto k = static_cast<float>(stream.uniform(0.65, 1.35) / wavelength_mm);
    waves_.push_back({direction * k, static_cast<float>(stream.uniform())});
  }
}

float SmoothNoise::operator()(Point p) const {
  float sum = 0;
  for (const Wave& wave : waves_) sum += sine_of_cycles(dot(wave.k, p) + wave.phase);
  return sum * gain_;
}

}  // namespace guidegen::phantom
