#include "guidegen/text/text_corpus.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "guidegen/core/error.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/core/resources.hpp"

namespace guidegen {

namespace {

template <typename T>
const T& pick(const std::vector<T>& from, RandomStream& stream) {
  return from[static_cast<size_t>(stream.integer(static_cast<int64_t>(from.size())))];
}

std::vector<std::string> split(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (;;) {
    const size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == text.npos) return parts;
    begin = end + separator.size();
  }
}

std::string joined(const std::vector<std::string>& parts, const std::string& separator) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) text += (i > 0 ? separator : "") + parts[i];
  return text;
}

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

std::string in_case(std::string text, int (*change)(int)) {
  for (auto& c : text) c = static_cast<char>(change(static_cast<unsigned char>(c)));
  return text;
}

// One slip of the keys in a word: a letter doubled, lost, exchanged with the next or replaced.
std::string misspelled(std::string word, RandomStream& stream) {
  // Short words and numbers would become other ones.
  if (word.size() < 5 || !std::all_of(word.begin(), word.end(), is_letter)) return word;
  const auto at = static_cast<size_t>(1 + stream.integer(static_cast<int64_t>(word.size()) - 2));
  switch (stream.integer(4)) {
    case 0:
      word.insert(at, 1, word[at]);
      break;
    case 1:
      word.erase(at, 1);
      break;
    case 2:
      std::swap(word[at], word[at + 1]);
      break;
    default:
      word[at] = static_cast<char>('a' + stream.integer(26));
  }
  return word;
}

// Sentences in another order; the words of each stay together.
std::string reordered(const std::string& text, RandomStream& stream) {
  std::string body = text;
  const bool full_stop = !body.empty() && body.back() == '.';
  if (full_stop) body.pop_back();
  auto parts = split(body, full_stop ? ". " : ", ");
  for (size_t i = parts.size(); i > 1; --i) {
    std::swap(parts[i - 1], parts[static_cast<size_t>(stream.integer(static_cast<int64_t>(i)))]);
  }
  return full_stop ? joined(parts, ". ") + "." : joined(parts, ", ");
}

}  // namespace

TextCorpus::TextCorpus(uint64_t seed) : seed_(seed) {
  const std::string name = "text/wording.json";
  const Json document = parse_json(resource(name), name);
  JsonObject root(document, name);
  openings_ = root.texts("openings");
  closings_ = root.texts("closings");
  JsonObject swaps = root.object("swaps");
  for (const auto& [word, others] : swaps.value().items()) swaps_[word] = swaps.texts(word);
  root.finish();
}

std::string TextCorpus::reword(const std::string& text, RandomStream& stream) const {
  const double swapping = stream.uniform(0.0, 0.6);
  const double slipping = stream.flip(0.4) ? 0.08 : 0.0;
  auto words = split(text, " ");
  for (auto& word : words) {
    // Punctuation and the hyphens of "62-year-old" stay around what is swapped.
    const auto number = std::find_if(word.begin(), word.end(), is_letter) - word.begin();
    size_t end = word.size();
    while (end > 0 && std::string_view(".,;:)").find(word[end - 1]) != std::string_view::npos) {
      if (word[end - 1] == ')' && word.find("(s)") != word.npos) break;
      --end;
    }
    const auto begin = std::min(static_cast<size_t>(number), end);
    std::string core = word.substr(begin, end - begin);
    const auto found = swaps_.find(in_case(core, std::tolower));
    if (found != swaps_.end() && stream.flip(swapping)) {
      core = pick(found->second, stream);
    } else if (stream.flip(slipping)) {
      core = misspelled(core, stream);
    }
    word = word.substr(0, begin) + core + word.substr(end);
  }
  return joined(words, " ");
}

CorpusText TextCorpus::text(std::string_view part, int64_t index) const {
  RandomStream stream(seed_, concat("text-", index), concat("corpus/", part));
  CorpusText out;
  out.prompt = random_prompt(stream);
  std::string text = describe(out.prompt, static_cast<int>(stream.integer(kPhrasingCount)));
  // The phrasings do not mention it, but for the structured one.
  if (out.prompt.race == Race::kOther) out.prompt.race.reset();
  if (stream.flip(0.2)) text = reordered(text, stream);
  if (stream.flip(0.6)) text = reword(text, stream);
  if (stream.flip(0.15)) text = pick(openings_, stream) + text;
  if (stream.flip(0.15)) text += pick(closings_, stream);
  switch (stream.integer(10)) {
    case 0:
      text = in_case(text, std::tolower);
      break;
    case 1:
      text = in_case(text, std::toupper);
      break;
    default:
      break;
  }
  out.text = text;
  return out;
}

}  // namespace guidegen
