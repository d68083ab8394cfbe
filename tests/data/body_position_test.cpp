#include "guidegen/data/body_position.hpp"

#include <gmock/gmock.h>

#include "data/hand_made.hpp"
#include "guidegen/data/phantom.hpp"

namespace guidegen {
namespace {

Volume slab_of(const Volume& mask, int64_t low, int64_t high) {
  auto size = mask.geometry.size;
  size[2] = high - low;
  return {mask.data.slice(1, low, high).contiguous(),
          centered_geometry(size, mask.geometry.spacing)};
}

Volume phantom_mask(uint64_t seed) {
  PhantomRequest request;
  request.seed = seed;
  request.geometry = centered_geometry({64, 64, 80}, {6, 6, 6});
  return make_phantom(request, Vocabulary::load("torso")).mask;
}

TEST(BodyPosition, TheImageIsAsHighAsItsGrid) {
  const auto vocabulary = Vocabulary::load("torso");
  const auto position = body_position(phantom_mask(1), vocabulary);
  ASSERT_TRUE(position.has_value());
  EXPECT_NEAR(position->top_mm - position->bottom_mm, 480, 1e-9);
  EXPECT_LT(position->bottom_mm, -150);  // the pelvis is below the liver …
  EXPECT_GT(position->top_mm, 150);      // … and the upper lobes above it
}

TEST(BodyPosition, PartsOfAPatientKnowWhereTheyAre) {
  const auto vocabulary = Vocabulary::load("torso");
  for (const uint64_t seed : {1U, 2U, 3U}) {
    const Volume mask = phantom_mask(seed);
    const auto whole = body_position(mask, vocabulary);
    ASSERT_TRUE(whole.has_value());
    for (const int64_t low : {0, 20, 40}) {
      const auto part = body_position(slab_of(mask, low, low + 40), vocabulary);
      ASSERT_TRUE(part.has_value());
      EXPECT_NEAR(part->bottom_mm, whole->bottom_mm + 6.0 * double(low), 45) << seed << " " << low;
    }
  }
}

TEST(BodyPosition, IsUnknownWithoutOrgans) {
  const auto vocabulary = Vocabulary::load("torso");
  Volume mask = empty_mask();
  EXPECT_FALSE(body_position(mask, vocabulary).has_value());
  mask.data.slice(1, 10, 70).fill_(vocabulary.body());
  EXPECT_FALSE(body_position(mask, vocabulary).has_value());
}

}  // namespace
}  // namespace guidegen
