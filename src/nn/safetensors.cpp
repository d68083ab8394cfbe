#include "guidegen/nn/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "nn/safetensors_header.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian");

constexpr uint64_t kLengthBytes = 8;

/// A file of known size that is read front to back; every short read is an error.
class Reader {
 public:
  explicit Reader(const fs::path& path) : path_(path.string()) {
    std::error_code problem;
    // Pipes and devices have no size to check against.
    if (!fs::is_regular_file(path, problem)) {
      throw_failure(path_, ": not a regular file, expected a safetensors file");
    }
    size_ = fs::file_size(path, problem);
    stream_.open(path, std::ios::binary);
    if (problem || !stream_) throw_failure(path_, ": can't be read");
  }

  void read(void* out, uint64_t bytes) {
    stream_.read(static_cast<char*>(out), static_cast<std::streamsize>(bytes));
    if (static_cast<uint64_t>(stream_.gcount()) != bytes) {
      throw_failure(path_, ": reading failed, the file may have changed meanwhile");
    }
  }

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }

 private:
  std::string path_;
  uint64_t size_ = 0;
  std::ifstream stream_;
};

std::string read_header(Reader& reader) {
  if (reader.size() < kLengthBytes) {
    throw_failure(reader.path(), ": ", reader.size(),
                  " bytes, expected a safetensors file of 10 or more");
  }
  uint64_t length = 0;
  reader.read(&length, sizeof length);
  if (length > safetensors::kMostHeaderBytes) {
    throw_failure(reader.path(), ": header of ", length, " bytes, expected at most ",
                  safetensors::kMostHeaderBytes);
  }
  if (length > reader.size() - kLengthBytes) {
    throw_failure(reader.path(), ": header of ", length, " bytes in a file of ", reader.size(),
                  ", expected a whole file (is it truncated?)");
  }
  std::string header(length, '\0');
  reader.read(header.data(), length);
  return header;
}

/// Bytes other than 0 and 1 are no bool: using one is undefined behavior.
void check_bools(const at::Tensor& tensor, const std::string& label) {
  const auto* bytes = static_cast<const uint8_t*>(tensor.const_data_ptr());
  if (std::any_of(bytes, bytes + tensor.numel(), [](uint8_t byte) { return byte > 1; })) {
    throw_failure(label, " holds a byte that is no bool, expected 0 or 1");
  }
}

at::Tensor read_tensor(Reader& reader, const safetensors::Entry& entry, bool refuse_non_finite) {
  const std::string label = concat(reader.path(), ": tensor '", entry.name, "'");
  at::Tensor tensor = at::empty(entry.shape, entry.dtype);
  reader.read(tensor.mutable_data_ptr(), entry.end - entry.begin);
  if (entry.dtype == at::kBool) check_bools(tensor, label);
  if (refuse_non_finite && tensor.is_floating_point() && !at::isfinite(tensor).all().item<bool>()) {
    throw_failure(label, " holds NaN or infinity, expected finite values");
  }
  return tensor;
}

}  // namespace

TensorFile read_safetensors(const fs::path& path, bool refuse_non_finite) {
  Reader reader(path);
  const std::string text = read_header(reader);
  const uint64_t data_bytes = reader.size() - kLengthBytes - text.size();
  // Everything is checked before the first tensor is allocated, so a small file can't ask for much.
  const safetensors::Header header = safetensors::parse_header(text, data_bytes, reader.path());
  TensorFile file;
  file.metadata = header.metadata;
  for (const auto& entry : header.entries) {
    file.tensors.emplace(entry.name, read_tensor(reader, entry, refuse_non_finite));
  }
  return file;
}

void write_safetensors(const fs::path& path, const TensorFile& file) {
  const std::string source = path.string();
  safetensors::Header header;
  header.metadata = file.metadata;
  for (const auto& [name, tensor] : file.tensors) {
    if (!tensor.defined()) throw_failure(source, ": tensor '", name, "' is undefined");
    header.entries.push_back({name, tensor.scalar_type(), tensor.sizes().vec(), 0, 0});
  }
  const std::string text = safetensors::format_header(header, source);
  const uint64_t data_bytes = header.entries.empty() ? 0 : header.entries.back().end;

  std::string bytes(kLengthBytes + text.size() + data_bytes, '\0');
  const uint64_t length = text.size();
  std::memcpy(bytes.data(), &length, sizeof length);
  std::memcpy(bytes.data() + kLengthBytes, text.data(), text.size());
  char* data = bytes.data() + kLengthBytes + text.size();
  for (const auto& entry : header.entries) {
    if (entry.begin == entry.end) continue;
    const at::Tensor tensor = file.tensors.at(entry.name).detach().cpu().contiguous();
    std::memcpy(data + entry.begin, tensor.const_data_ptr(), entry.end - entry.begin);
  }
  write_file_atomic(path, bytes);
}

}  // namespace guidegen
