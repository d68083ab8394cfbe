#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "core/terminal_line.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/json.hpp"

namespace guidegen {
namespace {

std::string kind_of(const Json& value) {
  if (value.is_null()) return "null";
  if (value.is_boolean()) return "true or false";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "text";
  return value.is_array() ? "an array" : "an object";
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// 15 digits: 0.1 prints as 0.1, and a million as 1000000.
std::string number_text(double value) {
  std::ostringstream out;
  out.precision(15);
  out << value;
  return out.str();
}

std::string range_text(double low, double high) {
  const bool open_low = low <= std::numeric_limits<double>::lowest();
  const bool open_high = high >= std::numeric_limits<double>::max();
  if (open_low && open_high) return "";
  if (open_high) return " of at least " + number_text(low);
  if (open_low) return " of at most " + number_text(high);
  return " from " + number_text(low) + " to " + number_text(high);
}

std::string range_text(int64_t low, int64_t high) {
  const bool open_low = low == std::numeric_limits<int64_t>::min();
  const bool open_high = high == std::numeric_limits<int64_t>::max();
  if (open_low && open_high) return "";
  if (open_high) return concat(" of at least ", low);
  if (open_low) return concat(" of at most ", high);
  return concat(" from ", low, " to ", high);
}

/// Integers as JSON means them: 3.0 is one, 3.5 and what exceeds int64 are not.
std::optional<int64_t> as_integer(const Json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
    return static_cast<int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number_float()) {
    const auto number = value.get<double>();
    constexpr double kExact = 9007199254740992.0;  // 2^53: doubles beyond skip integers
    if (std::trunc(number) == number && std::abs(number) <= kExact) {
      return static_cast<int64_t>(number);
    }
  }
  return std::nullopt;
}

const Json* find_member(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

}  // namespace

JsonObject::JsonObject(const Json& value, std::string source, std::string path)
    : value_(&value), source_(std::move(source)), path_(std::move(path)) {
  if (!value.is_object()) {
    throw_usage(source_, ": ", path_, path_.empty() ? "" : ": ", "is ", kind_of(value),
                ", expected an object");
  }
}

std::string JsonObject::path_of(const std::string& key) const {
  return path_.empty() ? key : path_ + "." + key;
}

void JsonObject::fail(const std::string& key, const std::string& problem) const {
  // Keys and texts come from the file: kept harmless, so that the message stays one line.
  throw_usage(source_, ": ", printable(path_of(key)), ": ", printable(problem));
}

bool JsonObject::has(const std::string& key) const {
  known_.insert(key);
  return find_member(*value_, key) != nullptr;
}

const Json& JsonObject::raw(const std::string& key) {
  known_.insert(key);
  const Json* member = find_member(*value_, key);
  if (member == nullptr) fail(key, "is missing");
  return *member;
}

std::string JsonObject::text(const std::string& key) {
  const Json& member = raw(key);
  if (!member.is_string()) fail(key, "is " + kind_of(member) + ", expected text");
  return member.get<std::string>();
}

std::string JsonObject::text(const std::string& key, const std::string& fallback) {
  return has(key) ? text(key) : fallback;
}

bool JsonObject::boolean(const std::string& key) {
  const Json& member = raw(key);
  if (!member.is_boolean()) fail(key, "is " + kind_of(member) + ", expected true or false");
  return member.get<bool>();
}

bool JsonObject::boolean(const std::string& key, bool fallback) {
  return has(key) ? boolean(key) : fallback;
}

int64_t JsonObject::integer(const std::string& key, int64_t low, int64_t high) {
  const Json& member = raw(key);
  const std::optional<int64_t> value = as_integer(member);
  if (value && *value >= low && *value <= high) return *value;
  fail(key, concat("is ", member.is_number() ? member.dump() : kind_of(member),
                   ", expected an integer", range_text(low, high)));
}

int64_t JsonObject::integer(const std::string& key, int64_t low, int64_t high, int64_t fallback) {
  return has(key) ? integer(key, low, high) : fallback;
}

uint64_t JsonObject::unsigned_integer(const std::string& key, uint64_t fallback) {
  if (!has(key)) return fallback;
  const Json& member = raw(key);
  if (member.is_number_unsigned()) return member.get<uint64_t>();
  const std::optional<int64_t> value = as_integer(member);
  if (value && *value >= 0) return static_cast<uint64_t>(*value);
  fail(key, concat("is ", member.is_number() ? member.dump() : kind_of(member),
                   ", expected an integer from 0 to 18446744073709551615"));
}

double JsonObject::number(const std::string& key, double low, double high) {
  const Json& member = raw(key);
  if (!member.is_number()) {
    fail(key, "is " + kind_of(member) + ", expected a number" + range_text(low, high));
  }
  const auto value = member.get<double>();
  if (!(value >= low && value <= high)) {
    fail(key, "is " + member.dump() + ", expected a number" + range_text(low, high));
  }
  return value;
}

double JsonObject::number(const std::string& key, double low, double high, double fallback) {
  return has(key) ? number(key, low, high) : fallback;
}

std::string JsonObject::choice(const std::string& key, const std::vector<std::string>& allowed) {
  std::string value = text(key);
  for (const std::string& word : allowed) {
    if (word == value) return value;
  }
  const std::string near = nearest_match(value, allowed);
  fail(key, "is \"" + value + "\", expected one of: " + join(allowed) +
                (near.empty() ? "" : " (did you mean \"" + near + "\"?)"));
}

std::string JsonObject::choice(const std::string& key, const std::vector<std::string>& allowed,
                               const std::string& fallback) {
  return has(key) ? choice(key, allowed) : fallback;
}

std::vector<double> JsonObject::numbers(const std::string& key, double low, double high) {
  const Json& member = raw(key);
  if (!member.is_array()) fail(key, "is " + kind_of(member) + ", expected an array of numbers");
  std::vector<double> values;
  for (size_t i = 0; i < member.size(); ++i) {
    const Json& item = member[i];
    const double value = item.is_number() ? item.get<double>() : std::nan("");
    if (!(value >= low && value <= high)) {
      fail(concat(key, "[", i, "]"), concat("is ", item.is_number() ? item.dump() : kind_of(item),
                                            ", expected a number", range_text(low, high)));
    }
    values.push_back(value);
  }
  return values;
}

std::vector<int64_t> JsonObject::integers(const std::string& key, int64_t low, int64_t high) {
  const Json& member = raw(key);
  if (!member.is_array()) fail(key, "is " + kind_of(member) + ", expected an array of integers");
  std::vector<int64_t> values;
  for (size_t i = 0; i < member.size(); ++i) {
    const Json& item = member[i];
    const std::optional<int64_t> value = as_integer(item);
    if (!value || *value < low || *value > high) {
      fail(concat(key, "[", i, "]"), concat("is ", item.is_number() ? item.dump() : kind_of(item),
                                            ", expected an integer", range_text(low, high)));
    }
    values.push_back(*value);
  }
  return values;
}

std::vector<std::string> JsonObject::texts(const std::string& key) {
  const Json& member = raw(key);
  if (!member.is_array()) fail(key, "is " + kind_of(member) + ", expected an array of texts");
  std::vector<std::string> values;
  for (size_t i = 0; i < member.size(); ++i) {
    if (!member[i].is_string()) {
      fail(concat(key, "[", i, "]"), "is " + kind_of(member[i]) + ", expected text");
    }
    values.push_back(member[i].get<std::string>());
  }
  return values;
}

JsonObject JsonObject::object(const std::string& key) {
  return JsonObject(raw(key), source_, path_of(key));
}

std::vector<JsonObject> JsonObject::objects(const std::string& key) {
  const Json& member = raw(key);
  if (!member.is_array()) fail(key, "is " + kind_of(member) + ", expected an array of objects");
  std::vector<JsonObject> values;
  for (size_t i = 0; i < member.size(); ++i) {
    values.emplace_back(member[i], source_, path_of(concat(key, "[", i, "]")));
  }
  return values;
}

void JsonObject::finish() const {
  for (const auto& item : value_->items()) {
    const std::string& key = item.key();
    if (known_.contains(key)) continue;
    const std::vector<std::string> candidates(known_.begin(), known_.end());
    const std::string near = nearest_match(key, candidates);
    if (!near.empty()) fail(key, "is not a known key, did you mean \"" + near + "\"?");
    fail(key, "is not a known key, expected one of: " + join(candidates));
  }
}

}  // namespace guidegen
