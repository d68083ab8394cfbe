#include "guidegen/prompt/free_text.hpp"

#include <algorithm>
#include <map>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/resources.hpp"
#include "prompt/language/groups.hpp"
#include "prompt/language/origins.hpp"
#include "prompt/language/person.hpp"
#include "prompt/language/relatives.hpp"
#include "prompt/language/scopes.hpp"
#include "prompt/language/tallies.hpp"

namespace guidegen {
namespace {

using language::Group;
using language::Item;
using language::Kind;
using language::Language;
using language::Rejected;
using language::Said;
using language::Span;

/// Fills an Understanding from what was read.
class Answer {
 public:
  explicit Answer(std::string_view text) : text_(text) {}

  Understanding run(const std::vector<Item>& items) {
    person(language::person_of(items));
    tumors(language::groups_of(language::mentions_of(items)), items);
    const auto by_place = [](const auto& a, const auto& b) { return a.begin < b.begin; };
    std::stable_sort(out_.unused.begin(), out_.unused.end(), by_place);
    return std::move(out_);
  }

 private:
  std::string words(Span span) const {
    return std::string(text_.substr(span.begin, span.end - span.begin));
  }

  void find(const std::string& field, const std::string& value, Span span) {
    out_.findings.push_back({field, value, span.begin, span.end, words(span)});
  }

  void reject(const std::vector<Rejected>& all) {
    for (const Rejected& one : all) {
      out_.unused.push_back({one.span.begin, one.span.end, words(one.span), one.reason});
    }
  }

  template <typename T>
  void named(const std::string& field, const std::optional<Said<T>>& said,
             std::optional<T>& target) {
    if (!said) return;
    target = said->value;
    find(field, name_of(said->value), said->span);
  }

  void person(const language::Person& person) {
    named("sex", person.sex, out_.prompt.sex);
    if (person.age) {
      out_.prompt.age = person.age->value;
      find("age", std::to_string(person.age->value), person.age->span);
    }
    named("race", person.race, out_.prompt.race);
    named("contrast", person.contrast, out_.prompt.contrast);
    reject(person.rejected);
  }

  void tumors(const language::Groups& groups, const std::vector<Item>& items) {
    reject(groups.rejected);
    const auto healthy = std::find_if(items.begin(), items.end(), [](const Item& item) {
      return item.kind == Kind::kHealthy && !item.family && !item.past && !item.negated;
    });
    if (!groups.groups.empty()) {
      out_.prompt.tumors.emplace();
      for (const Group& group : groups.groups) tumor(group);
    } else if (healthy != items.end()) {
      no_tumors({healthy->begin, healthy->end});
    } else if (groups.denied) {
      no_tumors(groups.rejected.front().span);
    } else if (const auto normal = language::normal_scan(items)) {
      no_tumors({items[*normal].begin, items[*normal].end});
    }
  }

  void no_tumors(Span span) {
    out_.prompt.tumors.emplace();
    find("tumors", "none", span);
  }

  void tumor(const Group& group) {
    const std::string path = concat("tumors[", out_.prompt.tumors->size(), "].");
    TumorRequest request;
    request.organ = group.organ;
    find(path + "organ", name_of(group.organ), group.organ_span);
    named(path + "position", group.position, request.position);
    if (group.count) {
      request.count = group.count->value;
      find(path + "count", std::to_string(group.count->value), group.count->span);
    }
    if (group.size_mm) {
      request.size_mm = group.size_mm->value;
      find(path + "size_mm", concat(group.size_mm->value), group.size_mm->span);
    }
    if (group.stage) {
      request.stage = group.stage->value;
      find(path + "stage", group.stage->value, group.stage->span);
    }
    out_.prompt.tumors->push_back(request);
  }

  std::string_view text_;
  Understanding out_;
};

void tell_similarities(const std::vector<Item>& items, std::vector<Finding>& findings) {
  for (const Item& item : items) {
    if (!item.similarity) continue;
    for (Finding& one : findings) {
      if (item.begin < one.end && one.begin < item.end) one.similarity = item.similarity;
    }
  }
}

Understanding understand(std::string_view text, const Language& language,
                         const TermMatcher& matcher) {
  std::vector<Item> items = language::items_of(text, language, matcher);
  language::resolve_relatives(items);
  language::read_origins(items);
  language::read_metastatic(items);
  language::read_tallies(items);
  language::read_both(items);
  language::mark_scopes(items);
  Understanding understanding = Answer(text).run(items);
  tell_similarities(items, understanding.findings);
  understanding.language = language.code;
  return understanding;
}

}  // namespace

struct TextReader::Languages {
  std::map<std::string, Language> by_code;

