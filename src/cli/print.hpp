#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "guidegen/core/json.hpp"

namespace guidegen {

/// Text on stdout, flushed. Throws Error(kFailure) when stdout can't take it (a full disk, a closed
/// pipe).
void print_text(const std::string& text);
/// One JSON document on stdout.
void print_json(const Json& value);

/// Columns padded to their widest cell, two spaces between; the first row is the head.
std::string format_table(const std::vector<std::vector<std::string>>& rows);

/// A JSON object for people: one "key: value" line a field, lists of objects as tables, inner
/// objects indented.
std::string format_document(const Json& document);

/// "64 x 64 x 80".
std::string format_size(const std::array<int64_t, 3>& size);
/// "1.5 x 1.5 x 3", four digits at most.
std::string format_numbers(const std::array<double, 3>& values);
/// `digits` after the point.
std::string format_fixed(double value, int digits);

}  // namespace guidegen
