#include "guidegen/core/memory_size.hpp"

#include <cctype>
#include <charconv>
#include <cmath>
#include <iomanip>
#include <map>
#include <sstream>

#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

constexpr double kMost = 4611686018427387904.0;  // 2^62

// Bytes of a unit in small letters; 0: no such unit.
double bytes_of(const std::string& unit) {
  static const std::map<std::string, double> units = {
      {"", 1},         {"b", 1},      {"k", 0x1p10},   {"kib", 0x1p10}, {"m", 0x1p20},
      {"mib", 0x1p20}, {"g", 0x1p30}, {"gib", 0x1p30}, {"t", 0x1p40},   {"tib", 0x1p40},
      {"kb", 1e3},     {"mb", 1e6},   {"gb", 1e9},     {"tb", 1e12}};
  const auto found = units.find(unit);
  return found == units.end() ? 0 : found->second;
}

}  // namespace

int64_t parse_memory_size(const std::string& text, const std::string& what) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  std::string unit;
  for (const char* at = rest; at != end; ++at) {
    if (*at != ' ' || at != rest) unit += static_cast<char>(std::tolower(*at));
  }
  const double bytes = number * bytes_of(unit);
  if (problem != std::errc() || !(bytes >= 1 && bytes <= kMost)) {
    throw_usage(what, " '", text, "': expected a size such as 8GiB or 500MB");
  }
  return static_cast<int64_t>(bytes);
}

std::string format_memory_size(int64_t bytes, bool at_least) {
  constexpr double kMebibyte = 0x1p20, kGibibyte = 0x1p30;
  const auto size = static_cast<double>(bytes);
  const bool large = size >= kGibibyte;
  const double value = size / (large ? kGibibyte : kMebibyte);
  const double step = large && value < 10 ? 10 : 1;  // of tenths, or of whole ones
  const double shown = (at_least ? std::ceil(value * step) : std::round(value * step)) / step;
  std::ostringstream out;
  out << std::fixed << std::setprecision(step > 1 ? 1 : 0) << shown << (large ? " GiB" : " MiB");
  return out.str();
}

}  // namespace guidegen
