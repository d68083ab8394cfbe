#include "guidegen/evaluate/fidelity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "evaluate/made_up_ct.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/evaluate/hu_error.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Fidelity : public ::testing::Test {
 protected:
  Json figures(const Volume& reconstruction, const FidelityOptions& options = {}) const {
    return to_json(summarize_fidelity(
        {measure_fidelity("a", made_.ct, reconstruction, &made_.mask, vocabulary_, options)},
        options.windows))["cases"][0];
  }
  Volume changed(const at::Tensor& hu) const { return {hu, made_.ct.geometry}; }

  const Vocabulary vocabulary_ = Vocabulary::load("torso");
  const MadeUpCt made_ = made_up_ct(vocabulary_);
};

TEST_F(Fidelity, AConstantOffsetIsBiasAndMaeEverywhere) {
  const Json json = figures(changed(made_.ct.data + 8));
  for (const char* section : {"tissues", "organs", "borders"}) {
    ASSERT_FALSE(json[section].empty());
    for (const auto& [name, row] : json[section].items()) {
      EXPECT_NEAR(row["mae_hu"].get<double>(), 8, 1e-4) << name;
      EXPECT_NEAR(row["bias_hu"].get<double>(), 8, 1e-4) << name;
    }
  }
  const Json& liver = json["organs"]["liver"];
  // No voxel of the liver reaches an edge of that window.
  EXPECT_NEAR(liver["windows"]["lung"]["psnr_db"].get<double>(), 20 * std::log10(1500 / 8.0), 4);
  EXPECT_NEAR(liver["windows"]["full"]["psnr_db"].get<double>(), 20 * std::log10(4096 / 8.0), 1e-4);
  EXPECT_NEAR(liver["sharpness"].get<double>(), 1, 1e-6);
  EXPECT_NEAR(json["noise"]["liver"]["variance_ratio"].get<double>(), 1, 1e-5);
  EXPECT_NEAR(json["noise"]["liver"]["frequency_ratio"].get<double>(), 1, 1e-5);
}

TEST_F(Fidelity, EqualImagesHaveNoPsnrAndSsimOne) {
  const Json json = figures(made_.ct);
  for (const auto& [name, row] : json["windows"].items()) {
    EXPECT_EQ(row["mae_hu"], 0.0) << name;
    EXPECT_TRUE(row["psnr_db"].is_null()) << name;
    EXPECT_NEAR(row["ssim_3d"].get<double>(), 1, 1e-12) << name;
    EXPECT_NEAR(row["ssim_2d"].get<double>(), 1, 1e-12) << name;
  }
  EXPECT_NEAR(json["organs"]["kidney_left"]["windows"]["bone"]["ssim_3d"].get<double>(), 1, 1e-12);
}

TEST_F(Fidelity, WindowsAgreeWithHuError) {
  const Volume noisy = changed(made_.ct.data + 20 * made_up_noise(made_.ct.data, "error"));
  const Json json = figures(noisy);
  const HuErrorReport plain = hu_error(made_.ct.data, noisy.data, default_exposures());
  std::vector<WindowError> windows = plain.windows;
  windows.push_back(plain.overall);
  for (const WindowError& window : windows) {
    const Json& row = json["windows"][window.name];
    EXPECT_EQ(row["voxels"].get<double>(), static_cast<double>(window.voxels));
    EXPECT_NEAR(row["mae_hu"].get<double>(), window.mae_hu, 1e-9);
    EXPECT_NEAR(row["psnr_db"].get<double>(), window.psnr_db, 1e-9);
  }
}

TEST_F(Fidelity, SlabsDoNotChangeFigures) {
  const Volume noisy = changed(made_.ct.data + 20 * made_up_noise(made_.ct.data, "error"));
  FidelityOptions one_slice;
  one_slice.slab_voxels = 1;
  FidelityOptions seven_slices;
  seven_slices.slab_voxels = 7 * 64 * 64;
  const Json whole = figures(noisy).flatten();
  for (const FidelityOptions& options : {one_slice, seven_slices}) {
    const Json parts = figures(noisy, options).flatten();
    ASSERT_EQ(parts.size(), whole.size());
    for (const auto& [key, value] : whole.items()) {
      if (!value.is_number()) continue;
      const double expected = value.get<double>();
      EXPECT_NEAR(parts[key].get<double>(), expected, 1e-9 * (1 + std::abs(expected))) << key;
    }
  }
}

