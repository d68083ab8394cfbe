#include "prompt/language/language_file.hpp"

#include <utility>

#include "guidegen/core/error.hpp"
#include "guidegen/core/json.hpp"
#include "prompt/language/phrase_templates.hpp"

namespace guidegen::language {
namespace {

/// Fills a Language from the sections of its file.
class Loader {
 public:
  Loader(const Json& document, const std::string& source)
      : root_(document, source), source_(source) {}

  Language run() {
    language_.code = root_.text("language");
    language_.name = root_.text("name");
    words();
    numbers();
    person();
    places();
    tumors();
    grammar();
    scopes();
    root_.finish();
    return std::move(language_);
  }

 private:
  void add(JsonObject& object, const std::string& key, Meaning meaning) {
    if (!object.has(key)) return;
    meaning.key = object.path_of(key);
    for (const std::string& phrase : object.texts(key)) {
      for (const std::string& one : expand_template(phrase)) {
        language_.lexicon.add(one, meaning, source_);
      }
    }
  }

  void add(const std::string& key, Kind kind) { add(root_, key, of_kind(kind)); }

  static Meaning of_kind(Kind kind, const std::string& value = "") {
    Meaning meaning;
    meaning.kind = kind;
    meaning.value = value;
    return meaning;
  }

  /// {"value": [phrases]} where the values are names of a prompt.
  void named(const std::string& key, Kind kind, const std::vector<std::string>& names) {
    if (!root_.has(key)) return;
    JsonObject object = root_.object(key);
    for (const std::string& name : names) add(object, name, of_kind(kind, name));
    object.finish();
  }

  std::vector<std::string> list(const std::string& key) {
    return root_.has(key) ? root_.texts(key) : std::vector<std::string>();
  }

  std::map<std::string, double> table(const std::string& key, double low, double high) {
    std::map<std::string, double> values;
    if (!root_.has(key)) return values;
    JsonObject object = root_.object(key);
    for (const auto& [word, value] : object.value().items()) {
      values.emplace(folded(word), object.number(word, low, high));
    }
    object.finish();
    return values;
  }

  static std::string folded(const std::string& word) {
    std::string text;
    for (const Token& token : tokenize(word)) text += token.text;
    return text;
  }

  std::vector<std::string> folded_list(const std::string& key) {
    std::vector<std::string> words = list(key);
    for (std::string& word : words) word = folded(word);
    return words;
  }

  void words() {
    language_.detect = folded_list("detect");
    for (const std::string& word : language_.detect) language_.lexicon.add_known_word(word);
    for (const std::string& word : list("common_words")) language_.lexicon.add_known_word(word);
    language_.abbreviations = folded_list("abbreviations");
    language_.compounds = root_.boolean("compounds", false);
    language_.matcher_threshold =
        root_.number("matcher_threshold", 0, 1, language_.matcher_threshold);
    if (!root_.has("misspellings")) return;
    JsonObject object = root_.object("misspellings");
    for (const auto& [wrong, right] : object.value().items()) {
      language_.lexicon.add_correction(folded(wrong), folded(object.text(wrong)));
    }
    object.finish();
  }

  void numbers() {
    language_.number_words = table("numbers", 0, 1000);
    language_.multipliers = table("number_multipliers", 2, 1000);
    language_.number_joiners = folded_list("number_joiners");
    join_ones_first(root_.text("ones_joiner", ""));
    language_.units = table("units", 0.001, 10000);
    language_.by = folded_list("by");
    language_.between = folded_list("between");
    language_.to = folded_list("to");
    language_.and_words = folded_list("and");
    language_.stage_before = folded_list("stage_before");
    language_.stage_after = folded_list("stage_after");
    for (const auto& [word, value] : language_.number_words) {
      language_.lexicon.add_number_word(word);
    }
    valued("sizes", Kind::kSize, 3, 150);
    language_.from = folded_list("from");
    language_.numbered = folded_list("numbered");
    add("size_phrases", Kind::kSize);
  }

  /// "zweiundsechzig" of "zwei", "und" and "sechzig".
  void join_ones_first(const std::string& joiner) {
    if (joiner.empty()) return;
    const std::map<std::string, double> words = language_.number_words;
    for (const auto& [one, ones] : words) {
      for (const auto& [ten, tens] : words) {
        if (ones >= 1 && ones < 10 && tens >= 20 && tens < 100) {
          language_.number_words.emplace(one + folded(joiner) + ten, ones + tens);
        }
      }
    }
  }

  /// {"number": [phrases]}.
  void valued(const std::string& key, Kind kind, double low, double high) {
    if (root_.has(key)) valued(root_.object(key), kind, low, high);
  }

  void valued(JsonObject object, Kind kind, double low, double high) {
    for (const auto& [number, phrases] : object.value().items()) {
      char* end = nullptr;
      Meaning meaning = of_kind(kind);
      meaning.number = std::strtod(number.c_str(), &end);
      if (number.empty() || *end != '\0' || !(meaning.number >= low && meaning.number <= high)) {
        object.fail(number, concat("no number from ", low, " to ", high,
                                   ", expected {\"number\": [phrases]}"));
      }
      add(object, number, meaning);
    }
    object.finish();
  }

