#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/temporary_folder.hpp"
#include "guidegen/nn/safetensors.hpp"

namespace guidegen {
namespace {

/// GUIDEGEN_PYTHON chooses an interpreter that has the reference libraries.
std::string python() {
  const char* chosen = std::getenv("GUIDEGEN_PYTHON");
  return chosen ? chosen : "python3";
}

int run_oracle(const std::string& action, const std::filesystem::path& path) {
  const std::string script =
      std::string(GUIDEGEN_SOURCE_DIR) + "/tests/oracle/safetensors_oracle.py";
  return std::system(
      (python() + " '" + script + "' " + action + " '" + path.string() + "'").c_str());
}

class SafetensorsOracle : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system((python() + " -c 'import safetensors, numpy' 2>/dev/null").c_str()) != 0) {
      GTEST_SKIP() << "the Python packages safetensors and numpy are not installed";
    }
  }
  const TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "oracle.safetensors";
};

TensorFile known_file() {
  TensorFile file;
  const at::Tensor values = at::arange(6).remainder(5).view({2, 3});
  const std::pair<const char*, at::ScalarType> types[] = {
      {"F64", at::kDouble}, {"F32", at::kFloat}, {"F16", at::kHalf},  {"BF16", at::kBFloat16},
      {"I64", at::kLong},   {"I32", at::kInt},   {"I16", at::kShort}, {"I8", at::kChar},
      {"U8", at::kByte},    {"BOOL", at::kBool}};
  for (const auto& [name, type] : types) {
    file.tensors[std::string("tensor.") + name] = values.to(type);
  }
  file.metadata = {{"format", "pt"}, {"note", "größe \"1\""}};
  return file;
}

TEST_F(SafetensorsOracle, ReadsWhatTheReferenceWrites) {
  ASSERT_EQ(run_oracle("write", path_), 0);
  const TensorFile read = read_safetensors(path_);
  TensorFile known = known_file();
  known.tensors.erase("tensor.BF16");  // NumPy, which writes the file, lacks the type
  EXPECT_EQ(read.metadata, known.metadata);
  ASSERT_EQ(read.tensors.size(), known.tensors.size());
  for (const auto& [name, tensor] : known.tensors) {
    EXPECT_EQ(read.tensors.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(read.tensors.at(name), tensor)) << name;
  }
}

TEST_F(SafetensorsOracle, WritesWhatTheReferenceReads) {
  write_safetensors(path_, known_file());
  EXPECT_EQ(run_oracle("check", path_), 0);
}

}  // namespace
}  // namespace guidegen
