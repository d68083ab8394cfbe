#include "guidegen/nn/safetensors.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/random_stream.hpp"

namespace guidegen {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr at::ScalarType kAllTypes[] = {at::kDouble, at::kFloat, at::kHalf,  at::kBFloat16,
                                        at::kLong,   at::kInt,   at::kShort, at::kChar,
                                        at::kByte,   at::kBool};

/// A file of `header` and `data`, with the length that belongs to it.
std::string file_of(const std::string& header, const std::string& data = "") {
  const uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

class Safetensors : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = folder_ / "file.safetensors";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void put(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary).write(bytes.data(), static_cast<int64_t>(bytes.size()));
  }
  std::filesystem::path folder_, path_;
};

TensorFile sample_file() {
  TensorFile file;
  for (const auto type : kAllTypes) {
    file.tensors[std::string("layer.") + c10::toString(type)] =
        (at::arange(15).view({3, 5}) % 7).to(type);
  }
  file.tensors["scalar"] = at::tensor(2.5F).squeeze();
  file.tensors["empty"] = at::zeros({0, 4}, at::kHalf);
  file.tensors["transposed"] = at::arange(6, at::kInt).view({2, 3}).t();
  file.metadata = {{"format", "pt"}, {"version \"1\"", "größe\n"}};
  return file;
}

void expect_equal(const TensorFile& a, const TensorFile& b) {
  EXPECT_EQ(a.metadata, b.metadata);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (const auto& [name, tensor] : a.tensors) {
    ASSERT_TRUE(b.tensors.contains(name)) << name;
    EXPECT_EQ(tensor.scalar_type(), b.tensors.at(name).scalar_type()) << name;
    EXPECT_TRUE(at::equal(tensor, b.tensors.at(name))) << name;
  }
}

TEST_F(Safetensors, RoundTripsEveryType) {
  const TensorFile file = sample_file();
  write_safetensors(path_, file);
  expect_equal(read_safetensors(path_), file);
}

TEST_F(Safetensors, RoundTripsNothing) {
  write_safetensors(path_, {});
  const TensorFile file = read_safetensors(path_);
  EXPECT_TRUE(file.tensors.empty());
  EXPECT_TRUE(file.metadata.empty());
}

TEST_F(Safetensors, BytesDependOnContentAlone) {
  write_safetensors(path_, sample_file());
  const std::string first = read_file(path_);
  TensorFile again;
  const TensorFile file = sample_file();
  for (auto it = file.tensors.rbegin(); it != file.tensors.rend(); ++it) {
    again.tensors[it->first] = it->second.clone();
  }
  again.metadata = file.metadata;
  write_safetensors(path_, again);
  EXPECT_EQ(read_file(path_), first);
  uint64_t header = 0;
  std::memcpy(&header, first.data(), 8);
  EXPECT_EQ(header % 8, 0U);
}

TEST_F(Safetensors, ReadsAFileWrittenByHand) {
  const float values[] = {1.5F, -2.0F};
  std::string data(8, '\0');
  std::memcpy(data.data(), values, 8);
  put(file_of(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}   )", data));
  EXPECT_TRUE(at::equal(read_safetensors(path_).tensors.at("x"), at::tensor({1.5F, -2.0F})));
}

TEST_F(Safetensors, NonFiniteValuesAreRefusedUnlessAllowed) {
  for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16}) {
    for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
      write_safetensors(path_, {{{"w", at::full({3}, bad, type)}}, {}});
      EXPECT_THAT([&] { read_safetensors(path_); },
                  ThrowsMessage<Error>(AllOf(HasSubstr(path_.string()), HasSubstr("'w'"),
                                             HasSubstr("NaN or infinity"))));
      EXPECT_EQ(read_safetensors(path_, false).tensors.at("w").numel(), 3);
    }
  }
}

struct Malicious {
  const char* what;
  std::string bytes;
  const char* message;
};

std::string tensor_file(const std::string& fields, size_t data_bytes) {
  return file_of("{\"x\":{" + fields + "}}", std::string(data_bytes, '\0'));
}

