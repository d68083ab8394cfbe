#include "guidegen/prompt/prompt.hpp"

#include <algorithm>
#include <cmath>
#include <regex>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"

namespace guidegen {
namespace {

constexpr size_t kMaxTextCharacters = 4000;
constexpr size_t kMaxTumorGroups = 32;

/// Index of `name` among `names`; the caller has checked that it is there.
template <typename Enum>
Enum enum_of(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<Enum>(std::find(names.begin(), names.end(), name) - names.begin());
}

template <typename Enum>
std::optional<Enum> read_choice(JsonObject& object, const std::string& key,
                                const std::vector<std::string>& names) {
  if (!object.has(key)) return std::nullopt;
  return enum_of<Enum>(names, object.choice(key, names));
}

/// `null` would be a second way to say "open"; leaving the key out is the only one.
void refuse_nulls(const JsonObject& object) {
  if (!object.value().is_object()) return;
  for (const auto& [key, value] : object.value().items()) {
    if (value.is_null()) {
      object.fail(key, "null is not a value, expected the key to be left out where it is open");
    }
  }
}

size_t utf8_length(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string read_text(JsonObject& object) {
  std::string text = object.text("text");
  const size_t length = utf8_length(text);
  if (length == 0 || length > kMaxTextCharacters) {
    object.fail("text", concat(length, " characters long, expected 1 to ", kMaxTextCharacters));
  }
  return text;
}

std::string read_stage(JsonObject& object) {
  static const std::regex form("(T(is|X|[0-4](mi|[a-d])?)|(0|I|II|III|IV)[A-D]?[1-3]?)");
  std::string stage = object.text("stage");
  // The length is checked first: std::regex recurses over its input.
  if (stage.size() > 8 || !std::regex_match(stage, form)) {
    object.fail("stage", concat("'", stage.substr(0, 40),
                                "' is no stage, expected a T stage such as T1b or an overall "
                                "stage such as IIIA"));
  }
  return stage;
}

TumorPosition read_position(JsonObject& object, TumorOrgan organ) {
  const std::vector<TumorPosition> positions = positions_of(organ);
  std::vector<std::string> names;
  for (const TumorPosition position : positions) names.push_back(name_of(position));
  const std::string name = object.choice("position", names);
  return positions.at(enum_of<size_t>(names, name));
}

TumorRequest tumor_from_json(JsonObject object) {
  refuse_nulls(object);
  TumorRequest tumor;
  tumor.organ =
      enum_of<TumorOrgan>(tumor_organ_names(), object.choice("organ", tumor_organ_names()));
  if (object.has("position")) tumor.position = read_position(object, tumor.organ);
  if (object.has("count")) tumor.count = static_cast<int>(object.integer("count", 1, 20));
  if (object.has("size_mm")) tumor.size_mm = object.number("size_mm", 3, 150);
  if (object.has("stage")) tumor.stage = read_stage(object);
  object.finish();
  return tumor;
}

std::vector<TumorRequest> read_tumors(JsonObject& object) {
  const std::vector<JsonObject> groups = object.objects("tumors");
  if (groups.size() > kMaxTumorGroups) {
    object.fail("tumors", concat(groups.size(), " groups, expected at most ", kMaxTumorGroups));
  }
  std::vector<TumorRequest> tumors;
  for (const JsonObject& group : groups) tumors.push_back(tumor_from_json(group));
  return tumors;
}

template <typename T>
std::array<T, 3> three(const JsonObject& object, const std::string& key,
                       const std::vector<T>& values) {
  if (values.size() != 3) {
    object.fail(key, concat(values.size(), " numbers, expected three: [x, y, z]"));
  }
  return {values[0], values[1], values[2]};
}

/// Whole numbers are written without a decimal point, as a person would.
Json number_to_json(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) return static_cast<int64_t>(value);
  return value;
}

Json to_json(const TumorRequest& tumor) {
  Json json = Json::object();
  json["organ"] = name_of(tumor.organ);
  if (tumor.position) json["position"] = name_of(*tumor.position);
  if (tumor.count) json["count"] = *tumor.count;
  if (tumor.size_mm) json["size_mm"] = number_to_json(*tumor.size_mm);
  if (tumor.stage) json["stage"] = *tumor.stage;
  return json;
}

}  // namespace

Prompt prompt_from_json(const Json& value, const std::string& source, const std::string& path) {
  JsonObject object(value, source, path);
  refuse_nulls(object);
  Prompt prompt;
  if (object.has("id")) {
    prompt.id = object.text("id");
    check_file_name(prompt.id, concat(source, ": ", object.path_of("id")));
  }
  if (object.has("text")) prompt.text = read_text(object);
  prompt.sex = read_choice<Sex>(object, "sex", sex_names());
  if (object.has("age")) prompt.age = static_cast<int>(object.integer("age", 0, 120));
  prompt.race = read_choice<Race>(object, "race", race_names());
  prompt.contrast = read_choice<ContrastPhase>(object, "contrast", contrast_names());
  if (object.has("tumors")) prompt.tumors = read_tumors(object);
  if (object.has("spacing_mm")) {
    prompt.spacing_mm = three(object, "spacing_mm", object.numbers("spacing_mm", 0.3, 20));
  }
  if (object.has("size")) prompt.size = three(object, "size", object.integers("size", 16, 1024));
  prompt.seed = object.unsigned_integer("seed", 0);
  prompt.samples = static_cast<int>(object.integer("samples", 1, 1000, 1));
  object.finish();
  return prompt;
}

Json to_json(const Prompt& prompt) {
  Json json = Json::object();
  if (!prompt.id.empty()) json["id"] = prompt.id;
  if (prompt.text) json["text"] = *prompt.text;
  if (prompt.sex) json["sex"] = name_of(*prompt.sex);
  if (prompt.age) json["age"] = *prompt.age;
  if (prompt.race) json["race"] = name_of(*prompt.race);
  if (prompt.contrast) json["contrast"] = name_of(*prompt.contrast);
  if (prompt.tumors) {
    json["tumors"] = Json::array();
    for (const TumorRequest& tumor : *prompt.tumors) json["tumors"].push_back(to_json(tumor));
  }
  if (prompt.spacing_mm) {
    json["spacing_mm"] = Json::array();
    for (const double spacing : *prompt.spacing_mm) {
      json["spacing_mm"].push_back(number_to_json(spacing));
    }
  }
  if (prompt.size) json["size"] = *prompt.size;
  if (prompt.seed != 0) json["seed"] = prompt.seed;
  if (prompt.samples != 1) json["samples"] = prompt.samples;
  return json;
}

}  // namespace guidegen
