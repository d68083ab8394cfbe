#include "guidegen/stages/latent_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/nn/safetensors.hpp"

namespace guidegen {
namespace {

using ::testing::HasSubstr;

class LatentFileTest : public ::testing::Test {
 protected:
  LatentFileTest() : path_(folder_.path() / "a.safetensors") {
    torch::manual_seed(1);
    latents_.geometry = centered_geometry({10, 12, 17}, {1.5, 2, 0.75});
    latents_.geometry.origin = {-3.25, 7, 11};
    latents_.geometry.direction = {{{0, -1, 0}, {1, 0, 0}, {0, 0, 1}}};
    latents_.mean = at::randn({1, 4, 5, 3, 3});
    latents_.log_variance = at::randn({1, 4, 5, 3, 3});
    latents_.weights_sha256 = "abc";
  }

  TemporaryFolder folder_;
  std::filesystem::path path_;
  CtLatents latents_;
};

TEST_F(LatentFileTest, ReturnsWhatWasWritten) {
  write_latents(path_, latents_);
  const auto read = read_latents(path_);
  EXPECT_TRUE(read.mean.equal(latents_.mean));
  EXPECT_TRUE(read.log_variance.equal(latents_.log_variance));
  EXPECT_TRUE(same_geometry(read.geometry, latents_.geometry, 0));
  EXPECT_EQ(read.weights_sha256, "abc");
  latents_.log_variance = at::Tensor();
  write_latents(path_, latents_);
  EXPECT_FALSE(read_latents(path_).log_variance.defined());
}

TEST_F(LatentFileTest, SeesASingleFlippedBit) {
  write_latents(path_, latents_);
  auto bytes = read_file(path_);
  bytes[bytes.size() - 7] = static_cast<char>(bytes[bytes.size() - 7] ^ 1);
  write_file_atomic(path_, bytes);
  EXPECT_THAT([&] { read_latents(path_); },
              throws_failure(::testing::AllOf(HasSubstr("a.safetensors"), HasSubstr("damaged"))));
}

TEST_F(LatentFileTest, RefusesTensorsThatDoNotFitTheGrid) {
  latents_.geometry.size = {10, 12, 21};
  write_latents(path_, latents_);
  EXPECT_THAT([&] { read_latents(path_); },
              throws_failure(HasSubstr("does not fit a CT of 10 x 12 x 21 voxels")));
}

TEST_F(LatentFileTest, RefusesOtherTensorFilesAndGrids) {
  write_safetensors(path_, {{{"mean", latents_.mean}}, {}});
  EXPECT_THAT([&] { read_latents(path_); }, throws_failure(HasSubstr("holds no latents")));
  write_latents(path_, latents_);
  const auto good = read_safetensors(path_);
  for (const char* geometry :
       {"", "[]", "{\"size\": [1, 2]}", R"({"size": [10, 12, 17], "spacing_mm": [0, 1, 1]})"}) {
    auto file = good;
    file.metadata["geometry"] = geometry;
    write_safetensors(path_, file);
    EXPECT_THAT([&] { read_latents(path_); }, throws_failure(HasSubstr("a.safetensors")))
        << geometry;
  }
}

}  // namespace
}  // namespace guidegen
