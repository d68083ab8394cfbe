#include "guidegen/stages/latent_file.hpp"

#include <ATen/ATen.h>

#include <cmath>

#include "guidegen/core/error.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/nn/safetensors.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

constexpr const char* kFormat = "guidegen-latents";
constexpr const char* kVersion = "1";
constexpr int64_t kFactor = 4;  // voxels of the CT to one of the latents, along each axis

Json to_json(const ImageGeometry& geometry) {
  return {{"size", geometry.size},
          {"spacing_mm", geometry.spacing},
          {"origin_mm", geometry.origin},
          {"direction", geometry.direction}};
}

Vec3 three(JsonObject& object, const char* key, double low, double high) {
  const auto values = object.numbers(key, low, high);
  if (values.size() != 3) object.fail(key, "expected three numbers x, y, z");
  return {values[0], values[1], values[2]};
}

ImageGeometry geometry_from(const std::string& text, const std::string& source) {
  const Json document = parse_json(text, source);
  JsonObject object(document, source, "geometry");
  ImageGeometry geometry;
  const auto size = object.integers("size", 1, kMaxVoxels);
  if (size.size() != 3) object.fail("size", "expected three whole numbers x, y, z");
  geometry.size = {size[0], size[1], size[2]};
  if (static_cast<double>(size[0]) * static_cast<double>(size[1]) * static_cast<double>(size[2]) >
      static_cast<double>(kMaxVoxels)) {
    object.fail("size", "more than 2^31 voxels");
  }
  geometry.spacing = three(object, "spacing_mm", 1e-6, 1e6);
  geometry.origin = three(object, "origin_mm", -1e9, 1e9);
  const Json& direction = object.raw("direction");
  if (!direction.is_array() || direction.size() != 3) {
    object.fail("direction", "expected three rows of three numbers");
  }
  for (size_t row = 0; row < 3; ++row) {
    const Json& numbers = direction[row];
    for (size_t column = 0; column < 3; ++column) {
      if (!numbers.is_array() || numbers.size() != 3 || !numbers[column].is_number()) {
        object.fail("direction", "expected three rows of three numbers");
      }
      geometry.direction[row][column] = numbers[column].get<double>();
    }
  }
  object.finish();
  return geometry;
}

std::string hash_of(const CtLatents& latents) {
  std::string bytes;
  for (const auto& tensor : {latents.mean, latents.log_variance}) {
    if (tensor.defined()) {
      bytes.append(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
    }
  }
  return sha256_hex(bytes);
}

void check_tensor(const at::Tensor& tensor, const CtLatents& latents, const std::string& source,
                  const char* name) {
  const auto dhw = to_dhw(latents.geometry.size);
  bool fits = tensor.dim() == 5 && tensor.size(0) == 1 && tensor.scalar_type() == at::kFloat &&
              tensor.sizes() == latents.mean.sizes();
  for (int64_t axis = 0; fits && axis < 3; ++axis) {
    fits = tensor.size(axis + 2) == (dhw[static_cast<size_t>(axis)] + kFactor - 1) / kFactor;
  }
  if (!fits) {
    throw_failure(source, ": ", name, " is ", tensor.scalar_type(), " ", tensor.sizes(),
                  ", which does not fit a CT of ", dhw[2], " x ", dhw[1], " x ", dhw[0], " voxels");
  }
}

}  // namespace

void write_latents(const std::filesystem::path& path, const CtLatents& latents) {
  CtLatents dense = latents;
  dense.mean = latents.mean.to(at::kCPU, at::kFloat).contiguous();
  TensorFile file;
  file.tensors["mean"] = dense.mean;
  if (latents.log_variance.defined()) {
    dense.log_variance = latents.log_variance.to(at::kCPU, at::kFloat).contiguous();
    file.tensors["log_variance"] = dense.log_variance;
  }
  file.metadata = {{"format", kFormat},
                   {"version", kVersion},
                   {"geometry", to_json(latents.geometry).dump()},
                   {"weights_sha256", latents.weights_sha256},
                   {"tensors_sha256", hash_of(dense)}};
  write_safetensors(path, file);
}

CtLatents read_latents(const std::filesystem::path& path) {
  const std::string source = path.string();
  TensorFile file = read_safetensors(path);
  const auto& metadata = file.metadata;
  const auto word = [&](const char* key) {
    const auto found = metadata.find(key);
    return found == metadata.end() ? std::string() : found->second;
  };
  if (word("format") != kFormat || word("version") != kVersion || !file.tensors.contains("mean")) {
    throw_failure(source,
                  ": holds no latents, expected a file of `guidegen sample stage2 "
                  "--encode-only`");
  }
  CtLatents latents;
  latents.mean = file.tensors.at("mean");
  if (const auto found = file.tensors.find("log_variance"); found != file.tensors.end()) {
    latents.log_variance = found->second;
  }
  try {
    latents.geometry = geometry_from(word("geometry"), source);
  } catch (const Error& error) {  // of a file, not of what somebody typed
    throw_failure(error.what());
  }
  latents.weights_sha256 = word("weights_sha256");
  check_tensor(latents.mean, latents, source, "mean");
  if (latents.log_variance.defined()) {
    check_tensor(latents.log_variance, latents, source, "log_variance");
  }
  if (hash_of(latents) != word("tensors_sha256")) {
    throw_failure(source, ": damaged: the tensors are not those that were written");
  }
  return latents;
}

}  // namespace guidegen