TEST_F(Fidelity, TissuesGoByTheReference) {
  const at::Tensor hu = at::tensor({-1000.0F, -951.0F, -950.0F, -500.0F, -160.0F, -150.0F, -31.0F,
                                    -30.0F, 239.0F, 240.0F, 999.0F, 1000.0F, 3000.0F});
  const Volume reference{hu.view({1, 1, 1, -1}), centered_geometry({13, 1, 1}, {1, 1, 1})};
  const Volume made{reference.data - 2, reference.geometry};
  const FidelityCase measured = measure_fidelity("a", reference, made, nullptr, vocabulary_);
  ASSERT_EQ(measured.sections.size(), 2U);
  const std::map<std::string, double> voxels = {{"air", 2},         {"lung", 1}, {"fat", 2},
                                                {"soft_tissue", 5}, {"bone", 2}, {"dense", 2},
                                                {"metal", 1}};
  ASSERT_EQ(measured.sections[1].rows.size(), voxels.size());
  for (const FidelityRow& row : measured.sections[1].rows) {
    EXPECT_EQ(row.figures[0].second, voxels.at(row.name)) << row.name;
    EXPECT_NEAR(row.figures[3].second, -2, 1e-9) << row.name;  // bias
  }
}

// Errors on one side of the liver's border only.
TEST_F(Fidelity, FindsErrorsAtBorders) {
  const at::Tensor liver = made_.mask.data.eq(vocabulary_.id("liver")).to(at::kFloat);
  const at::Tensor inner = -at::max_pool3d(-liver, {3, 1, 1}, 1, {1, 0, 0});
  const at::Tensor both = at::minimum(inner, -at::max_pool3d(-liver, {1, 3, 1}, 1, {0, 1, 0}));
  const at::Tensor eroded = at::minimum(both, -at::max_pool3d(-liver, {1, 1, 3}, 1, {0, 0, 1}));
  const at::Tensor rim = liver - eroded;
  const Json json = figures(changed(made_.ct.data + 100 * rim));
  const Json& row = json["organs"]["liver"];
  EXPECT_NEAR(row["border_mae_hu"].get<double>(), 100, 1e-4);
  EXPECT_NEAR(row["mae_hu"].get<double>(),
              100 * rim.sum().item<double>() / liver.sum().item<double>(), 1e-4);
  EXPECT_NEAR(json["borders"]["inside_organs"]["mae_hu"].get<double>(), 0, 1e-9);
  EXPECT_NEAR(json["organs"]["kidney_left"]["border_mae_hu"].get<double>(), 0, 1e-9);
  const double tumor_rim = json["borders"]["tumor_borders"]["mae_hu"].get<double>();
  EXPECT_GT(tumor_rim, 0);  // the liver's side of it
  EXPECT_LT(tumor_rim, 100);
}

TEST_F(Fidelity, BlurTakesSharpnessAndNoise) {
  const Volume blurred = changed(at::avg_pool3d(made_.ct.data, 3, 1, 1, false, false));
  const Json json = figures(blurred);
  EXPECT_LT(json["organs"]["lung_lower_left"]["sharpness"].get<double>(), 0.85);
  EXPECT_LT(json["noise"]["liver"]["variance_ratio"].get<double>(), 0.1);  // 1/27 of white noise
  EXPECT_LT(json["noise"]["liver"]["frequency_ratio"].get<double>(), 0.9);
  EXPECT_GT(json["noise"]["liver"]["patches"].get<double>(), 10);
}

TEST_F(Fidelity, RefusesWhatDoesNotFit) {
  Volume wrong = made_.mask;
  wrong.data = wrong.data.clone();
  wrong.data[0][0][0][0] = vocabulary_.size();
  EXPECT_THAT([&] { measure_fidelity("a", made_.ct, made_.ct, &wrong, vocabulary_); },
              throws_failure(HasSubstr("the vocabulary torso has 30")));
  const Volume other{at::zeros({1, 2, 2, 2}), centered_geometry({2, 2, 2}, {1, 1, 1})};
  EXPECT_THAT([&] { measure_fidelity("a", made_.ct, other, nullptr, vocabulary_); },
              throws_failure(HasSubstr("reconstruction of shape")));
}

TEST(FidelitySummary, IsTheMeanOverCasesThatHaveTheFigure) {
  const auto measured = [](const std::string& id, std::vector<FidelityFigure> figures) {
    return FidelityCase{id, {{"organs", {{"liver", std::move(figures)}}}}, {}, {}};
  };
  const FidelityReport report = summarize_fidelity(
      {measured("a", {{"mae_hu", 2}, {"psnr_db", INFINITY}}),
       measured("b", {{"mae_hu", 4}, {"psnr_db", 30}}), measured("c", {{"mae_hu", 9}})},
      default_exposures());
  const Json liver = to_json(report)["summary"]["organs"]["liver"];
  EXPECT_DOUBLE_EQ(liver["mae_hu"]["mean"], 5);
  EXPECT_EQ(liver["mae_hu"]["cases"], 3);
  EXPECT_GE(liver["mae_hu"]["low"].get<double>(), 2);
  EXPECT_LT(liver["mae_hu"]["low"].get<double>(), 5);
  EXPECT_GT(liver["mae_hu"]["high"].get<double>(), 5);
  EXPECT_DOUBLE_EQ(liver["psnr_db"]["mean"], 30);
  EXPECT_EQ(liver["psnr_db"]["cases"], 1);
  EXPECT_TRUE(liver["psnr_db"]["low"].is_null());
  EXPECT_THAT(to_table(report), HasSubstr("3 cases"));
}

