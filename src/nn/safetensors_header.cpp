#include "nn/safetensors_header.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <tuple>

#include <nlohmann/json.hpp>

#include "guidegen/core/error.hpp"

namespace guidegen::safetensors {
namespace {

// The sorted object of nlohmann: a header may hold very many names, and look-up in guidegen's
// ordered Json is linear.
using SortedJson = nlohmann::json;

constexpr const char* kMetadata = "__metadata__";

struct TypeName {
  at::ScalarType type;
  const char* name;
};
constexpr TypeName kTypes[] = {{at::kDouble, "F64"},    {at::kFloat, "F32"}, {at::kHalf, "F16"},
                               {at::kBFloat16, "BF16"}, {at::kLong, "I64"},  {at::kInt, "I32"},
                               {at::kShort, "I16"},     {at::kChar, "I8"},   {at::kByte, "U8"},
                               {at::kBool, "BOOL"}};

std::optional<at::ScalarType> type_of(const std::string& name) {
  for (const auto& known : kTypes) {
    if (name == known.name) return known.type;
  }
  return std::nullopt;
}

std::optional<std::string> name_of(at::ScalarType type) {
  for (const auto& known : kTypes) {
    if (type == known.type) return known.name;
  }
  return std::nullopt;
}

/// Refuses, while parsing, what a document object could no longer show: duplicate keys, and nesting
/// (whose destruction is recursive) beyond {name: {key: [number]}}.
class Guard {
 public:
  explicit Guard(const std::string& source) : source_(source) {}

  bool operator()(int depth, SortedJson::parse_event_t event, const SortedJson& value) {
    switch (event) {
      case SortedJson::parse_event_t::object_start:
        keys_.emplace_back();
        check_depth(depth);
        break;
      case SortedJson::parse_event_t::array_start:
        check_depth(depth);
        values_ = 0;
        break;
      case SortedJson::parse_event_t::object_end:
        keys_.pop_back();
        break;
      case SortedJson::parse_event_t::key:
        if (!keys_.back().insert(value.get<std::string>()).second) {
          throw_failure(source_, ": header names '", value.get<std::string>(),
                        "' twice, expected it once");
        }
        break;
      case SortedJson::parse_event_t::value:
        // Numbers take 16 bytes once parsed, 2 in the file: an endless array must stop here.
        if (depth == kContainers && ++values_ > kMostDimensions) {
          throw_failure(source_, ": header holds an array of more than ", kMostDimensions,
                        " values, expected shapes of at most that");
        }
        break;
      default:
        break;
    }
    return true;
  }

 private:
  static constexpr int kContainers = 3;

  void check_depth(int depth) const {
    if (depth >= kContainers) {
      throw_failure(source_, ": header nests deeper than ", kContainers,
                    " levels, expected {name: {key: [numbers]}}");
    }
  }

  const std::string& source_;
  std::vector<std::set<std::string>> keys_;
  size_t values_ = 0;  // of the array being read
};

SortedJson parse_guarded(std::string_view text, const std::string& source) {
  if (text.empty() || text.front() != '{') {
    throw_failure(source, ": header doesn't begin with '{', expected a safetensors file");
  }
  try {
    return SortedJson::parse(text.begin(), text.end(), Guard(source));
  } catch (const SortedJson::exception& problem) {
    throw_failure(source, ": header is not valid JSON (", problem.what(), ")");
  }
}

std::map<std::string, std::string> metadata_from(const SortedJson& value,
                                                 const std::string& source) {
  if (!value.is_object()) throw_failure(source, ": ", kMetadata, " is no object of texts");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) {
      throw_failure(source, ": ", kMetadata, ".", key, " is ", text.type_name(), ", expected text");
    }
    metadata.emplace(key, text.get<std::string>());
  }
  return metadata;
}

/// Bytes that `shape` takes; nothing when the count doesn't fit. Empty dimensions count as 1,
/// because strides are products that leave them out.
std::optional<uint64_t> bytes_of(const std::vector<int64_t>& shape, at::ScalarType dtype) {
  int64_t bytes = static_cast<int64_t>(at::elementSize(dtype));
  bool empty = false;
  for (const int64_t extent : shape) {
    empty = empty || extent == 0;
    if (__builtin_mul_overflow(bytes, std::max<int64_t>(extent, 1), &bytes)) return std::nullopt;
  }
  return empty ? 0 : static_cast<uint64_t>(bytes);
}

/// One tensor's part of the header, with its keys taken one by one.
class EntryParser {
 public:
  EntryParser(const std::string& name, const SortedJson& value, const std::string& source)
      : name_(name), value_(value), label_(concat(source, ": tensor '", name, "'")) {}

