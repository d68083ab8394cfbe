#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "guidegen/data/training_case.hpp"

namespace guidegen {

/// Part of the key of a cached case: raise it whenever the format or the tumor census changes.
inline constexpr uint32_t kCaseFileVersion = 1;

/// A case as bytes of a flat file, in the machine's byte order:
///   0   magic, 8 bytes
///   8   kCaseFileVersion, uint32
///   12  length of the JSON, uint32
///   16  checksum of the JSON, uint64; zeros up to 64
///   64  JSON: key, geometry, tumors, and for mask and CT: type, offset, bytes, checksum
/// then mask and CT, each from a multiple of 64 on; nothing follows. Prompt and id are not in it.
std::string encode_case(const TrainingCase& item, const std::string& key);

/// Maps a file that encode_case wrote under `key`. The tensors view the mapping, which lives as
/// long as they do; `ct` stays undefined without `with_ct`, and its bytes unread. id and prompt are
/// left empty. Throws Error(kFailure) for any other file or damage (the parts that are used are
/// read and compared with their checksums).
std::shared_ptr<TrainingCase> map_case(const std::filesystem::path& path, const std::string& key,
                                       bool with_ct);

}  // namespace guidegen
