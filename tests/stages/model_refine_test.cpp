#include <gtest/gtest.h>

#include <filesystem>

#include "guidegen/stages/model.hpp"
#include "guidegen/volume/refine_labels.hpp"

namespace guidegen {
namespace {

TEST(ModelRefine, FineMasksAreRefinedFromTheTrainedSpacing) {
  const std::filesystem::path source = GUIDEGEN_SOURCE_DIR;
  const Model model = Model::load(source / "models" / "demo");
  const Vec3 trained = model.geometry().spacing;
  Prompt prompt;
  prompt.id = "case";
  prompt.size = {{18, 20, 24}};
  prompt.spacing_mm = trained;
  MaskSampling options;
  options.steps = 2;
  const Volume coarse = model.sample_mask(prompt, "case", 3, options);
  EXPECT_TRUE(same_geometry(coarse.geometry, model.geometry_for(prompt)));

  // Half the spacing, and a field of view of 17.5, 20 and 24 voxels of the trained one.
  prompt.size = {{35, 40, 48}};
  prompt.spacing_mm = {{trained[0] / 2, trained[1] / 2, trained[2] / 2}};
  const Volume fine = model.sample_mask(prompt, "case", 3, options);
  EXPECT_TRUE(same_geometry(fine.geometry, model.geometry_for(prompt)));
  EXPECT_TRUE(at::equal(fine.data, refine_labels(coarse, fine.geometry).data));
}

}  // namespace
}  // namespace guidegen
