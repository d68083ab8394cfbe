#include "cli/prompt_text.hpp"

#include <algorithm>

#include "cli/print.hpp"
#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

std::string span(size_t begin, size_t end) { return concat("[", begin, ",", end, ")"); }

std::string findings_table(const Understanding& understanding) {
  if (understanding.findings.empty()) return "nothing was understood\n";
  const auto& findings = understanding.findings;
  const bool similar = std::any_of(findings.begin(), findings.end(),
                                   [](const Finding& one) { return one.similarity.has_value(); });
  std::vector<std::vector<std::string>> rows = {{"field", "value", "span", "words"}};
  if (similar) rows.front().insert(rows.front().end(), {"similarity", "to the term"});
  for (const Finding& one : findings) {
    rows.push_back({one.field, one.value, span(one.begin, one.end), one.words});
    if (!similar) continue;
    rows.back().push_back(one.similarity ? format_fixed(one.similarity->cosine, 2) : "");
    rows.back().push_back(one.similarity ? one.similarity->term : "");
  }
  return format_table(rows);
}

std::string unused_table(const Understanding& understanding) {
  if (understanding.unused.empty()) return "";
  std::vector<std::vector<std::string>> rows = {{"not used because", "span", "words"}};
  for (const Unused& one : understanding.unused) {
    rows.push_back({one.reason, span(one.begin, one.end), one.words});
  }
  return "\n" + format_table(rows);
}

}  // namespace

void run_prompt_text(const std::string& text, const std::string& language,
                     const TermMatcher& matcher, bool json) {
  // The limits of a prompt's text hold here too.
  prompt_from_json({{"text", text}}, "TEXT");
  const Understanding understanding = TextReader::shipped().read(text, language, matcher);
  if (json) return print_json(to_json(understanding));
  print_text(concat("language: ", understanding.language, "\n\n", findings_table(understanding),
                    unused_table(understanding)));
}

}  // namespace guidegen
