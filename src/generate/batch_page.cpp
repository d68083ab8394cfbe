#include <cmath>
#include <cstdio>

#include "generate/page_parts.hpp"
#include "guidegen/core/html.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/generate/batch_report.hpp"

namespace guidegen {
namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", value == std::round(value) ? 0 : 1, value);
  return text;
}

/// A JSON value in the words of the page: lists with commas, objects as "key: value".
std::string plain(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "-";
  if (value.is_number_float()) return number(value.get<double>());
  if (!value.is_structured()) return value.dump();
  std::string text;
  for (const auto& item : value.items()) {
    if (!text.empty()) text += ", ";
    if (value.is_object()) text += item.key() + ": ";
    text += plain(item.value());
  }
  return text.empty() ? "none" : text;
}

const Json& at_or_empty(const Json& object, const char* key) {
  static const Json empty = Json::object();
  const auto found = object.find(key);
  return found == object.end() ? empty : *found;
}

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? "" : plain(*found);
}

/// What `from` has of the first names, under the second ones.
Json copied(const Json& from, std::initializer_list<std::pair<const char*, const char*>> keys) {
  Json to = Json::object();
  for (const auto& [theirs, ours] : keys) {
    const auto found = from.find(theirs);
    if (found != from.end() && !found->is_null()) to[ours] = *found;
  }
  return to;
}

std::string by_times(const Json& values) {
  std::string text;
  for (const Json& value : values) text += (text.empty() ? "" : " × ") + plain(value);
  return text;
}

/// Tenths are enough to look at.
Json rounded(const Json& value) {
  return value.is_number() ? Json(std::round(value.get<double>() * 10) / 10) : Json("-");
}

Json wanted_tumors(const Json& tumors) {
  Json list = Json::array();
  for (const Json& tumor : tumors) {
    list.push_back(copied(tumor, {{"organ", "organ"},
                                  {"position", "position"},
                                  {"count", "count"},
                                  {"size_mm", "mm"},
                                  {"stage", "stage"}}));
  }
  return list;
}

Json gates_of(const Json& record) {
  Json list = Json::array();
  for (const Json& gate : at_or_empty(record, "gates")) {
    list.push_back({{"name", text_at(gate, "name")},
                    {"wanted", text_at(gate, "wanted")},
                    {"measured", text_at(gate, "measured")},
                    {"passed", gate.value("passed", false)}});
  }
  return list;
}

Json found_tumors(const Json& record) {
  Json list = Json::array();
  for (const Json& tumor : at_or_empty(record, "tumors_found")) {
    Json found = copied(tumor, {{"organ", "organ"}, {"position", "position"}});
    found["mm"] = rounded(at_or_empty(tumor, "diameter_mm"));
    found["ml"] = rounded(at_or_empty(tumor, "volume_ml"));
    list.push_back(std::move(found));
  }
  return list;
}

Json files_of(const Json& record) {
  Json names = {"prompt.json"};
  for (const auto& file : at_or_empty(record, "files").items()) names.push_back(file.key());
  return names;
}

/// What the script of the page needs of a case.
Json entry_of(const PageCase& page_case) {
  const Json& record = page_case.record;
  const Json& prompt = at_or_empty(record, "prompt");
  Json entry = {{"id", text_at(record, "id")}, {"text", text_at(record, "text")}};
  entry.update(
      copied(prompt, {{"sex", "sex"}, {"age", "age"}, {"race", "race"}, {"contrast", "contrast"}}));
  const auto tumors = prompt.find("tumors");
  if (tumors != prompt.end()) entry["want"] = wanted_tumors(*tumors);
  entry["passed"] = record.value("gates_passed", false);
  entry["gates"] = gates_of(record);
  entry["found"] = found_tumors(record);
  entry["size"] = by_times(at_or_empty(record, "size"));
  entry["spacing"] = by_times(at_or_empty(record, "spacing_mm"));
  entry["seed"] = text_at(record, "seed");  // as text: JavaScript rounds above 2^53
  entry["attempts"] = record.value("attempts", 1);
  entry["files"] = files_of(record);
  entry["picture"] = {page_case.picture_width, page_case.picture_height};
  return entry;
}

/// JSON that may stand in a <script>: no text in it can end the element or open a comment.
std::string for_script(const Json& value) {
  std::string text;
  for (const char c : value.dump()) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

std::string page_digest(const std::vector<Json>& records) {
  std::string text;
  for (Json record : records) {
    record.erase("seconds");
    text += record.dump() + "\n";
  }
  return sha256_hex(text);
}

std::string render_page(const std::vector<PageCase>& cases, const std::string& title) {
  std::vector<Json> records;
  std::string entries;  // one a line, so that a page can be compared with another
  for (const PageCase& page_case : cases) {
    records.push_back(page_case.record);
    entries += (entries.empty() ? "" : ",\n") + for_script(entry_of(page_case));
  }
  // Nothing may be fetched but the pictures beside the page, whatever is in the texts.
  const std::string head =
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "img-src 'self' file:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
      "<meta name=\"guidegen-batch\" content=\"" +
      page_digest(records) + "\">\n";
  const std::string body =
      "<header><h1>" + escape_html(title) + "</h1>" + kPageControls +
      "</header>\n<main></main>\n<footer><p id=\"none\" hidden>No case fits the filters.</p>"
      "<button id=\"more\" hidden>Show more</button></footer>\n"
      "<script type=\"application/json\" id=\"cases\">[\n" +
      entries + "]</script>\n<script>" + kPageScript + "</script>\n";
  return html_page(title, kPageStyle, head, body);
}

}  // namespace guidegen