/// Folders of small cases on disk.
class FidelityFiles : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& path, int64_t size = 3) {
    const std::filesystem::path file = folder_.path() / path;
    make_directories(file.parent_path());
    const Volume volume{at::zeros({1, size, 3, 3}), centered_geometry({3, 3, size}, {1, 1, 1})};
    if (file.filename().string().starts_with("mask")) {
      write_mask(file, {volume.data.to(at::kByte), volume.geometry});
    } else {
      write_ct(file, volume);
    }
    return file;
  }
  auto pairing(const std::string& reference, const std::string& made,
               const std::string& mask = "") const {
    return [=, this] {
      find_fidelity_pairs(folder_ / reference, folder_ / made,
                          mask.empty() ? std::filesystem::path() : folder_ / mask);
    };
  }
  const TemporaryFolder folder_;
};

TEST_F(FidelityFiles, PairsByIdWithMasksBesideTheReference) {
  write("a/two/ct.nii.gz");
  write("a/two/mask.nii.gz");
  write("a/one/ct.nii.gz");
  write("b/one.nii.gz");
  write("b/two.nii");
  write_file_atomic(folder_ / "b/notes.txt", "no case");
  const auto pairs = find_fidelity_pairs(folder_ / "a", folder_ / "b", "");
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs[0].id, "one");
  EXPECT_EQ(pairs[0].reconstruction, folder_ / "b" / "one.nii.gz");
  EXPECT_FALSE(pairs[0].mask);
  EXPECT_EQ(pairs[1].mask, folder_ / "a" / "two" / "mask.nii.gz");
}

TEST_F(FidelityFiles, NamesTheCaseThatOneSideLacks) {
  write("a/one/ct.nii.gz");
  write("a/two/ct.nii.gz");
  write("b/one/ct.nii.gz");
  write("masks/one.nii.gz");
  make_directories(folder_ / "empty");
  EXPECT_THAT(pairing("a", "b"), throws_usage(AllOf(HasSubstr("b: no case two"), HasSubstr("/a"))));
  EXPECT_THAT(pairing("b", "a"), throws_usage(HasSubstr("b: no case two")));
  EXPECT_THAT(pairing("a", "a", "masks"), throws_usage(HasSubstr("masks: no case two")));
  EXPECT_THAT(pairing("a", "empty"), throws_usage(HasSubstr("empty: no case in it")));
  EXPECT_THAT(pairing("a", "nowhere"), throws_usage(HasSubstr("no such file or folder")));
  EXPECT_THAT(pairing("a", "a/one/ct.nii.gz"), throws_usage(HasSubstr("is no folder")));
}

TEST_F(FidelityFiles, NamesTheFileOfAnotherGrid) {
  const auto reference = write("ct.nii.gz");
  const auto deeper = write("made.nii.gz", 4);
  const auto pairs = find_fidelity_pairs(reference, deeper, "");
  EXPECT_THAT([&] { evaluate_fidelity(pairs, Vocabulary::load("torso"), {}); },
              throws_usage(HasSubstr("made.nii.gz: its grid differs")));
}

TEST_F(FidelityFiles, ThePageNeedsNothingElse) {
  for (const char* id : {"one", "<two>"}) {
    write(std::string("a/") + id + "/ct.nii.gz", 12);
    write(std::string("a/") + id + "/mask.nii.gz", 12);
  }
  FidelityOptions options;
  options.pictures = 1;
  const FidelityReport report = evaluate_fidelity(
      find_fidelity_pairs(folder_ / "a", folder_ / "a", ""), Vocabulary::load("torso"), options);
  const std::string page = to_page(report, "A & B");
  EXPECT_THAT(page, AllOf(HasSubstr("<h1>A &amp; B</h1>"), HasSubstr("data:image/png;base64,iVBOR"),
                          HasSubstr("soft_tissue: reconstruction − reference, ±50 HU"),
                          HasSubstr("Drawn: the first 1 of 2 cases")));
  EXPECT_THAT(page, Not(AnyOf(HasSubstr("http://"), HasSubstr("https://"), HasSubstr("<two>"))));
}

}  // namespace
}  // namespace guidegen
