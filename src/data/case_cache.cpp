#include "guidegen/data/case_cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "data/case_file.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/output_folder.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/core/version.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

/// What tells one state of a file from another without reading it all: size, time of change, and
/// the last bytes, which of .gz are CRC-32 and length of the content. Those catch what a coarse
/// clock or a preserved time would not.
std::string identity_of(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw_failure(path.string(), ": cannot be opened: ", std::strerror(errno));
  struct stat status {};
  std::array<unsigned char, 8> tail{};
  const bool known = ::fstat(descriptor, &status) == 0;
  const off_t from = std::max<off_t>(0, status.st_size - static_cast<off_t>(tail.size()));
  const bool read = known && ::pread(descriptor, tail.data(), tail.size(), from) >= 0;
  const int problem = errno;
  ::close(descriptor);
  if (!read) throw_failure(path.string(), ": cannot be read: ", std::strerror(problem));
  std::string text =
      concat(status.st_size, " ", status.st_mtim.tv_sec, ".", status.st_mtim.tv_nsec);
  for (const unsigned char byte : tail) text += concat(" ", static_cast<int>(byte));
  return text;
}

}  // namespace

CaseCache::CaseCache(const Dataset& dataset, fs::path folder)
    : dataset_(dataset),
      folder_(std::move(folder)),
      vocabulary_sha256_(sha256_hex(dataset.vocabulary().document().dump())) {
  std::error_code ignored;
  if (fs::exists(folder_, ignored) && !fs::is_directory(folder_, ignored)) {
    throw_usage(folder_.string(), ": is a file, expected a folder for cached cases");
  }
  try {
    make_directories(folder_);
    remove_leftovers(folder_, std::chrono::hours(24));  // nobody takes a day for one case
  } catch (const Error& error) {
    writable_ = false;
    log_warning(concat(error.what(), "; decoded cases are not cached"));
  }
}

std::string CaseCache::key_of(size_t index, bool with_ct) const {
  const CaseEntry& entry = dataset_.cases().at(index);
  std::string text = concat("guidegen ", version(), ", case file ", kCaseFileVersion,
                            "\nvocabulary ", vocabulary_sha256_, "\n");
  for (const fs::path& path : {entry.mask_path(), entry.ct_path()}) {
    if (path == entry.ct_path() && !with_ct) continue;
    text += concat(entry.id, "/", path.filename().string(), " ", identity_of(path), "\n");
  }
  return sha256_hex(text);
}

fs::path CaseCache::path_of(const std::string& key) const { return folder_ / (key + ".case"); }

fs::path CaseCache::path_of(size_t index, bool with_ct) const {
  return path_of(key_of(index, with_ct));
}

void CaseCache::warn_of_damage(const fs::path& path, const char* problem) {
  const std::lock_guard lock(mutex_);
  if (warned_.insert(path.string()).second) log_warning(concat(problem, "; it is made anew"));
}

std::shared_ptr<const TrainingCase> CaseCache::find(const std::string& key, size_t index,
                                                    bool with_ct) {
  const fs::path path = path_of(key);
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return nullptr;
  try {
    const auto item = map_case(path, key, with_ct);
    item->id = dataset_.cases().at(index).id;
    item->prompt = dataset_.cases().at(index).prompt;
    return item;
  } catch (const Error& error) {
    warn_of_damage(path, error.what());
    return nullptr;
  }
}

bool CaseCache::store(const std::string& key, const TrainingCase& item) {
  if (!writable_) return false;
  try {
    write_file_atomic(path_of(key), encode_case(item, key));
    return true;
  } catch (const Error& error) {
    if (writable_.exchange(false)) {
      log_warning(concat(error.what(), "; no more decoded cases are cached"));
    }
    return false;
  }
}

std::shared_ptr<const TrainingCase> CaseCache::load(size_t index, bool with_ct) {
  const std::string key = key_of(index, with_ct);
  if (auto found = find(key, index, with_ct)) return found;
  if (!with_ct) {
    // A file with both serves as well.
    if (auto found = find(key_of(index, true), index, false)) return found;
  }
  auto decoded = load_training_case(dataset_, index, with_ct);
  // A case that changed meanwhile must not be stored under the key of what it was.
  if (key_of(index, with_ct) != key || !store(key, *decoded)) return decoded;
  auto mapped = find(key, index, with_ct);
  return mapped ? mapped : decoded;
}

}  // namespace guidegen
