#include "cli/print.hpp"

#include <algorithm>
#include <cstdio>
#include <iomanip>
#include <iostream>

#include "guidegen/core/error.hpp"

namespace guidegen {

void print_text(const std::string& text) {
  std::cout << text << std::flush;
  if (!std::cout) throw_failure("stdout: the output cannot be written");
}

void print_json(const Json& value) { print_text(dump_json(value)); }

std::string format_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string format_size(const std::array<int64_t, 3>& size) {
  return concat(size[0], " x ", size[1], " x ", size[2]);
}

std::string format_numbers(const std::array<double, 3>& values) {
  std::ostringstream out;
  out << std::setprecision(4) << values[0] << " x " << values[1] << " x " << values[2];
  return out.str();
}

std::string format_fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

namespace {

std::string cell(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "-";
  if (value.is_number_float()) {
    std::ostringstream out;
    out << std::setprecision(6) << value.get<double>();
    return out.str();
  }
  if (!value.is_array()) return value.dump();
  std::string text;
  for (const Json& item : value) text += (text.empty() ? "" : ", ") + cell(item);
  return text;
}

bool is_table(const Json& value) {
  return value.is_array() && !value.empty() && value.front().is_object();
}

std::string object_table(const Json& rows) {
  std::vector<std::string> keys;
  for (const Json& row : rows) {
    for (const auto& item : row.items()) {
      if (std::find(keys.begin(), keys.end(), item.key()) == keys.end()) keys.push_back(item.key());
    }
  }
  std::vector<std::vector<std::string>> cells = {keys};
  for (const Json& row : rows) {
    std::vector<std::string> line;
    for (const std::string& key : keys) line.push_back(row.contains(key) ? cell(row[key]) : "");
    cells.push_back(std::move(line));
  }
  return format_table(cells);
}

std::string indented(const std::string& text) {
  std::istringstream lines(text);
  std::string line, out;
  while (std::getline(lines, line)) out += "  " + line + "\n";
  return out;
}

}  // namespace

std::string format_document(const Json& document) {
  std::string text;
  for (const auto& item : document.items()) {
    const Json& value = item.value();
    if (is_table(value)) {
      text += item.key() + ":\n" + indented(object_table(value));
    } else if (value.is_object() && !value.empty()) {
      text += item.key() + ":\n" + indented(format_document(value));
    } else {
      text += item.key() + ": " + cell(value) + "\n";
    }
  }
  return text;
}

}  // namespace guidegen
