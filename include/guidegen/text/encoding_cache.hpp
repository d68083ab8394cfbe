#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "guidegen/text/token_batch.hpp"

namespace guidegen {

/// Keeps what a frozen encoder makes of texts, so that each text is encoded once. An entry is found
/// by the SHA-256 of (fingerprint of the encoder, text). In memory the entries used last stay, up
/// to a bound; with a folder, all are also written there, atomically, and found again by later runs
/// and other processes. Files that are damaged are computed anew.
class EncodingCache {
 public:
  struct Options {
    uint64_t max_bytes = uint64_t{256} << 20;  ///< of tensors in memory; at least the last text
    bool tokens = true;                        ///< keep tokens; off: sentences alone
    std::filesystem::path folder;              ///< empty: memory alone
  };
  struct Counters {
    int64_t hits = 0;       ///< texts found in memory
    int64_t disk_hits = 0;  ///< texts found in the folder
    int64_t misses = 0;     ///< texts encoded
  };
  using Encode = std::function<TextFeatures(const std::vector<std::string>&)>;

  /// `encode` must give each text the same features whatever it is batched with.
  EncodingCache(const std::string& fingerprint, Encode encode, Options options);

  /// What encode(texts) gives, float32 on the CPU (without `tokens`: sentences alone). Texts that
  /// are not known are encoded together. Safe to call from several threads. Rethrows errors of
  /// `encode`; throws Error(kFailure) when the folder can't be written.
  TextFeatures get(const std::vector<std::string>& texts);

  Counters counters() const;
  uint64_t bytes() const;  ///< of tensors in memory

 private:
  struct Entry {
    std::string key;
    at::Tensor tokens;    // [T,C], undefined without `tokens`
    at::Tensor sentence;  // [E]
    uint64_t bytes() const;
  };

  std::string key_of(const std::string& text) const;
  std::filesystem::path path_of(const std::string& key) const;
  std::optional<Entry> find(const std::string& key);
  std::optional<Entry> read(const std::string& key) const;
  void write(const Entry& entry) const;
  void keep(const Entry& entry);
  void encode_missing(const std::vector<std::string>& texts, const std::vector<std::string>& keys,
                      std::unordered_map<std::string, Entry>& found);
  TextFeatures join(const std::vector<Entry>& rows) const;

  std::string fingerprint_;
  Encode encode_;
  Options options_;
  mutable std::mutex mutex_;  // of what follows; never held while encoding
  std::list<Entry> recent_;   // used last first
  std::unordered_map<std::string, std::list<Entry>::iterator> places_;
  uint64_t bytes_ = 0;
  Counters counters_;
};

}  // namespace guidegen
