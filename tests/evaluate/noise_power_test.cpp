#include "guidegen/evaluate/noise_power.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "guidegen/core/error.hpp"
#include "guidegen/core/random_stream.hpp"

namespace guidegen {
namespace {

constexpr int64_t kSide = 16;

TEST(NoisePower, OfWhiteNoiseIntegratesToItsVarianceAndIsFlat) {
  at::Tensor patches = at::empty({2000, kSide, kSide});
  RandomStream(1, "noise", "white").fill_normal(patches.data_ptr<float>(), patches.numel());
  NoisePower power({0.5, 0.5}, kSide);
  power.add(patches * 20);
  const NoiseSpectrum spectrum = power.spectrum();
  EXPECT_EQ(spectrum.patches, 2000);
  // Three of 256 degrees of freedom go with the plane.
  EXPECT_NEAR(spectrum.variance, 400 * (1 - 3.0 / 256), 3);
  // Flat at s^2 dx dy; the lowest frequencies lose to the plane.
  ASSERT_EQ(spectrum.power.size(), 9U);
  for (size_t bin = 2; bin < 9; ++bin) EXPECT_NEAR(spectrum.power[bin], 100, 4) << bin;
  EXPECT_NEAR(spectrum.frequency_per_mm.back(), 1.0, 1e-12);  // Nyquist's: 1 / (2 * 0.5 mm)
}

// A cosine about the middle of the patch has no part in a plane.
TEST(NoisePower, OfAWaveSitsAtItsFrequency) {
  const at::Tensor x = at::arange(kSide, at::kDouble) - (kSide - 1) / 2.0;
  const at::Tensor wave = 30 * (2 * std::numbers::pi * 4 / kSide * x).cos();
  NoisePower power({2, 2}, kSide);
  power.add((wave.view({1, 1, -1}) + at::zeros({3, kSide, kSide}, at::kDouble)));
  const NoiseSpectrum spectrum = power.spectrum();
  EXPECT_NEAR(spectrum.variance, 450, 1e-9);  // 30^2 / 2
  EXPECT_NEAR(spectrum.mean_frequency_per_mm, 4.0 / (kSide * 2), 1e-9);
}

TEST(NoisePower, ShadingIsNoNoise) {
  const at::Tensor ramp = at::arange(kSide, at::kDouble);
  NoisePower power({1, 2}, kSide);
  power.add((50 + 3 * ramp.view({-1, 1}) - 7 * ramp.view({1, -1})).unsqueeze(0));
  EXPECT_NEAR(power.spectrum().variance, 0, 1e-18);
}

TEST(NoisePower, OfNothingDoesNotExist) {
  NoisePower power({1, 1}, kSide);
  power.add(at::empty({0, kSide, kSide}));
  EXPECT_EQ(power.spectrum().patches, 0);
  EXPECT_TRUE(std::isnan(power.spectrum().variance));
  EXPECT_THROW(power.add(at::zeros({1, 8, 8})), Error);
}

TEST(NoisePatches, LieWhollyInside) {
  const at::Tensor slice = at::arange(40 * 40, at::kDouble).view({40, 40});
  at::Tensor inside = at::zeros({40, 40}, at::kBool);
  inside.narrow(0, 8, 12).narrow(1, 4, 8) = true;
  const at::Tensor patches = noise_patches(slice, inside, 8);  // corners at multiples of 2
  ASSERT_EQ(patches.size(0), 3);                               // rows 8, 10 and 12 at column 4
  EXPECT_TRUE(at::equal(patches[1], slice.narrow(0, 10, 8).narrow(1, 4, 8)));
  EXPECT_EQ(noise_patches(slice.narrow(0, 0, 7), inside.narrow(0, 0, 7), 8).size(0), 0);
}

TEST(NoisePatches, AreAboutThirtyMillimetersWide) {
  EXPECT_EQ(noise_patch_side({3, 3}), 10);
  EXPECT_EQ(noise_patch_side({6, 6}), 8);
  EXPECT_EQ(noise_patch_side({0.75, 0.75}), 40);
  EXPECT_EQ(noise_patch_side({0.1, 0.1}), 64);
}

}  // namespace
}  // namespace guidegen
