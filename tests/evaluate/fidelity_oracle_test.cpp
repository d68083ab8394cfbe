#include <gtest/gtest.h>

#include <cstdlib>

#include "core/temporary_folder.hpp"
#include "evaluate/made_up_ct.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/evaluate/fidelity.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

std::string python() {
  const char* chosen = std::getenv("GUIDEGEN_PYTHON");
  return chosen ? chosen : "python3";
}

TEST(FidelityOracle, ScikitImageAndNumPyFindTheSameFigures) {
  if (std::system((python() + " -c 'import skimage, scipy, nibabel' 2>/dev/null").c_str()) != 0) {
    GTEST_SKIP() << "the Python packages scikit-image, scipy and nibabel are not installed";
  }
  const Vocabulary vocabulary = Vocabulary::load("torso");
  const MadeUpCt made = made_up_ct(vocabulary);
  const TemporaryFolder folder;
  write_ct(folder / "reference.nii.gz", made.ct);
  // Blurred, shifted and with noise of its own, as reconstructions are.
  const at::Tensor blurred = at::avg_pool3d(made.ct.data, 3, 1, 1, false, false);
  write_ct(folder / "made.nii.gz",
           {0.5 * (made.ct.data + blurred) + 4 + 12 * made_up_noise(blurred, "reconstruction"),
            made.ct.geometry});
  write_mask(folder / "mask.nii.gz", made.mask);
  FidelityOptions options;
  options.slab_voxels = 20 * 64 * 64;
  const FidelityReport report =
      evaluate_fidelity(find_fidelity_pairs(folder / "reference.nii.gz", folder / "made.nii.gz",
                                            folder / "mask.nii.gz"),
                        vocabulary, options);
  ASSERT_FALSE(report.cases[0].noise.empty());
  write_file_atomic(folder / "report.json", dump_json(to_json(report)));
  std::string command = python() + " '" + GUIDEGEN_SOURCE_DIR + "/tests/oracle/fidelity_oracle.py'";
  for (const char* file : {"reference.nii.gz", "made.nii.gz", "mask.nii.gz", "report.json"}) {
    command += " '" + (folder / file).string() + "'";
  }
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace guidegen