  void add(std::string_view json, const std::string& source) {
    Language language = language::parse_language(json, source);
    const std::string code = language.code;
    if (!by_code.emplace(code, std::move(language)).second) {
      throw_usage(source, ": language: '", code, "' has another file, expected each language once");
    }
  }

  /// The language that knows most of the words; English where none knows more.
  const Language& detected(std::string_view text) const {
    const std::vector<language::Token> tokens = language::tokenize(text);
    const Language* best = nullptr;
    size_t most = 0;
    for (const auto& [code, language] : by_code) {
      const auto known = [&](const language::Token& token) -> size_t {
        if (token.type != language::Token::Type::kWord) return 0;
        const auto& words = language.detect;
        const bool telling = std::find(words.begin(), words.end(), token.text) != words.end();
        const bool compound = language.compounds && !language.lexicon.knows_word(token.text) &&
                              !language.lexicon.parts_of_compound(token.text).empty();
        const bool whole = language.lexicon.knows_word(token.text);
        return (telling ? 1U : 0U) + (whole ? 2U : 0U) + (compound ? 3U : 0U);
      };
      size_t score = 0;
      for (const language::Token& token : tokens) score += known(token);
      const bool first = best == nullptr || (score == most && code == "en");
      if (first || score > most) {
        best = &language;
        most = score;
      }
    }
    return *best;
  }
};

TextReader::TextReader(std::unique_ptr<Languages> languages) : languages_(std::move(languages)) {
  if (languages_->by_code.empty()) throw_usage("no language files, expected at least one");
}
TextReader::TextReader(TextReader&&) noexcept = default;
TextReader& TextReader::operator=(TextReader&&) noexcept = default;
TextReader::~TextReader() = default;

const TextReader& TextReader::shipped() {
  static const TextReader reader = [] {
    auto languages = std::make_unique<Languages>();
    for (const std::string& name : resource_names()) {
      if (name.starts_with("language/")) languages->add(resource(name), "configs/" + name);
    }
    return TextReader(std::move(languages));
  }();
  return reader;
}

TextReader TextReader::load(const std::filesystem::path& folder) {
  std::error_code error;
  auto languages = std::make_unique<Languages>();
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".json") continue;
    constexpr uint64_t kMaxBytes = uint64_t{16} << 20;
    languages->add(read_file(entry.path(), kMaxBytes), entry.path().string());
  }
  if (error) throw_failure(folder.string(), ": ", error.message());
  return TextReader(std::move(languages));
}

std::vector<std::string> TextReader::languages() const {
  std::vector<std::string> codes;
  for (const auto& [code, language] : languages_->by_code) codes.push_back(code);
  return codes;
}

Understanding TextReader::read(std::string_view text, std::string_view language,
                               const TermMatcher& matcher) const {
  const auto chosen = languages_->by_code.find(std::string(language));
  if (language != "auto" && chosen == languages_->by_code.end()) {
    std::string known = "auto";
    for (const std::string& code : languages()) known += ", " + code;
    throw_usage("language '", language, "' is not known, expected one of ", known);
  }
  const Language& used = language == "auto" ? languages_->detected(text) : chosen->second;
  // Quotes of JSON are none of inches: {"size_mm": 12}. The bytes stay where they are.
  std::string unquoted(text);
  if (text.find("\":") != std::string_view::npos) {
    std::replace(unquoted.begin(), unquoted.end(), '"', ' ');
  }
  Understanding understanding = understand(unquoted, used, {});
  // Guesses fill gaps only: where tumors were understood, a "hepatologist" must not add a liver.
  if (!matcher || understanding.prompt.tumors) return understanding;
  Understanding guessed = understand(unquoted, used, matcher);
  const auto& tumors = guessed.prompt.tumors;
  return tumors && !tumors->empty() ? guessed : understanding;
}

Json to_json(const Understanding& understanding) {
  Json findings = Json::array();
  for (const Finding& one : understanding.findings) {
    findings.push_back({{"field", one.field},
                        {"value", one.value},
                        {"begin", one.begin},
                        {"end", one.end},
                        {"words", language::valid_utf8(one.words)}});
    if (!one.similarity) continue;
    findings.back()["similarity"] = one.similarity->cosine;
    findings.back()["term"] = one.similarity->term;
  }
  Json unused = Json::array();
  for (const Unused& one : understanding.unused) {
    unused.push_back({{"begin", one.begin},
                      {"end", one.end},
                      {"words", language::valid_utf8(one.words)},
                      {"reason", one.reason}});
  }
  return {{"prompt", to_json(understanding.prompt)},
          {"findings", std::move(findings)},
          {"unused", std::move(unused)},
          {"language", understanding.language}};
}

}  // namespace guidegen
