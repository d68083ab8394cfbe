#include "prompt/language/measures.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "prompt/language/stages.hpp"

namespace guidegen::language {
namespace {

using Words = std::vector<std::string>;

constexpr double kSmallestMm = 3;  // of tumors in prompts

bool contains(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_inner_mark(const std::vector<Atom>& atoms, size_t at, const char* mark) {
  return at + 1 < atoms.size() && atoms[at].kind == Kind::kMark && atoms[at].token.text == mark &&
         (atoms[at].token.glued || atoms[at + 1].token.glued);
}

/// One number of words: "sixty-two", "soixante et onze", "sesenta y dos", "六十二".
class NumberWords {
 public:
  NumberWords(const std::vector<Atom>& atoms, const Language& language)
      : atoms_(atoms), language_(language) {}

  /// One past the last word, or `at` when there is no number; `value` receives it.
  size_t read(size_t at, double& value) {
    value_ = 0;
    any_ = false;
    size_t end = at;
    for (size_t next = at; next < atoms_.size();) {
      if (add(atoms_[next].token)) {
        end = ++next;
      } else if (any_ && next == end && is_joiner(next)) {
        ++next;
      } else {
        break;
      }
    }
    value = value_;
    return end;
  }

 private:
  bool is_joiner(size_t at) const {
    // Joiners join tens and ones only: "dos y" is the end of a number.
    if (value_ < 20) return is_inner_mark(atoms_, at, "-") && value_ >= 2;
    return is_inner_mark(atoms_, at, "-") ||
           contains(language_.number_joiners, atoms_[at].token.text);
  }

  bool add(const Token& token) {
    if (token.type != Token::Type::kWord) return false;
    const auto multiplier = language_.multipliers.find(token.text);
    if (multiplier != language_.multipliers.end()) return multiply(multiplier->second);
    const auto word = language_.number_words.find(token.text);
    return word != language_.number_words.end() && append(word->second);
  }

  bool multiply(double factor) {
    if (!any_) return append(factor);
    if (value_ >= 2 && value_ <= 9) {
      value_ *= factor;
      return true;
    }
    return append(factor);
  }

  bool append(double value) {
    const bool fits = !any_ || (value_ >= 100 && std::fmod(value_, 100) == 0 && value < 100) ||
                      (value_ >= 20 && value_ < 100 && std::fmod(value_, 10) == 0 && value < 10) ||
                      (value_ >= 60 && value_ < 100 && std::fmod(value_, 20) == 0 && value < 20) ||
                      (value_ == 10 && value < 10);
    if (!fits || (any_ && value == 0)) return false;
    value_ += value;
    return any_ = true;
  }

  const std::vector<Atom>& atoms_;
  const Language& language_;
  double value_ = 0;
  bool any_ = false;
};

Atom joined(const std::vector<Atom>& atoms, size_t from, size_t to, Kind kind) {
  Atom atom = atoms[from];
  atom.kind = kind;
  atom.token.end = atoms[to - 1].token.end;
  return atom;
}

std::vector<Atom> with_numbers(const std::vector<Atom>& atoms, const Language& language) {
  std::vector<Atom> out;
  NumberWords words(atoms, language);
  for (size_t at = 0; at < atoms.size();) {
    double value = 0;
    const size_t end = words.read(at, value);
    if (end == at) {
      out.push_back(atoms[at++]);
      continue;
    }
    out.push_back(joined(atoms, at, end, Kind::kNumber));
    out.back().number = value;
    at = end;
  }
  return out;
}

/// "3 cm", "4 x 3.5 x 2 cm", "4 cm by 3 cm", "2-3 cm", "8 and 12 mm".
class SizeReader {
 public:
  SizeReader(const std::vector<Atom>& atoms, const Language& language)
      : atoms_(atoms), language_(language) {}

  /// Sizes that start at `at`, with one past the last atom of each.
  std::vector<std::pair<double, size_t>> read(size_t at) const {
    double unit = 0;
    if (const auto part = fraction(at)) return {*part};
    if (const auto one = single(at, unit)) return {*one};
    if (is_numbered(at)) return {};
    // "8 and 12 mm", "1, 2 and 3 cm": the unit is said once.
    if (!is_number(at) || at + 2 >= atoms_.size()) return {};
    if (atoms_[at].token.type != Token::Type::kNumber) return {};
    if (atoms_[at + 1].token.text == ",") {
      const auto list = comma_list(at);
      return list.empty() ? after_comma(at) : list;
    }
    if (!contains(language_.and_words, atoms_[at + 1].token.text)) return {};
    const auto second = single(at + 2, unit);
    if (!second) return {};
    const double first = atoms_[at].number * unit;
    const bool range = at > 0 && contains(language_.between, atoms_[at - 1].token.text);
    if (range) return {{(first + second->first) / 2, second->second}};
    return {{first, at + 1}, *second};
  }

 private:
  /// "1/2 inch"
  std::optional<std::pair<double, size_t>> fraction(size_t at) const {
    double unit = 0;
    const bool pair = is_number(at) && at + 3 < atoms_.size() && atoms_[at + 1].token.text == "/" &&
                      atoms_[at + 1].token.glued && is_number(at + 2) &&
                      atoms_[at].number < atoms_[at + 2].number;
    const size_t end = pair ? read_unit(at + 3, unit) : at;
    if (unit <= 0) return std::nullopt;
    return std::pair{atoms_[at].number / atoms_[at + 2].number * unit, end};
  }

  /// "12, 18, 25 mm"; fewer, or more after a comma, may be anything: "M, 63, 2, 25 mm".
  std::vector<std::pair<double, size_t>> comma_list(size_t at) const {
    constexpr size_t kMost = 8;
    std::vector<std::pair<double, size_t>> sizes;
    double unit = 0;
    if (at > 0 && atoms_[at - 1].token.text == ",") return {};
    while (sizes.size() < kMost && is_number(at) && at + 1 < atoms_.size()) {
      if (const auto last = single(at, unit)) {
        if (sizes.size() < 2) return {};
        for (auto& [size, end] : sizes) size *= unit;
        sizes.push_back(*last);
        const bool possible = std::all_of(sizes.begin(), sizes.end(),
                                          [](const auto& one) { return one.first >= kSmallestMm; });
        return possible ? sizes : std::vector<std::pair<double, size_t>>();
      }
      if (atoms_[at + 1].token.text != ",") return {};
      sizes.emplace_back(atoms_[at].number, at + 1);
      at += 2;
    }
    return {};
  }

  /// Of three at most, so that long lists stay cheap.
  std::vector<std::pair<double, size_t>> after_comma(size_t at) const {
    if (at + 3 < atoms_.size() && atoms_[at + 3].token.text == ",") return {};
    std::vector<std::pair<double, size_t>> rest = read(at + 2);
    double unit = 0;
    if (rest.size() != 2 || !single(rest[0].second + 1, unit)) return {};
    rest.insert(rest.begin(), {atoms_[at].number * unit, at + 1});
    return rest;
  }

  /// "segment 8 and 12 mm in …", "segments 5 and 6, 12 mm"
  bool is_numbered(size_t at) const {
    while (at > 1 && is_number(at - 2) &&
           (atoms_[at - 1].token.text == "/" ||
            contains(language_.and_words, atoms_[at - 1].token.text))) {
      at -= 2;
    }
    if (at > 0 && atoms_[at - 1].token.text == ".") --at;
    return at > 0 && contains(language_.numbered, atoms_[at - 1].token.text);
  }

  bool is_number(size_t at) const { return at < atoms_.size() && atoms_[at].kind == Kind::kNumber; }

  std::optional<std::pair<double, size_t>> single(size_t at, double& unit) const {
    if (!is_number(at)) return std::nullopt;
    double largest = atoms_[at].number;
    double sum = largest;
    double last_number = largest;
    int count = 1;
    bool range = false;
    unit = 0;
    size_t end = read_unit(at + 1, unit);
    for (; count < 3; ++count) {
      const size_t next = separator(end, range, count);
      if (next == end || !is_number(next)) break;
      // A second number that has no unit of its own in the end is none of this size.
      double other_unit = 0;
      const size_t past = read_unit(next + 1, other_unit);
      if (other_unit > 0) unit = other_unit;
      last_number = atoms_[next].number;
      largest = std::max(largest, last_number);
      sum += atoms_[next].number;
      end = past;
    }
    if (unit <= 0) return std::nullopt;
    // "grown from 8 to 14 mm", "shrank from 5 to 3 cm"
    const bool grown = range && ((at > 0 && contains(language_.from, atoms_[at - 1].token.text)) ||
                                 (at > 1 && contains(language_.from, atoms_[at - 2].token.text)));
    if (grown) return std::pair{last_number * unit, end};
    return std::pair{(range ? sum / count : largest) * unit, end};
  }

  size_t separator(size_t at, bool& range, int count) const {
    if (at >= atoms_.size()) return at;
    const std::string& text = atoms_[at].token.text;
    if (!range && contains(language_.by, text)) return at + 1;
    if (count == 1 && contains(language_.to, text)) {
      range = is_number(at + 1);
      return at + 1;
    }
    return at;
  }

  size_t read_unit(size_t at, double& unit) const {
    const size_t start = is_inner_mark(atoms_, at, "-") ? at + 1 : at;
    std::string word;
    size_t best = at;
    for (size_t next = start; next < atoms_.size() && next < start + 3; ++next) {
      word += atoms_[next].token.text;
      const auto found = language_.units.find(word);
      // "cm3" is a volume.
      const bool power = next + 1 < atoms_.size() && atoms_[next + 1].kind == Kind::kNumber &&
                         atoms_[next + 1].token.glued;
      if (found == language_.units.end() || power) continue;
      unit = found->second;
      best = next + 1;
    }
    return best;
  }

  const std::vector<Atom>& atoms_;
  const Language& language_;
};

std::vector<Atom> with_sizes(const std::vector<Atom>& atoms, const Language& language) {
  std::vector<Atom> out;
  const SizeReader reader(atoms, language);
  for (size_t at = 0; at < atoms.size();) {
    const auto sizes = reader.read(at);
    if (sizes.empty()) out.push_back(atoms[at++]);
    for (const auto& [size, end] : sizes) {
      // What stands between two sizes of a list is no part of either.
      if (atoms[at].kind != Kind::kNumber) out.push_back(atoms[at++]);
      out.push_back(joined(atoms, at, end, Kind::kSize));
      // 1.2 inches are 30.48 mm, not 30.479999…
      out.back().number = std::round(size * 1000) / 1000;
      at = end;
    }
  }
  return out;
}

std::vector<Atom> with_stages(const std::vector<Atom>& atoms, const Language& language) {
  std::vector<Atom> out;
  for (size_t at = 0; at < atoms.size();) {
    const auto stage = read_stage(atoms, at, language);
    if (!stage) {
      out.push_back(atoms[at++]);
      continue;
    }
    out.push_back(joined(atoms, at, stage->second, Kind::kStage));
    out.back().stage = stage->first;
    at = stage->second;
  }
  return out;
}

/// "between 60 and 70" without a unit, as ages are told: the mean. Smaller numbers may count.
std::vector<Atom> with_means(const std::vector<Atom>& atoms, const Language& language) {
  constexpr double kLeast = 18;
  std::vector<Atom> out;
  const auto is_age = [&](size_t at) {
    return atoms[at].kind == Kind::kNumber && atoms[at].number >= kLeast;
  };
  for (size_t at = 0; at < atoms.size(); ++at) {
    const bool range = at + 3 < atoms.size() && contains(language.between, atoms[at].token.text) &&
                       is_age(at + 1) && contains(language.and_words, atoms[at + 2].token.text) &&
                       is_age(at + 3);
    if (!range) {
      out.push_back(atoms[at]);
      continue;
    }
    out.push_back(joined(atoms, at, at + 4, Kind::kNumber));
    out.back().number = std::floor((atoms[at + 1].number + atoms[at + 3].number) / 2);
    at += 3;
  }
  return out;
}

}  // namespace

std::vector<Atom> with_measures(const std::vector<Atom>& atoms, const Language& language) {
  return with_means(with_sizes(with_stages(with_numbers(atoms, language), language), language),
                    language);
}

}  // namespace guidegen::language
