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

}  // namespace guidegen
