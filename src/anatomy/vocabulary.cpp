#include "guidegen/anatomy/vocabulary.hpp"

#include <algorithm>
#include <set>

#include "guidegen/core/error.hpp"
#include "guidegen/core/resources.hpp"

namespace guidegen {
namespace {

constexpr int64_t kLargestSize = 65535;  // masks are at most uint16
const std::string kFolder = "vocabularies/";
const std::string kExtension = ".json";

bool is_snake_case(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.size() <= 64 && name.front() >= 'a' && name.front() <= 'z' &&
         std::all_of(name.begin(), name.end(), allowed);
}

std::string snake_case_name(JsonObject& object, const std::string& key) {
  std::string name = object.text(key);
  if (!is_snake_case(name)) {
    object.fail(key, "is \"" + name + "\", expected lower-case letters, digits and '_'");
  }
  return name;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string near = nearest_match(word, candidates);
  return near.empty() ? "" : ", did you mean \"" + near + "\"?";
}

std::vector<std::string> names_of(const std::vector<LabelInfo>& labels) {
  std::vector<std::string> names;
  for (const LabelInfo& label : labels) names.push_back(label.name);
  return names;
}

LabelInfo read_label(JsonObject object, size_t index) {
  LabelInfo label;
  label.id = static_cast<int>(object.integer("id", 0, kLargestSize - 1));
  if (label.id != static_cast<int>(index)) {
    object.fail(
        "id", concat("is ", label.id, ", expected ", index, ": ids count up from 0 without gaps"));
  }
  label.name = snake_case_name(object, "name");
  label.display = object.text("display", label.name);
  const std::vector<int64_t> color = object.integers("color", 0, 255);
  if (color.size() != label.color.size()) {
    object.fail("color", concat("has ", color.size(), " numbers, expected red, green and blue"));
  }
  for (size_t i = 0; i < color.size(); ++i) label.color[i] = static_cast<uint8_t>(color[i]);
  label.code = object.text("code", "");
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (label.code.size() > 18 || !std::all_of(label.code.begin(), label.code.end(), is_digit)) {
    object.fail("code", "is \"" + label.code + "\", expected a SNOMED CT id of up to 18 digits");
  }
  label.code_meaning = object.text("code_meaning", "");
  object.finish();
  return label;
}

/// Label names of an array as ids: each known, none twice.
std::vector<int> read_label_list(const Vocabulary& vocabulary, JsonObject& object,
                                 const std::string& key) {
  std::vector<int> ids;
  std::set<int> seen;
  const std::vector<std::string> names = object.texts(key);
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string item = concat(key, "[", i, "]");
    const std::optional<int> id = vocabulary.find(names[i]);
    if (!id) {
      object.fail(item, "is \"" + names[i] + "\", which is no label" +
                            did_you_mean(names[i], names_of(vocabulary.labels())));
    }
    if (!seen.insert(*id).second) object.fail(item, "names \"" + names[i] + "\" again");
    ids.push_back(*id);
  }
  return ids;
}

void read_class(const Vocabulary& vocabulary, JsonObject object, LabelMapping& mapping) {
  const int value = static_cast<int>(object.integer("value", 1, kLargestSize));
  if (!mapping.foreign_names.emplace(value, object.text("name")).second) {
    object.fail("value", concat(value, " is mapped twice"));
  }
  if (object.has("label") == object.has("group")) {
    object.fail("label", "expected either \"label\" or \"group\"");
  }
  if (object.has("label")) {
    const std::string name = object.text("label");
    const std::optional<int> id = vocabulary.find(name);
    if (!id) {
      object.fail("label", "is \"" + name + "\", which is no label" +
                               did_you_mean(name, names_of(vocabulary.labels())));
    }
    mapping.to_ours[value] = *id;
  } else {
    const std::string name = object.text("group");
    if (!vocabulary.groups().contains(name)) {
      std::vector<std::string> known;
      for (const auto& [group, members] : vocabulary.groups()) known.push_back(group);
      object.fail("group", "is \"" + name + "\", which is no group" + did_you_mean(name, known));
    }
    mapping.to_group[value] = name;
  }
  object.finish();
}

/// A label that a source can give must not be called unlabelled as well.
void check_unlabelled(const Vocabulary& vocabulary, const JsonObject& object,
                      const LabelMapping& mapping) {
  std::set<int> given;
  for (const auto& [value, id] : mapping.to_ours) given.insert(id);
  for (const auto& [value, group] : mapping.to_group) {
    const std::vector<int>& members = vocabulary.group(group);
    given.insert(members.begin(), members.end());
  }
  for (const int id : mapping.unlabelled) {
    if (id == vocabulary.background() || given.contains(id)) {
      object.fail("unlabelled",
                  "names \"" + vocabulary.label(id).name + "\", which the source does label");
    }
  }
}

LabelMapping read_mapping(const Vocabulary& vocabulary, JsonObject object) {
  LabelMapping mapping;
  mapping.name = snake_case_name(object, "name");
  mapping.source = object.text("source", "");
  if (object.has("unlabelled")) {
    mapping.unlabelled = read_label_list(vocabulary, object, "unlabelled");
  }
  for (const JsonObject& item : object.objects("classes")) read_class(vocabulary, item, mapping);
  check_unlabelled(vocabulary, object, mapping);
  object.finish();
  return mapping;
}

}  // namespace

