#include "data/wide_vocabulary.hpp"

#include <gmock/gmock.h>

#include "core/temporary_folder.hpp"
#include "guidegen/data/loader.hpp"
#include "guidegen/data/prepare.hpp"
#include "guidegen/data/stack_masks.hpp"
#include "guidegen/volume/labels.hpp"
#include "guidegen/volume/nifti.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {
namespace {

using ::testing::Contains;

class WideVocabulary : public ::testing::Test {
 protected:
  WideVocabulary() {
    DatasetWriter writer(folder_ / "data", vocabulary_);
    Prompt prompt;
    prompt.id = "with";
    const Volume mask = wide_mask();
    const Volume ct{at::full({1, 24, 24, 24}, 40.0F), mask.geometry};
    writer.add(prompt, mask, ct);
    // No label of this one needs more than eight bits.
    prompt.id = "without";
    writer.add(prompt, {at::ones({1, 24, 24, 24}, at::kByte), mask.geometry}, ct);
    writer.finish();
  }

  PrefetchLoader::Batch batch(const std::filesystem::path& cache) const {
    PrefetchLoader::Options options;
    options.batch = 2;
    options.with_ct = true;
    options.cache_directory = cache;
    const Dataset dataset = Dataset::open(folder_ / "data");
    PrefetchLoader loader(dataset, {0, 1}, options, 0);
    return loader.next();
  }

  TemporaryFolder folder_;
  Vocabulary vocabulary_ = wide_vocabulary();
};

TEST_F(WideVocabulary, IsUint16FromTheFileToTheBatch) {
  for (const auto& cache : {std::filesystem::path(), folder_ / "cache", folder_ / "cache"}) {
    const auto cases = batch(cache).cases;
    for (const auto& item : cases) {
      EXPECT_EQ(item->mask.scalar_type(), at::kUInt16) << item->id;
      EXPECT_EQ(item->mapped, !cache.empty());
      if (item->id == "with") {
        EXPECT_TRUE(item->mask.equal(wide_mask().data[0]));
      }
    }
    const at::Tensor together = stack_masks(cases);
    EXPECT_EQ(together.scalar_type(), at::kUInt16);
    EXPECT_EQ(label_range(together).largest, 299);
  }
}

TEST_F(WideVocabulary, TumorsAreFoundWithTheirHost) {
  const auto tumors = find_tumors(wide_mask(), vocabulary_);
  ASSERT_EQ(tumors.size(), 1U);
  EXPECT_EQ(tumors[0].component.voxels, 64);
  EXPECT_EQ(tumors[0].organ, TumorOrgan::kLiver);
  EXPECT_TRUE(tumors[0].position.has_value());
  // Label 299 modulo 256 is 43: a mask of uint8 that holds 43 has no tumor.
  const Volume narrow{at::full({1, 24, 24, 24}, 43, at::kByte), wide_mask().geometry};
  EXPECT_TRUE(find_tumors(narrow, vocabulary_).empty());
}

TEST_F(WideVocabulary, PreviewShowsColorsOfLabelsAbove255) {
  const Volume mask = wide_mask();
  PreviewOptions options;
  options.height = 96;
  const Picture picture = render_preview(nullptr, &mask, vocabulary_, options);
  std::vector<std::array<uint8_t, 3>> colors;
  for (size_t i = 0; i < picture.rgb.size(); i += 3) {
    colors.push_back({picture.rgb[i], picture.rgb[i + 1], picture.rgb[i + 2]});
  }
  EXPECT_THAT(colors, Contains(vocabulary_.label(290).color));
  EXPECT_THAT(colors, Contains(vocabulary_.label(299).color));
}

TEST_F(WideVocabulary, ForeignLabelsAreMapped) {
  LabelMapping mapping;
  mapping.name = "made up";
  mapping.to_ours = {{5, 290}, {700, 299}};
  const ImageGeometry geometry = centered_geometry({3, 1, 1}, {1, 1, 1});
  const at::Tensor values = at::tensor({0, 5, 700}, at::kInt).to(at::kUInt16);
  const Volume ours =
      map_labels({values.view({1, 1, 1, 3}), geometry}, vocabulary_, mapping, 1, "made up");
  EXPECT_EQ(ours.data.scalar_type(), at::kUInt16);
  EXPECT_TRUE(ours.data.flatten().equal(at::tensor({0, 290, 299}, at::kInt).to(at::kUInt16)));
}

}  // namespace
}  // namespace guidegen
