#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <string>

namespace guidegen {

/// Contents of a .safetensors file: tensors by name, and the free text metadata of its header.
struct TensorFile {
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// Reads and checks everything before it is used: header of at most 100 MB and well-formed, no
/// duplicate names, known dtypes (F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL), rank <= 8, shapes
/// without overflow, offsets in order without holes, overlaps or trailing bytes. With
/// `refuse_non_finite`, floating tensors that hold NaN or Inf are errors. Throws Error(kFailure)
/// naming the file and the tensor.
TensorFile read_safetensors(const std::filesystem::path& path, bool refuse_non_finite = true);

/// Writes atomically; tensors in name order, data aligned to 8 bytes, bytes depend on content
/// alone.
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);

}  // namespace guidegen
