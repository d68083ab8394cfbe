#pragma once

#include <cstring>
#include <filesystem>
#include <limits>
#include <string>

#include "guidegen/core/files.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen::testing_support {

/// Makes good volumes and broken ones in a folder, under the names that the tests use.
class MalformedInputs {
 public:
  explicit MalformedInputs(std::filesystem::path folder) : folder_(std::move(folder)) {
    const ImageGeometry grid = centered_geometry({16, 16, 16}, {6, 6, 6});
    const at::Tensor ramp = at::arange(16 * 16 * 16, at::kFloat).reshape({1, 16, 16, 16});
    write_ct(folder_ / "ct.nii", {ramp - 1000, grid});
    write_ct(folder_ / "ct.nii.gz", {ramp - 1000, grid});
    write_mask(folder_ / "mask.nii.gz", {at::ones({1, 16, 16, 16}, at::kByte), grid});
    break_nifti();
    break_case(grid);
    break_model();
  }

 private:
  void write(const std::string& name, const std::string& bytes) const {
    write_file_atomic(folder_ / name, bytes);
  }

  /// `value` at byte `offset` of the header of a copy of ct.nii.
  template <typename T>
  void write_patched(const std::string& name, size_t offset, T value) const {
    std::string bytes = read_file(folder_ / "ct.nii");
    std::memcpy(bytes.data() + offset, &value, sizeof value);
    write(name, bytes);
  }

  void break_nifti() const {
    const std::string plain = read_file(folder_ / "ct.nii");
    const std::string packed = read_file(folder_ / "ct.nii.gz");
    write("cut.nii", plain.substr(0, plain.size() / 2));
    write("cut.nii.gz", packed.substr(0, packed.size() / 2));
    write("trailing.nii.gz", packed + "more");
    std::string corrupt = packed;
    corrupt[corrupt.size() - 6] = static_cast<char>(corrupt[corrupt.size() - 6] ^ 1);  // CRC
    write("corrupt.nii.gz", corrupt);
    std::string frames = plain + plain.substr(352);
    const int16_t rank = 4, count = 2;
    std::memcpy(frames.data() + 40, &rank, sizeof rank);
    std::memcpy(frames.data() + 48, &count, sizeof count);
    write("frames.nii", frames);
    write_patched<int16_t>("huge.nii", 42, 32767);
    write_patched<float>("nowhere.nii", 280, std::numeric_limits<float>::quiet_NaN());
    write_patched<float>("sheared.nii", 284, 5.0F);
  }

  /// A case folder whose mask holds a label that no vocabulary has.
  void break_case(const ImageGeometry& grid) const {
    make_directories(folder_ / "cases" / "a");
    write("cases/a/prompt.json", R"({"id": "a", "tumors": []})");
    write_mask(folder_ / "cases" / "a" / "mask.nii.gz",
               {at::full({1, 16, 16, 16}, 200, at::kByte), grid});
    write_ct(folder_ / "cases" / "a" / "ct.nii.gz", {at::zeros({1, 16, 16, 16}), grid});
  }

  void break_model() const {
    make_directories(folder_ / "empty");
    make_directories(folder_ / "model");
    write("model/model.json", R"({"format": "guidegen-model", "version": 99})");
    // A header of 2^40 bytes is announced; the file has ten.
    write("header.safetensors", std::string("\0\0\0\0\0\1\0\0{}", 10));
    write("overlap.safetensors",
          tensor_file(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                      R"("b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
                      6));
    write("twice.safetensors",
          tensor_file(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                      R"("a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
                      4));
  }

  static std::string tensor_file(const std::string& header, size_t data_bytes) {
    const uint64_t length = header.size();
    std::string bytes(sizeof length, '\0');
    std::memcpy(bytes.data(), &length, sizeof length);
    return bytes + header + std::string(data_bytes, '\1');
  }

  std::filesystem::path folder_;
};

}  // namespace guidegen::testing_support