Vocabulary Vocabulary::from_json(const Json& document, const std::string& source) {
  Vocabulary vocabulary;
  vocabulary.document_ = document;
  JsonObject root(vocabulary.document_, source);
  vocabulary.name_ = snake_case_name(root, "name");
  vocabulary.read_labels(root);
  if (root.has("groups")) {
    JsonObject groups = root.object("groups");
    for (const auto& item : groups.value().items()) {
      if (!is_snake_case(item.key())) {
        groups.fail(item.key(), "expected a name of lower-case letters, digits and '_'");
      }
      std::vector<int> members = read_label_list(vocabulary, groups, item.key());
      if (members.empty()) groups.fail(item.key(), "is empty, expected at least one label");
      vocabulary.groups_[item.key()] = std::move(members);
    }
  }
  if (root.has("mappings")) {
    for (const JsonObject& item : root.objects("mappings")) {
      LabelMapping mapping = read_mapping(vocabulary, item);
      const std::string name = mapping.name;
      if (!vocabulary.mappings_.emplace(name, std::move(mapping)).second) {
        item.fail("name", "\"" + name + "\" appears twice");
      }
    }
  }
  root.finish();
  return vocabulary;
}

void Vocabulary::read_labels(JsonObject& root) {
  const std::vector<JsonObject> items = root.objects("labels");
  if (items.size() > static_cast<size_t>(kLargestSize)) {
    root.fail("labels", concat("has ", items.size(), " labels, expected at most ", kLargestSize));
  }
  for (size_t i = 0; i < items.size(); ++i) {
    LabelInfo label = read_label(items[i], i);
    if (!ids_.emplace(label.name, label.id).second) {
      items[i].fail("name", "\"" + label.name + "\" appears twice");
    }
    labels_.push_back(std::move(label));
  }
  const auto role = [&](const std::string& role_name) {
    const std::optional<int> id = find(role_name);
    if (!id) root.fail("labels", "has no \"" + role_name + "\", expected one");
    return *id;
  };
  if (role("background") != 0) root.fail("labels", "gives \"background\" an id other than 0");
  body_ = role("body");
  tumor_ = role("tumor");
}

Vocabulary Vocabulary::load(const std::string& name_or_path) {
  if (name_or_path.ends_with(kExtension)) {
    return from_json(read_json_file(name_or_path), name_or_path);
  }
  std::vector<std::string> shipped;
  for (const std::string& resource_name : resource_names()) {
    if (resource_name.starts_with(kFolder) && resource_name.ends_with(kExtension)) {
      shipped.push_back(resource_name.substr(
          kFolder.size(), resource_name.size() - kFolder.size() - kExtension.size()));
    }
  }
  if (std::find(shipped.begin(), shipped.end(), name_or_path) == shipped.end()) {
    std::string list;
    for (const std::string& name : shipped) list += (list.empty() ? "" : ", ") + name;
    throw_usage("no vocabulary \"", name_or_path, "\", expected one of: ", list,
                "; or a path that ends in .json");
  }
  const std::string file = kFolder + name_or_path + kExtension;
  return from_json(parse_json(resource(file), file), file);
}

std::optional<int> Vocabulary::find(const std::string& label_name) const {
  const auto found = ids_.find(label_name);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

int Vocabulary::id(const std::string& label_name) const {
  const std::optional<int> found = find(label_name);
  if (found) return *found;
  throw_usage("vocabulary ", name_, ": no label \"", label_name, "\"",
              did_you_mean(label_name, names_of(labels_)));
}

const std::vector<int>& Vocabulary::group(const std::string& group_name) const {
  const auto found = groups_.find(group_name);
  if (found != groups_.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [name, members] : groups_) known.push_back(name);
  throw_usage("vocabulary ", name_, ": no group \"", group_name, "\"",
              did_you_mean(group_name, known));
}

const LabelMapping& Vocabulary::mapping(const std::string& mapping_name) const {
  const auto found = mappings_.find(mapping_name);
  if (found != mappings_.end()) return found->second;
  std::string list;
  for (const std::string& name : mapping_names()) list += (list.empty() ? "" : ", ") + name;
  throw_usage("vocabulary ", name_, ": no mapping \"", mapping_name,
              "\", expected one of: ", list.empty() ? "none" : list);
}

std::vector<std::string> Vocabulary::mapping_names() const {
  std::vector<std::string> names;
  for (const auto& [name, mapping] : mappings_) names.push_back(name);
  return names;
}

}  // namespace guidegen