  Entry parse(uint64_t data_bytes) const {
    if (!value_.is_object()) {
      throw_failure(label_, " is ", value_.type_name(), ", expected an object");
    }
    for (const auto& [key, unused] : value_.items()) {
      if (key != "dtype" && key != "shape" && key != "data_offsets") {
        throw_failure(label_, " has the unknown key '", key,
                      "', expected dtype, shape and data_offsets");
      }
    }
    Entry entry{name_, dtype(), shape(), 0, 0};
    const std::vector<uint64_t> offsets = numbers("data_offsets");
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_bytes) {
      throw_failure(label_, ": data_offsets ", value_["data_offsets"].dump(),
                    ", expected [begin, end] within ", data_bytes, " bytes of data");
    }
    entry.begin = offsets[0];
    entry.end = offsets[1];
    const auto bytes = bytes_of(entry.shape, entry.dtype);
    if (!bytes || *bytes != entry.end - entry.begin) {
      throw_failure(label_, ": shape ", value_["shape"].dump(), " of ",
                    value_["dtype"].get<std::string>(), " needs ",
                    bytes ? std::to_string(*bytes) : "too many", " bytes, data_offsets give ",
                    entry.end - entry.begin);
    }
    return entry;
  }

 private:
  const SortedJson& at(const char* key) const {
    const auto found = value_.find(key);
    if (found == value_.end()) throw_failure(label_, " has no ", key);
    return *found;
  }

  at::ScalarType dtype() const {
    const SortedJson& name = at("dtype");
    const auto type = name.is_string() ? type_of(name.get<std::string>()) : std::nullopt;
    if (!type) {
      throw_failure(label_, ": dtype ", name.dump(),
                    ", expected F64, F32, F16, BF16, I64, I32, I16, I8, U8 or BOOL");
    }
    return *type;
  }

  std::vector<uint64_t> numbers(const char* key) const {
    const SortedJson& list = at(key);
    if (!list.is_array()) throw_failure(label_, ": ", key, " is no array of numbers");
    std::vector<uint64_t> result;
    for (const SortedJson& number : list) {
      if (!number.is_number_unsigned()) {
        throw_failure(label_, ": ", key, " holds ", number.dump(), ", expected whole numbers >= 0");
      }
      result.push_back(number.get<uint64_t>());
    }
    return result;
  }

  std::vector<int64_t> shape() const {
    const std::vector<uint64_t> extents = numbers("shape");
    if (extents.size() > kMostDimensions) {
      throw_failure(label_, " has ", extents.size(), " dimensions, expected at most ",
                    kMostDimensions);
    }
    for (const uint64_t extent : extents) {
      if (extent > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
        throw_failure(label_, ": extent ", extent, " is too large");
      }
    }
    return {extents.begin(), extents.end()};
  }

  const std::string& name_;
  const SortedJson& value_;
  std::string label_;
};

/// The data must be the tensors end to end: a hole could hide anything, an overlap would let a
/// small file ask for much memory.
void check_coverage(const std::vector<Entry>& entries, uint64_t data_bytes,
                    const std::string& source) {
  uint64_t covered = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != covered) {
      throw_failure(source, ": tensor '", entry.name, "' begins at byte ", entry.begin,
                    entry.begin < covered ? ", inside the tensor before it" : ", after a hole",
                    ", expected ", covered);
    }
    covered = entry.end;
  }
  if (covered != data_bytes) {
    throw_failure(source, ": ", data_bytes - covered,
                  " bytes after the last tensor, expected none");
  }
}

}  // namespace

Header parse_header(std::string_view text, uint64_t data_bytes, const std::string& source) {
  const SortedJson root = parse_guarded(text, source);
  Header header;
  for (const auto& [name, value] : root.items()) {
    if (name == kMetadata) {
      header.metadata = metadata_from(value, source);
    } else {
      header.entries.push_back(EntryParser(name, value, source).parse(data_bytes));
    }
  }
  std::stable_sort(header.entries.begin(), header.entries.end(),
                   [](const Entry& a, const Entry& b) {
                     return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
                   });
  check_coverage(header.entries, data_bytes, source);
  return header;
}

std::string format_header(Header& header, const std::string& source) {
  std::stable_sort(header.entries.begin(), header.entries.end(),
                   [](const Entry& a, const Entry& b) {
                     const auto width_a = at::elementSize(a.dtype);
                     const auto width_b = at::elementSize(b.dtype);
                     return width_a != width_b ? width_a > width_b : a.name < b.name;
                   });
  SortedJson root = SortedJson::object();
  if (!header.metadata.empty()) root[kMetadata] = header.metadata;
  uint64_t offset = 0;
  for (Entry& entry : header.entries) {
    const auto type = name_of(entry.dtype);
    const auto bytes = bytes_of(entry.shape, entry.dtype);
    if (entry.name == kMetadata || !type || !bytes || entry.shape.size() > kMostDimensions) {
      throw_failure(source, ": tensor '", entry.name, "' (", entry.dtype, ", ", entry.shape.size(),
                    " dimensions) can't be written as safetensors");
    }
    entry.begin = offset;
    entry.end = offset += *bytes;
    root[entry.name] = {
        {"dtype", *type}, {"shape", entry.shape}, {"data_offsets", {entry.begin, entry.end}}};
  }
  std::string text;
  try {
    text = root.dump();
  } catch (const SortedJson::exception& problem) {
    throw_failure(source, ": a name or metadata text is not UTF-8 (", problem.what(), ")");
  }
  constexpr size_t kAlignment = 8;
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  if (text.size() > kMostHeaderBytes) {
    throw_failure(source, ": header of ", text.size(), " bytes, expected at most ",
                  kMostHeaderBytes);
  }
  return text;
}

}  // namespace guidegen::safetensors
