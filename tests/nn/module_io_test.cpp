#include "guidegen/nn/module_io.hpp"

#include <gmock/gmock.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/safetensors.hpp"

namespace guidegen {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class ModuleIo : public ::testing::Test {
 protected:
  static torch::nn::Sequential make() {
    return torch::nn::Sequential(torch::nn::Conv3d(2, 4, 3), torch::nn::BatchNorm3d(4),
                                 torch::nn::Linear(torch::nn::LinearOptions(4, 3).bias(false)));
  }
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = folder_ / "module.safetensors";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_, path_;
};

TEST_F(ModuleIo, StateHoldsParametersAndBuffersByDottedName) {
  const auto module = make();
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state_of(*module)) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("0.bias", "0.weight", "1.bias", "1.num_batches_tracked",
                                 "1.running_mean", "1.running_var", "1.weight", "2.weight"));
  EXPECT_TRUE(state_of(*module).at("0.weight").is_same(module->named_parameters()["0.weight"]));
}

TEST_F(ModuleIo, LoadedModuleComputesTheSame) {
  auto saved = make();
  saved->train();
  saved->ptr(1)->as<torch::nn::BatchNorm3d>()->forward(
      at::randn({2, 4, 3, 3, 3}));  // moves the buffers
  save_module(path_, *saved);
  auto loaded = make();
  load_module(path_, *loaded);
  const auto expected = state_of(*saved);
  for (const auto& [name, tensor] : state_of(*loaded)) {
    EXPECT_TRUE(at::equal(tensor, expected.at(name))) << name;
    EXPECT_EQ(tensor.requires_grad(), expected.at(name).requires_grad()) << name;
  }
}

TEST_F(ModuleIo, HalfPrecisionIsConvertedBack) {
  const auto saved = make();
  save_module(path_, *saved, at::kHalf);
  const TensorFile file = read_safetensors(path_);
  EXPECT_EQ(file.tensors.at("0.weight").scalar_type(), at::kHalf);
  EXPECT_EQ(file.tensors.at("1.num_batches_tracked").scalar_type(), at::kLong);
  auto loaded = make();
  load_module(path_, *loaded);
  const at::Tensor weight = state_of(*loaded).at("0.weight");
  EXPECT_EQ(weight.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::allclose(weight, state_of(*saved).at("0.weight"), 1e-3, 1e-6));
}

TEST_F(ModuleIo, ValuesOutsideTheTypeAreRefusedAndNothingIsWritten) {
  const auto module = make();
  state_of(*module).at("0.bias").data().fill_(1e6);
  EXPECT_THAT([&] { save_module(path_, *module, at::kHalf); },
              ThrowsMessage<Error>(AllOf(HasSubstr(path_.string()), HasSubstr("0.bias"))));
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(ModuleIo, MismatchesAreNamedAndLeaveTheModuleAlone) {
  auto module = make();
  const auto before = state_of(*module).at("0.weight").clone();
  struct Case {
    std::function<void(std::map<std::string, at::Tensor>&)> spoil;
    std::string message;
  };
  const std::vector<Case> cases{
      {[](auto& s) { s.erase("2.weight"); }, "tensor '2.weight' is missing, expected [3, 4]"},
      {[](auto& s) { s["extra"] = at::zeros({2}); }, "tensor 'extra' [2] is not part"},
      {[](auto& s) {
         s["2.weight"] = at::zeros({4, 3});
       },
       "is [4, 3], expected [3, 4]"},
      {[](auto& s) { s["0.bias"] = at::zeros({4}, at::kLong); }, "tensor '0.bias' is Long"}};
  for (const Case& c : cases) {
    std::map<std::string, at::Tensor> state;
    for (const auto& [name, tensor] : state_of(*make())) state[name] = tensor.detach();
    c.spoil(state);
    EXPECT_THAT(
        [&] { load_state(*module, state, "model/x.safetensors"); },
        ThrowsMessage<Error>(AllOf(HasSubstr("model/x.safetensors"), HasSubstr(c.message))));
    EXPECT_TRUE(at::equal(state_of(*module).at("0.weight"), before));
  }
}

}  // namespace
}  // namespace guidegen
