#include "guidegen/text/encoding_cache.hpp"

#include <algorithm>
#include <optional>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/nn/safetensors.hpp"

namespace guidegen {

namespace fs = std::filesystem;

namespace {

std::string_view bytes_of(const at::Tensor& tensor) {
  return {static_cast<const char*>(tensor.data_ptr()), static_cast<size_t>(tensor.nbytes())};
}

// The safetensors format has no check sum of its own.
std::string check_sum(const at::Tensor& tokens, const at::Tensor& sentence) {
  std::string hashes = sha256_hex(bytes_of(sentence));
  if (tokens.defined()) hashes += sha256_hex(bytes_of(tokens));
  return sha256_hex(hashes);
}

at::Tensor own_row(const at::Tensor& row) {
  return row.detach().to(at::kCPU, at::kFloat).contiguous().clone();
}

}  // namespace

uint64_t EncodingCache::Entry::bytes() const {
  return sentence.nbytes() + (tokens.defined() ? tokens.nbytes() : 0);
}

EncodingCache::EncodingCache(const std::string& fingerprint, Encode encode, Options options)
    : fingerprint_(fingerprint), encode_(std::move(encode)), options_(std::move(options)) {
  if (!options_.folder.empty()) make_directories(options_.folder);
}

std::string EncodingCache::key_of(const std::string& text) const {
  return sha256_hex(sha256_hex(concat(fingerprint_, options_.tokens ? "/tokens" : "/sentence")) +
                    text);
}

// A folder of a million files is slow to list, so they go into 256.
fs::path EncodingCache::path_of(const std::string& key) const {
  return options_.folder / key.substr(0, 2) / (key.substr(2) + ".safetensors");
}

std::optional<EncodingCache::Entry> EncodingCache::read(const std::string& key) const {
  const auto path = path_of(key);
  if (options_.folder.empty() || !fs::exists(path)) return std::nullopt;
  try {
    auto file = read_safetensors(path);
    Entry entry{key, {}, file.tensors.at("sentence")};
    if (options_.tokens) entry.tokens = file.tensors.at("tokens");
    if (file.metadata.at("sha256") == check_sum(entry.tokens, entry.sentence)) return entry;
    log_warning(concat(path.string(), ": damaged, encoding the text again"));
  } catch (const Error& error) {
    log_warning(concat(error.what(), "; encoding the text again"));
  } catch (const std::out_of_range&) {
    log_warning(concat(path.string(), ": incomplete, encoding the text again"));
  }
  return std::nullopt;
}

void EncodingCache::write(const Entry& entry) const {
  if (options_.folder.empty()) return;
  const auto path = path_of(entry.key);
  make_directories(path.parent_path());
  TensorFile file{{{"sentence", entry.sentence}},
                  {{"sha256", check_sum(entry.tokens, entry.sentence)}}};
  if (options_.tokens) file.tensors["tokens"] = entry.tokens;
  write_safetensors(path, file);
}

// With mutex_ held.
void EncodingCache::keep(const Entry& entry) {
  if (places_.contains(entry.key)) return;
  recent_.push_front(entry);
  places_[entry.key] = recent_.begin();
  bytes_ += entry.bytes();
  while (bytes_ > options_.max_bytes && recent_.size() > 1) {
    bytes_ -= recent_.back().bytes();
    places_.erase(recent_.back().key);
    recent_.pop_back();
  }
}

std::optional<EncodingCache::Entry> EncodingCache::find(const std::string& key) {
  {
    const std::scoped_lock lock(mutex_);
    if (const auto place = places_.find(key); place != places_.end()) {
      recent_.splice(recent_.begin(), recent_, place->second);
      ++counters_.hits;
      return recent_.front();
    }
  }
  auto entry = read(key);
  if (!entry) return std::nullopt;
  const std::scoped_lock lock(mutex_);
  ++counters_.disk_hits;
  keep(*entry);
  return entry;
}

void EncodingCache::encode_missing(const std::vector<std::string>& texts,
                                   const std::vector<std::string>& keys,
                                   std::unordered_map<std::string, Entry>& found) {
  const auto features = encode_(texts);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    Entry entry{keys[i], {}, own_row(features.sentence[row])};
    if (options_.tokens) {
      entry.tokens =
          own_row(features.tokens[row].slice(0, 0, features.present[row].sum().item<int64_t>()));
    }
    write(entry);
    const std::scoped_lock lock(mutex_);
    ++counters_.misses;
    keep(entry);
    found.emplace(entry.key, entry);
  }
}

TextFeatures EncodingCache::join(const std::vector<Entry>& rows) const {
  TextFeatures out;
  std::vector<at::Tensor> sentences;
  int64_t longest = 0;
  for (const auto& row : rows) {
    sentences.push_back(row.sentence);
    if (options_.tokens) longest = std::max(longest, row.tokens.size(0));
  }
  out.sentence = at::stack(sentences);
  if (!options_.tokens) return out;
  const auto b = static_cast<int64_t>(rows.size());
  out.tokens = at::zeros({b, longest, rows.front().tokens.size(1)});
  out.present = at::zeros({b, longest}, at::kBool);
  for (int64_t i = 0; i < b; ++i) {
    const auto& tokens = rows[static_cast<size_t>(i)].tokens;
    out.tokens[i].slice(0, 0, tokens.size(0)).copy_(tokens);
    out.present[i].slice(0, 0, tokens.size(0)).fill_(true);
  }
  return out;
}

TextFeatures EncodingCache::get(const std::vector<std::string>& texts) {
  if (texts.empty()) throw_failure("text encoder: a batch without texts");
  std::vector<std::string> keys, missing_texts, missing_keys;
  std::unordered_map<std::string, Entry> found;
  for (const auto& text : texts) {
    const auto& key = keys.emplace_back(key_of(text));
    if (found.contains(key) ||
        std::find(missing_keys.begin(), missing_keys.end(), key) != missing_keys.end()) {
      continue;
    }
    if (auto entry = find(key)) {
      found.emplace(key, std::move(*entry));
    } else {
      missing_texts.push_back(text);
      missing_keys.push_back(key);
    }
  }
  if (!missing_texts.empty()) encode_missing(missing_texts, missing_keys, found);
  std::vector<Entry> rows;
  for (const auto& key : keys) rows.push_back(found.at(key));
  return join(rows);
}

EncodingCache::Counters EncodingCache::counters() const {
  const std::scoped_lock lock(mutex_);
  return counters_;
}

uint64_t EncodingCache::bytes() const {
  const std::scoped_lock lock(mutex_);
  return bytes_;
}

}  // namespace guidegen
