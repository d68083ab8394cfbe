#include "data/case_file.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <string_view>

#include "data/mapped_file.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/json.hpp"

namespace guidegen {
namespace {

constexpr std::string_view kMagic{"GGCASE\r\n", 8};  // the line end shows a transfer as text
constexpr size_t kAlignment = 64;
constexpr size_t kVersionAt = 8;
constexpr size_t kJsonLengthAt = 12;
constexpr size_t kJsonChecksumAt = 16;
constexpr size_t kJsonAt = 64;

size_t aligned(size_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

template <typename T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

/// Against accidents, not attackers, and as fast as memory: four independent lanes of words, each
/// step one-to-one in both state and word, so that a change of a single word is always seen.
uint64_t checksum(const char* bytes, size_t count) {
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;  // golden ratio
  constexpr size_t kLanes = 4;
  std::array<uint64_t, kLanes> lanes{1, 2, 3, 4};
  const auto absorb = [](uint64_t lane, uint64_t word) {
    return std::rotl((lane ^ word) * kOdd, 29);
  };
  size_t done = 0;
  for (; done + 8 * kLanes <= count; done += 8 * kLanes) {
    for (size_t k = 0; k < kLanes; ++k) {
      lanes[k] = absorb(lanes[k], load<uint64_t>(bytes + done + 8 * k));
    }
  }
  std::array<char, 8 * kLanes> rest{};
  std::memcpy(rest.data(), bytes + done, count - done);
  uint64_t sum = count;
  for (size_t k = 0; k < kLanes; ++k) {
    sum = absorb(sum, absorb(lanes[k], load<uint64_t>(rest.data() + 8 * k)));
  }
  return sum;
}

Json to_json(const ImageGeometry& geometry) {
  return {{"size", geometry.size},
          {"spacing", geometry.spacing},
          {"origin", geometry.origin},
          {"direction", geometry.direction}};
}

ImageGeometry geometry_from(const Json& json) {
  ImageGeometry geometry;
  json.at("size").get_to(geometry.size);
  json.at("spacing").get_to(geometry.spacing);
  json.at("origin").get_to(geometry.origin);
  json.at("direction").get_to(geometry.direction);
  return geometry;
}

Json to_json(const FoundTumor& tumor) {
  const Component& part = tumor.component;
  Json json = {{"voxels", part.voxels},           {"volume_ml", part.volume_ml},
               {"diameter_mm", part.diameter_mm}, {"centroid_index", part.centroid_index},
               {"centroid_mm", part.centroid_mm}, {"bounds", part.bounds}};
  if (tumor.organ) json["organ"] = static_cast<int>(*tumor.organ);
  if (tumor.position) json["position"] = static_cast<int>(*tumor.position);
  return json;
}

FoundTumor tumor_from(const Json& json) {
  FoundTumor tumor;
  Component& part = tumor.component;
  json.at("voxels").get_to(part.voxels);
  json.at("volume_ml").get_to(part.volume_ml);
  json.at("diameter_mm").get_to(part.diameter_mm);
  json.at("centroid_index").get_to(part.centroid_index);
  json.at("centroid_mm").get_to(part.centroid_mm);
  json.at("bounds").get_to(part.bounds);
  if (json.contains("organ")) tumor.organ = static_cast<TumorOrgan>(json["organ"].get<int>());
  if (json.contains("position")) {
    tumor.position = static_cast<TumorPosition>(json["position"].get<int>());
  }
  return tumor;
}

struct Section {
  const char* name;
  at::Tensor data;  // contiguous
  size_t offset;    // from the end of the JSON, rounded up
};

Json to_json(const Section& section) {
  const char* bytes = static_cast<const char*>(section.data.const_data_ptr());
  return {{"type", c10::toString(section.data.scalar_type())},
          {"offset", section.offset},
          {"bytes", section.data.nbytes()},
          {"checksum", checksum(bytes, section.data.nbytes())}};
}

/// What the sections of a file have in common while they are mapped.
struct Reader {
  std::shared_ptr<const MappedFile> file;
  std::string name;
  size_t body;  // where the sections begin
  std::array<int64_t, 3> dhw;

  at::Tensor section(const Json& json, at::ScalarType type) const {
    const auto offset = json.at("offset").get<size_t>();
    const auto bytes = json.at("bytes").get<size_t>();
    const auto voxels = static_cast<size_t>(dhw[0] * dhw[1] * dhw[2]);
    if (voxels * c10::elementSize(type) != bytes || body + offset + bytes > file->size()) {
      throw_failure(name, ": is shorter than it states");
    }
    const char* data = file->data() + body + offset;
    if (checksum(data, bytes) != json.at("checksum").get<uint64_t>()) {
      throw_failure(name, ": its voxels do not match their checksum");
    }
    // Tensors know no const; the memory is read-only all the same.
    return at::from_blob(
        const_cast<char*>(data), dhw, [keep = file](void*) {}, type);
  }
};

Json read_head(const MappedFile& file, const std::string& name, const std::string& key) {
  const std::string_view bytes(file.data(), file.size());
  if (!bytes.starts_with(kMagic)) throw_failure(name, ": is no cached case");
  if (bytes.size() < kJsonAt) throw_failure(name, ": is truncated");
  if (load<uint32_t>(file.data() + kVersionAt) != kCaseFileVersion) {
    throw_failure(name, ": has another format");
  }
  const size_t length = load<uint32_t>(file.data() + kJsonLengthAt);
  if (bytes.size() < kJsonAt + length) throw_failure(name, ": is truncated");
  if (checksum(file.data() + kJsonAt, length) != load<uint64_t>(file.data() + kJsonChecksumAt)) {
    throw_failure(name, ": its head does not match its checksum");
  }
  Json head = parse_json(bytes.substr(kJsonAt, length), name);
  if (head.at("key") != key) throw_failure(name, ": belongs to another case");
  if (file.size() != aligned(kJsonAt + length) + head.at("body").get<size_t>()) {
    throw_failure(name, ": is truncated or has bytes after its end");
  }
  return head;
}

}  // namespace

std::string encode_case(const TrainingCase& item, const std::string& key) {
  std::vector<Section> sections{{"mask", item.mask.contiguous(), 0}};
  if (item.ct.defined()) {
    sections.push_back({"ct", item.ct.contiguous(), aligned(item.mask.nbytes())});
  }
  const size_t body = sections.back().offset + sections.back().data.nbytes();
  Json head = {{"key", key}, {"body", body}, {"geometry", to_json(item.geometry)}};
  head["tumors"] = Json::array();
  for (const FoundTumor& tumor : item.tumors) head["tumors"].push_back(to_json(tumor));
  for (const Section& section : sections) head[section.name] = to_json(section);
  const std::string json = head.dump();

  const size_t first = aligned(kJsonAt + json.size());
  std::string bytes(first + body, '\0');
  const auto put = [&](size_t offset, const void* from, size_t count) {
    std::memcpy(bytes.data() + offset, from, count);
  };
  const auto length = static_cast<uint32_t>(json.size());
  const uint64_t sum = checksum(json.data(), json.size());
  put(0, kMagic.data(), kMagic.size());
  put(kVersionAt, &kCaseFileVersion, sizeof(kCaseFileVersion));
  put(kJsonLengthAt, &length, sizeof(length));
  put(kJsonChecksumAt, &sum, sizeof(sum));
  put(kJsonAt, json.data(), json.size());
  for (const Section& section : sections) {
    put(first + section.offset, section.data.const_data_ptr(), section.data.nbytes());
  }
  return bytes;
}

std::shared_ptr<TrainingCase> map_case(const std::filesystem::path& path, const std::string& key,
                                       bool with_ct) {
  const std::string name = path.string();
  const auto file = std::make_shared<const MappedFile>(path);
  auto item = std::make_shared<TrainingCase>();
  try {
    const Json head = read_head(*file, name, key);
    item->geometry = geometry_from(head.at("geometry"));
    for (const Json& tumor : head.at("tumors")) item->tumors.push_back(tumor_from(tumor));
    const size_t body = file->size() - head.at("body").get<size_t>();
    const Reader reader{file, name, body, to_dhw(item->geometry.size)};
    const Json& mask = head.at("mask");
    const bool wide = mask.at("type") == c10::toString(at::kUInt16);
    item->mask = reader.section(mask, wide ? at::kUInt16 : at::kByte);
    if (with_ct) item->ct = reader.section(head.at("ct"), at::kShort);
  } catch (const Json::exception& error) {
    throw_failure(name, ": is no cached case: ", error.what());
  }
  item->mapped = true;
  return item;
}

}  // namespace guidegen