std::vector<Malicious> malicious_files() {
  const std::string valid = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  const std::string two_a = R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)";
  std::string huge_length = tensor_file(valid, 8);
  std::memset(huge_length.data(), 0xff, 8);
  std::string over_cap = tensor_file(valid, 8);
  const uint64_t cap = 100'000'001;
  std::memcpy(over_cap.data(), &cap, 8);
  std::string nested = "{\"x\":";
  for (int i = 0; i < 100'000; ++i) nested += '[';
  std::string many = "{\"x\":{\"dtype\":\"F32\",\"shape\":[";
  for (int i = 0; i < 1'000; ++i) many += "1,";
  return {
      {"empty file", "", "0 bytes"},
      {"half a length", std::string(5, '\1'), "5 bytes"},
      {"no header", std::string(8, '\0'), "doesn't begin with '{'"},
      {"length over the file", huge_length, "expected at most"},
      {"length over the cap", over_cap, "expected at most 100000000"},
      {"truncated header", tensor_file(valid, 8).substr(0, 30), "truncated"},
      {"truncated data", tensor_file(valid, 7), "within 7 bytes"},
      {"trailing bytes", tensor_file(valid, 9), "1 bytes after the last tensor"},
      {"not JSON", file_of("{\"x\": nonsense}"), "not valid JSON"},
      {"text after the JSON", file_of("{} {}"), "not valid JSON"},
      {"array", file_of("[]"), "doesn't begin with '{'"},
      {"bad UTF-8", file_of("{\"\xff\":1}"), "not valid JSON"},
      {"deep nesting", file_of(nested), "nests deeper"},
      {"endless shape", file_of(many), "array of more than 8"},
      {"duplicate tensor",
       file_of("{\"x\":{" + valid + "},\"x\":{" + valid + "}}", std::string(8, 0)),
       "names 'x' twice"},
      {"duplicate key", tensor_file(valid + R"(,"dtype":"F32")", 8), "names 'dtype' twice"},
      {"duplicate metadata", file_of(R"({"__metadata__":{"a":"1","a":"2"}})"), "names 'a' twice"},
      {"metadata of numbers", file_of(R"({"__metadata__":{"a":1}})"), "__metadata__.a is number"},
      {"metadata as text", file_of(R"({"__metadata__":"a"})"), "no object of texts"},
      {"tensor as number", file_of(R"({"x":1})"), "expected an object"},
      {"unknown key", tensor_file(valid + R"(,"code":"x")", 8), "unknown key 'code'"},
      {"no dtype", tensor_file(R"("shape":[2],"data_offsets":[0,8])", 8), "has no dtype"},
      {"no shape", tensor_file(R"("dtype":"F32","data_offsets":[0,8])", 8), "has no shape"},
      {"no offsets", tensor_file(R"("dtype":"F32","shape":[2])", 8), "has no data_offsets"},
      {"unknown dtype", tensor_file(R"("dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8])", 8),
       "dtype \"F8_E4M3\""},
      {"dtype as number", tensor_file(R"("dtype":1,"shape":[8],"data_offsets":[0,8])", 8),
       "dtype 1"},
      {"rank 9", tensor_file(R"("dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1])", 1),
       "more than 8"},
      {"negative extent", tensor_file(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])", 8),
       "-2"},
      {"fractional extent", tensor_file(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])", 8),
       "2.0"},
      {"huge extent",
       tensor_file(R"("dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,8])", 8),
       "too large"},
      {"extent beyond 64 bits",
       tensor_file(R"("dtype":"U8","shape":[18446744073709551617],"data_offsets":[0,8])", 8),
       "expected whole numbers"},
      {"overflowing shape",
       tensor_file(R"("dtype":"F32","shape":[4294967296,4294967296,2],"data_offsets":[0,8])", 8),
       "too many bytes"},
      {"overflow behind a zero",
       tensor_file(R"("dtype":"F32","shape":[0,4294967296,4294967296,2],"data_offsets":[0,0])", 0),
       "too many bytes"},
      {"shape and bytes differ",
       tensor_file(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])", 8), "needs 12 bytes"},
      {"offsets reversed", tensor_file(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])", 8),
       "data_offsets [8,0]"},
      {"offsets beyond the data",
       tensor_file(R"("dtype":"F32","shape":[2],"data_offsets":[8,16])", 8), "within 8 bytes"},
      {"three offsets", tensor_file(R"("dtype":"F32","shape":[2],"data_offsets":[0,8,8])", 8),
       "data_offsets [0,8,8]"},
      {"hole at the start", tensor_file(R"("dtype":"U8","shape":[4],"data_offsets":[4,8])", 8),
       "after a hole"},
      {"hole between",
       file_of(two_a + R"("b":{"dtype":"U8","shape":[3],"data_offsets":[5,8]}})",
               std::string(8, 0)),
       "after a hole"},
      {"overlap",
       file_of(two_a + R"("b":{"dtype":"U8","shape":[5],"data_offsets":[3,8]}})",
               std::string(8, 0)),
       "inside the tensor before it"},
      {"bool of 2", file_of(R"({"x":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", "\2"),
       "no bool"},
  };
}