  void person() {
    named("sex", Kind::kSex, sex_names());
    named("pronouns", Kind::kPronoun, sex_names());
    std::vector<std::string> races = race_names();
    for (const std::string& race : race_names()) {
      for (const std::string& sex : sex_names()) races.push_back(race + " " + sex);
    }
    named("race", Kind::kRace, races);
    named("contrast", Kind::kContrast, contrast_names());
    JsonObject age = root_.object("age");
    add(age, "years", of_kind(Kind::kAge, "years"));
    add(age, "months", of_kind(Kind::kAge, "months"));
    add(age, "months_alone", of_kind(Kind::kIgnored, "months"));
    for (const std::string& sex : sex_names()) {
      add(age, "years_of_" + sex, of_kind(Kind::kAge, sex));
    }
    if (age.has("words")) valued(age.object("words"), Kind::kAge, 0, 120);
    age.finish();
    add("people", Kind::kPerson);
  }

  /// {"lung left upper": [phrases]}.
  void placed(JsonObject object, Kind kind, Grammar grammar) {
    for (const auto& [words, phrases] : object.value().items()) {
      const std::optional<Place> place = parse_place(words);
      if (!place) {
        object.fail(words, "no place, expected an organ, a side, a part, or several of them");
      }
      Meaning meaning = of_kind(kind);
      meaning.place = *place;
      meaning.grammar = grammar;
      add(object, words, meaning);
    }
    object.finish();
  }

  void places() {
    placed(root_.object("places"), Kind::kPlace, Grammar::kOne);
    JsonObject object = root_.object("organ_tumors");
    for (const auto& [key, grammar] : grammars()) {
      if (object.has(key)) placed(object.object(key), Kind::kTumor, grammar);
    }
    object.finish();
  }

  static std::vector<std::pair<std::string, Grammar>> grammars() {
    return {{"one", Grammar::kOne}, {"many", Grammar::kMany}, {"disease", Grammar::kDisease}};
  }

  void tumors() {
    JsonObject object = root_.object("tumors");
    for (const auto& [key, grammar] : grammars()) {
      Meaning meaning = of_kind(Kind::kTumor);
      meaning.grammar = grammar;
      add(object, key, meaning);
    }
    object.finish();
    Meaning recurrence = of_kind(Kind::kTumor, "recurrence");
    recurrence.grammar = Grammar::kDisease;
    add(root_, "recurrences", recurrence);
    Meaning spread = of_kind(Kind::kTumor, "spread");
    spread.grammar = Grammar::kMany;
    add(root_, "spread", spread);
    Meaning origin = of_kind(Kind::kTumor, "origin");
    origin.grammar = Grammar::kDisease;
    add(root_, "origins", origin);
    add("not_tumors", Kind::kBenign);
    add(root_, "other_findings", of_kind(Kind::kBenign, "finding"));
    add("benign_qualities", Kind::kBenignQuality);
    add("no_tumors", Kind::kHealthy);
  }

  void grammar() {
    valued("counts", Kind::kCount, 0, 20);
    Meaning counted = of_kind(Kind::kCount);
    add(root_, "count_phrases", counted);
    add("each", Kind::kEach);
    Meaning one_each = of_kind(Kind::kEach);
    one_each.number = 1;
    add(root_, "one_each", one_each);
    add("articles", Kind::kArticle);
    add("definite", Kind::kDefinite);
    add("another", Kind::kAnother);
    add("one_of_them", Kind::kOneOfThem);
    add("largest", Kind::kLargest);
    add("prepositions", Kind::kPreposition);
    add(root_, "toward", of_kind(Kind::kPreposition, "toward"));
    add(root_, "metastatic", of_kind(Kind::kUnknown, "metastatic"));
    add(root_, "scans", of_kind(Kind::kUnknown, "scan"));
    add("with", Kind::kWith);
    add(root_, "with_reasons", of_kind(Kind::kWith, "reason"));
    add(root_, "copulas", of_kind(Kind::kWith, "copula"));
    add(root_, "had", of_kind(Kind::kWith, "past"));
    add("and", Kind::kAnd);
    add("near", Kind::kNear);
    add("means", Kind::kMeans);
    add("ignored", Kind::kIgnored);
    add(root_, "ago", of_kind(Kind::kIgnored, "ago"));
  }

  void scopes() {
    add("but", Kind::kBreak);
    named("emphatic", Kind::kBreak, sex_names());
    add("new", Kind::kNew);
    pair("negation", Kind::kNegation, Kind::kNegationAfter);
    pair("history", Kind::kHistory, Kind::kHistoryAfter);
    add("normal", Kind::kNormal);
    add("family", Kind::kFamily);
    named("relatives", Kind::kRelative, sex_names());
    named("elders", Kind::kElder, sex_names());
    add("own", Kind::kOwn);
    add("speaker", Kind::kSpeaker);
    add("died", Kind::kDied);
    add("procedures", Kind::kProcedure);
    if (root_.has("organ_procedures")) {
      placed(root_.object("organ_procedures"), Kind::kProcedure, Grammar::kDisease);
    }
    add("reasons", Kind::kReason);
    add("planned", Kind::kPlanned);
    add("sought", Kind::kSought);
  }

  void pair(const std::string& key, Kind before, Kind after) {
    if (!root_.has(key)) return;
    JsonObject object = root_.object(key);
    add(object, "before", of_kind(before));
    add(object, "after", of_kind(after));
    object.finish();
  }

  JsonObject root_;
  std::string source_;
  Language language_;
};

}  // namespace

Language parse_language(std::string_view json, const std::string& source) {
  const Json document = parse_json(json, source);
  return Loader(document, source).run();
}

}  // namespace guidegen::language
