#include <algorithm>

#include "guidegen/core/error.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/prompt/free_text.hpp"

namespace guidegen {
namespace {

std::string in_words(Sex value) { return name_of(value); }
std::string in_words(Race value) { return name_of(value); }
std::string in_words(ContrastPhase value) { return name_of(value); }
std::string in_words(int value) { return std::to_string(value); }
std::string in_words(const std::vector<TumorRequest>& tumors) {
  Prompt prompt;
  prompt.tumors = tumors;
  return to_json(prompt)["tumors"].dump();
}

template <typename T>
void resolve(const std::string& field, const std::optional<T>& said, std::optional<T>& explicit_one,
             std::vector<std::string>& contradictions) {
  if (!said) return;
  if (!explicit_one) {
    explicit_one = said;
  } else if (*explicit_one != *said) {
    contradictions.push_back(concat(field, ": the text says ", in_words(*said), ", the field ",
                                    in_words(*explicit_one)));
  }
}

/// What the text leaves open contradicts nothing: "kidney tumor" and {"organ": "kidney", "count":
/// 2}.
bool says_the_same(const TumorRequest& text, const TumorRequest& field) {
  return text.organ == field.organ && (!text.position || text.position == field.position) &&
         (!text.count || text.count == field.count) &&
         (!text.size_mm || text.size_mm == field.size_mm) &&
         (!text.stage || text.stage == field.stage);
}

void resolve_tumors(const std::optional<std::vector<TumorRequest>>& said, Prompt& prompt,
                    std::vector<std::string>& contradictions) {
  const bool covered =
      said && prompt.tumors && said->size() == prompt.tumors->size() &&
      std::equal(said->begin(), said->end(), prompt.tumors->begin(), says_the_same);
  if (!covered) resolve("tumors", said, prompt.tumors, contradictions);
}

bool says_nothing(const Understanding& understanding) {
  return understanding.findings.empty() && understanding.unused.empty();
}

}  // namespace

Resolved resolve_text(const Prompt& prompt, const TextReader& reader, std::string_view language,
                      const TermMatcher& matcher) {
  Resolved resolved;
  resolved.prompt = prompt;
  if (!prompt.text) return resolved;
  resolved.understanding = reader.read(*prompt.text, language, matcher);
  const Prompt& said = resolved.understanding.prompt;
  std::vector<std::string>& contradictions = resolved.contradictions;
  resolve("sex", said.sex, resolved.prompt.sex, contradictions);
  resolve("age", said.age, resolved.prompt.age, contradictions);
  resolve("race", said.race, resolved.prompt.race, contradictions);
  resolve("contrast", said.contrast, resolved.prompt.contrast, contradictions);
  resolve_tumors(said.tumors, resolved.prompt, contradictions);
  return resolved;
}

std::vector<Prompt> resolve_texts(const std::vector<Prompt>& prompts, const std::string& source,
                                  const TextReader& reader, const TermMatcher& matcher,
                                  Contradictions* contradictions) {
  std::vector<Prompt> all;
  for (const Prompt& prompt : prompts) {
    Resolved resolved = resolve_text(prompt, reader, "auto", matcher);
    const std::string place = concat(source, ": ", prompt.id, ": ");
    for (const std::string& contradiction : resolved.contradictions) {
      log_warning(place + contradiction);
    }
    if (!resolved.contradictions.empty()) {
      resolved.prompt.text.reset();
      resolved.prompt.text = describe(resolved.prompt, 0);
      if (contradictions != nullptr) (*contradictions)[prompt.id] = resolved.contradictions;
    }
    for (const Finding& one : resolved.understanding.findings) {
      if (!one.similarity) continue;
      log_info(concat(place, one.field, ": '", one.words, "' was taken for '", one.similarity->term,
                      "', similarity ", one.similarity->cosine));
    }
    if (prompt.text && says_nothing(resolved.understanding)) {
      log_warning(place + "nothing in the text was understood");
    }
    all.push_back(std::move(resolved.prompt));
  }
  return all;
}

std::vector<Prompt> read_resolved(const std::filesystem::path& path, const TermMatcher& matcher,
                                  Contradictions* contradictions) {
  return resolve_texts(read_prompts(path), path.string(), TextReader::shipped(), matcher,
                       contradictions);
}

}  // namespace guidegen
