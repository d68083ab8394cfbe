#include "prompt/language/phrase_templates.hpp"

#include <algorithm>
#include <utility>

namespace guidegen::language {

std::vector<std::string> expand_template(const std::string& phrase) {
  std::vector<std::string> phrases{""};
  for (size_t at = 0; at < phrase.size();) {
    const size_t close = phrase[at] == '[' ? phrase.find(']', at) : std::string::npos;
    const size_t bar = close == std::string::npos ? close : phrase.find('|', at);
    if (close == std::string::npos || bar > close) {
      for (std::string& one : phrases) one += phrase[at];
      ++at;
      continue;
    }
    std::vector<std::string> longer;
    for (size_t from = at + 1; from <= close;) {
      const size_t to = std::min(phrase.find('|', from), close);
      for (const std::string& one : phrases) longer.push_back(one + phrase.substr(from, to - from));
      from = to + 1;
    }
    phrases = std::move(longer);
    at = close + 1;
  }
  return phrases;
}

}  // namespace guidegen::language
