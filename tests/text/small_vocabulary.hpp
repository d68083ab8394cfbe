#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "guidegen/core/files.hpp"

namespace guidegen {

inline std::string utf8_of(char32_t c) {
  const auto byte = [](char32_t bits) { return static_cast<char>(bits); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xC0 | c >> 6), byte(0x80 | (c & 0x3F))};
  if (c < 0x10000) {
    return {byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F))};
  }
  return {byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 0x3F)), byte(0x80 | (c >> 6 & 0x3F)),
          byte(0x80 | (c & 0x3F))};
}

/// Writes vocab.txt with some words, their parts, and single characters of many scripts, so that
/// most texts become pieces and some words stay unknown.
inline void write_small_vocabulary(const std::filesystem::path& folder) {
  std::string lines = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  std::set<std::string> there;
  const auto add = [&](const std::string& piece) {
    if (there.insert(piece).second) lines += piece + "\n";
  };
  for (const char* piece :
       {"tumor", "##tumor", "##s",   "kid",   "##ney", "le",   "##ft",    "the",   "##ing",
        "##en",  "man",     "wo",    "##man", "year",  "old",  "im",      "colon", "größ",
        "gro",   "##ter",   "hepat", "##o",   "хо",    "##ль", "ᄒ",      "##ᅡ",  "##ᆫ",
        "한",    "##한",    "が",    "を",    "ｃｍ",  "ﬁ",    "strasse", "straße"}) {
    add(piece);
  }
  constexpr std::pair<char32_t, char32_t> kRanges[] = {
      {0x21, 0x7E},       {0xA1, 0x24F},      {0x391, 0x3C9},   {0x400, 0x45F},   {0x5D0, 0x5EA},
      {0x620, 0x64A},     {0x905, 0x94D},     {0xE01, 0xE3A},   {0x1100, 0x1175}, {0x11A8, 0x11C2},
      {0x2010, 0x2027},   {0x3041, 0x30FA},   {0x4E00, 0x4E40}, {0x5C81, 0x5C81}, {0xFF01, 0xFF5E},
      {0x20000, 0x20010}, {0x1F600, 0x1F620}, {0x300, 0x308},   {0x10D0, 0x10F0}};
  for (const auto& [first, last] : kRanges) {
    for (char32_t c = first; c <= last; ++c) {
      add(utf8_of(c));
      if (c % 5 != 0) add("##" + utf8_of(c));
    }
  }
  write_file_atomic(folder / "vocab.txt", lines);
}

}  // namespace guidegen