TEST_F(Safetensors, MaliciousFilesAreRefusedByName) {
  for (const auto& file : malicious_files()) {
    SCOPED_TRACE(file.what);
    put(file.bytes);
    EXPECT_THAT([&] { read_safetensors(path_); },
                ThrowsMessage<Error>(AllOf(HasSubstr(path_.string()), HasSubstr(file.message))));
    try {
      read_safetensors(path_);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kFailure);
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  }
}

TEST_F(Safetensors, MissingFilesAndDevicesAreRefused) {
  EXPECT_THROW(read_safetensors(folder_ / "none.safetensors"), Error);
  EXPECT_THROW(read_safetensors(folder_), Error);
  EXPECT_THAT([] { read_safetensors("/dev/zero"); },
              ThrowsMessage<Error>(HasSubstr("not a regular file")));
}

TEST_F(Safetensors, UnwritableContentLeavesNoFile) {
  const std::vector<TensorFile> files{{{{"__metadata__", at::zeros({1})}}, {}},
                                      {{{"x", at::Tensor()}}, {}},
                                      {{{"x", at::zeros({1}, at::kComplexFloat)}}, {}},
                                      {{{"x", at::zeros({1, 1, 1, 1, 1, 1, 1, 1, 1})}}, {}},
                                      {{{"\xff", at::zeros({1})}}, {}},
                                      {{{"x", at::zeros({1})}}, {{"key", "\xff"}}}};
  for (size_t i = 0; i < files.size(); ++i) {
    EXPECT_THROW(write_safetensors(path_, files[i]), Error) << i;
    EXPECT_TRUE(std::filesystem::is_empty(folder_)) << i;
  }
}

/// Random damage: the reader returns a file or throws Error, and nothing else happens (the
/// sanitizer build watches the memory).
TEST_F(Safetensors, MutatedFilesParseOrThrow) {
  write_safetensors(path_, sample_file());
  const std::string valid = read_file(path_);
  uint64_t header = 0;
  std::memcpy(&header, valid.data(), 8);
  RandomStream stream(1, "safetensors", "mutations");
  int parsed = 0;
  int refused = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = valid;
    const int64_t edits = 1 + stream.integer(4);
    for (int64_t e = 0; e < edits && !bytes.empty(); ++e) {
      // Mostly inside the header, where the structure is.
      const auto range = static_cast<int64_t>(
          stream.flip(0.8) ? std::min<uint64_t>(header + 8, bytes.size()) : bytes.size());
      const auto at = static_cast<size_t>(stream.integer(range));
      static constexpr char kTelling[] = "0123456789\"{}[],:-.eE\\ ";
      switch (stream.integer(6)) {
        case 0:
          bytes[at] = static_cast<char>(stream.integer(256));
          break;
        case 1:
          bytes[at] = kTelling[stream.integer(sizeof kTelling - 1)];
          break;
        case 2:
          bytes.erase(at, 1 + static_cast<size_t>(stream.integer(8)));
          break;
        case 3:
          bytes.insert(at, 1, kTelling[stream.integer(sizeof kTelling - 1)]);
          break;
        case 4:
          bytes.resize(at);
          break;
        default:
          bytes.insert(at, bytes.substr(at, static_cast<size_t>(stream.integer(40))));
          break;
      }
    }
    put(bytes);
    try {
      const TensorFile file = read_safetensors(path_);
      ++parsed;
      for (const auto& [name, tensor] : file.tensors) {
        EXPECT_LE(tensor.nbytes(), bytes.size());
      }
    } catch (const Error&) {
      ++refused;
    }
  }
  // Both happen: else the mutations would be pointless.
  EXPECT_GT(parsed, 50);
  EXPECT_GT(refused, 2000);
}

}  // namespace
}  // namespace guidegen
