#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace guidegen {

/// Lower-case hexadecimal SHA-256 (64 characters).
std::string sha256_hex(std::string_view bytes);
/// SHA-256 of a file, read in chunks. Throws Error(kFailure) when it can't be read.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace guidegen
