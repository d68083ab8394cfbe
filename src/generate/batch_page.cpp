#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <set>

#include "generate/page_parts.hpp"
#include "guidegen/core/base64.hpp"
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

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? "" : plain(*found);
}

const Json& at_or_empty(const Json& object, const char* key) {
  static const Json empty = Json::object();
  const auto found = object.find(key);
  return found == object.end() ? empty : *found;
}

std::string attribute(const char* name, const std::string& value) {
  return std::string(" data-") + name + "=\"" + escape_html(value) + "\"";
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// Organs that the prompt asks tumors in, for the filter; "none" when it asks for no tumor.
std::string wanted_organs(const Json& prompt) {
  const auto tumors = prompt.find("tumors");
  if (tumors == prompt.end()) return "";
  if (tumors->empty()) return "none";
  std::set<std::string> organs;
  for (const Json& tumor : *tumors) organs.insert(text_at(tumor, "organ"));
  std::string text;
  for (const std::string& organ : organs) text += (text.empty() ? "" : " ") + organ;
  return text;
}

std::string tumor_words(const Json& tumor) {
  std::string text = tumor.contains("count") ? text_at(tumor, "count") + " × " : "";
  if (tumor.contains("position")) text += text_at(tumor, "position") + " ";
  text += text_at(tumor, "organ") + " tumor";
  if (tumor.contains("size_mm")) text += ", " + text_at(tumor, "size_mm") + " mm";
  if (tumor.contains("stage")) text += ", " + text_at(tumor, "stage");
  return text;
}

std::string chips(const Json& prompt) {
  std::string html = "<ul class=\"chips\">";
  const auto chip = [&html](const std::string& text) {
    if (!text.empty()) html += "<li>" + escape_html(text) + "</li>";
  };
  chip(text_at(prompt, "sex"));
  if (prompt.contains("age")) chip(text_at(prompt, "age") + " years");
  chip(text_at(prompt, "race"));
  if (prompt.contains("contrast")) chip("contrast: " + text_at(prompt, "contrast"));
  if (const auto tumors = prompt.find("tumors"); tumors != prompt.end()) {
    if (tumors->empty()) chip("no tumor");
    for (const Json& tumor : *tumors) chip(tumor_words(tumor));
  }
  return html + "</ul>";
}

std::string mark(bool passed) {
  return passed ? "<span class=\"mark good\">passed</span>"
                : "<span class=\"mark bad\">failed</span>";
}

std::string gate_table(const Json& gates) {
  if (gates.empty()) return "<p class=\"facts\">The prompt leaves everything open.</p>";
  std::string html = "<table><tr><th>Gate<th>Wanted<th>Measured<th></tr>";
  for (const Json& gate : gates) {
    html += "<tr><td>" + escape_html(text_at(gate, "name")) + "<td>" +
            escape_html(text_at(gate, "wanted")) + "<td>" + escape_html(text_at(gate, "measured")) +
            "<td>" + mark(gate.value("passed", false)) + "</tr>";
  }
  return html + "</table>";
}

std::string tumor_table(const Json& tumors) {
  if (tumors.empty()) return "<p class=\"facts\">No tumor in the mask.</p>";
  std::string html = "<table><tr><th>Tumor found in<th>Position<th>Diameter<th>Volume</tr>";
  for (const Json& tumor : tumors) {
    const auto cell = [&](const char* key) { return escape_html(plain(tumor.value(key, Json()))); };
    html += "<tr><td>" + cell("organ") + "<td>" + cell("position") + "<td>" + cell("diameter_mm") +
            " mm<td>" + cell("volume_ml") + " ml</tr>";
  }
  return html + "</table>";
}

std::string by_times(const Json& values) {
  std::string text;
  for (const Json& value : values) text += (text.empty() ? "" : " × ") + plain(value);
  return text;
}

std::string render_card(const PageCase& page_case) {
  const Json& record = page_case.record;
  const Json& prompt = at_or_empty(record, "prompt");
  const std::string id = text_at(record, "id");
  const std::string text = text_at(record, "text");
  const bool passed = record.value("gates_passed", false);
  std::string html = "<article" + attribute("text", lower(id + " " + text)) +
                     attribute("organ", wanted_organs(prompt)) +
                     attribute("sex", text_at(prompt, "sex")) +
                     attribute("contrast", text_at(prompt, "contrast")) +
                     attribute("gates", passed ? "passed" : "failed") + ">\n";
  html += "<img alt=\"CT and mask of " + escape_html(id) + "\" src=\"data:image/png;base64," +
          base64(page_case.png) + "\">\n";
  html += "<div class=\"body\"><h2>" + escape_html(id) + mark(passed) +
          "</h2>\n<p class=\"text\">" + escape_html(text) + "</p>\n" + chips(prompt) + "\n";
  html += "<details><summary>Gates and tumors</summary>" +
          gate_table(at_or_empty(record, "gates")) +
          tumor_table(at_or_empty(record, "tumors_found")) + "</details>\n";
  html += "<p class=\"facts\">" + by_times(at_or_empty(record, "size")) + " voxels of " +
          by_times(at_or_empty(record, "spacing_mm")) + " mm, seed " + text_at(record, "seed") +
          ", attempts " + text_at(record, "attempts");
  for (const char* file : {"mask.nii.gz", "ct.nii.gz", "prompt.json"}) {
    html += ", <a href=\"" + escape_html(id) + "/" + file + "\">" + file + "</a>";
  }
  return html + "</p></div></article>\n";
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
  for (const PageCase& page_case : cases) records.push_back(page_case.record);
  const std::string head =
      "<meta name=\"guidegen-batch\" content=\"" + page_digest(records) + "\">\n";
  std::string body =
      "<header><h1>" + escape_html(title) + "</h1>" + kPageControls + "</header>\n<main>\n";
  for (const PageCase& page_case : cases) body += render_card(page_case);
  body += std::string("<p id=\"none\" hidden>No case fits the filters.</p>\n</main>\n<script>") +
          kPageScript + "</script>\n";
  return html_page(title, kPageStyle, head, body);
}

}  // namespace guidegen
