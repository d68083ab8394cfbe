#include <cctype>
#include <cmath>

#include "guidegen/core/error.hpp"
#include "guidegen/prompt/prompt.hpp"

namespace guidegen {
namespace {

using Words = std::vector<std::string>;

std::string joined(const Words& words, const std::string& separator) {
  std::string text;
  for (const std::string& word : words) {
    if (word.empty()) continue;
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

std::string capitalized(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

/// "30", "7.5": at most one decimal, as sizes are spoken of.
std::string decimal(double value) {
  const auto tenths = static_cast<int64_t>(std::llround(value * 10));
  std::string text = std::to_string(tenths / 10);
  if (tenths % 10 != 0) text += "." + std::to_string(tenths % 10);
  return text;
}

std::string count_word(int count) {
  static const Words words{"zero", "one",   "two",   "three", "four", "five",
                           "six",  "seven", "eight", "nine",  "ten"};
  const auto index = static_cast<size_t>(count);
  return index < words.size() ? words[index] : std::to_string(count);
}

std::string race_word(const Prompt& prompt) {
  if (!prompt.race || *prompt.race == Race::kOther) return "";
  return capitalized(name_of(*prompt.race));
}

std::string contrast_words(const Prompt& prompt) {
  if (!prompt.contrast) return "";
  switch (*prompt.contrast) {
    case ContrastPhase::kNone:
      return "without contrast";
    case ContrastPhase::kArterial:
      return "in the arterial phase";
    case ContrastPhase::kPortalVenous:
      return "in the portal venous phase";
    case ContrastPhase::kDelayed:
      return "in the delayed phase";
  }
  return "";
}

std::string person(const Prompt& prompt) {
  if (!prompt.sex) return "patient";
  return *prompt.sex == Sex::kMale ? "man" : "woman";
}

std::string years_old(const Prompt& prompt) {
  return prompt.age ? std::to_string(*prompt.age) + "-year-old" : "";
}

std::string with_article(const std::string& words) {
  // Ages that are spoken with a vowel first: 8, 11, 18, 80-89.
  const bool vowel = words.starts_with("8") || words.starts_with("11-") ||
                     words.starts_with("18-") || words.starts_with("Asian");
  return (vowel ? "an " : "a ") + words;
}

std::string place(const TumorRequest& tumor) {
  if (tumor.position) return place_in_words(*tumor.position);
  return tumor.organ == TumorOrgan::kLung ? "lungs" : name_of(tumor.organ);
}

bool has_none(const Prompt& prompt) { return prompt.tumors && prompt.tumors->empty(); }
bool has_some(const Prompt& prompt) { return prompt.tumors && !prompt.tumors->empty(); }

/// "one 30 mm tumor", "three tumors"; "12 mm tumor(s)" where the count is open.
std::string tumor_noun(const TumorRequest& tumor, const std::string& noun) {
  const std::string size = tumor.size_mm ? decimal(*tumor.size_mm) + " mm" : "";
  if (!tumor.count) return joined({size, noun + "(s)"}, " ");
  return joined({count_word(*tumor.count), size, noun + (*tumor.count == 1 ? "" : "s")}, " ");
}

template <typename Describe>
std::string each_tumor(const Prompt& prompt, const std::string& separator, Describe&& words) {
  Words parts;
  if (prompt.tumors) {
    for (const TumorRequest& tumor : *prompt.tumors) parts.push_back(words(tumor));
  }
  return joined(parts, separator);
}

std::string field(const std::string& name, const std::string& value) {
  return value.empty() ? "" : name + ": " + value + ".";
}

std::string structured_tumor(const TumorRequest& tumor) {
  return joined(
      {field("Stage", tumor.stage.value_or("")), field("Cancer", name_of(tumor.organ) + " cancer"),
       field("Number of tumors", tumor.count ? std::to_string(*tumor.count) : ""),
       field("Position", tumor.position ? place_in_words(*tumor.position) : ""),
       field("Size", tumor.size_mm ? decimal(*tumor.size_mm) + " mm" : "")},
      " ");
}

std::string structured(const Prompt& prompt) {
  const std::string text =
      joined({field("Age", prompt.age ? std::to_string(*prompt.age) : ""),
              field("Sex", prompt.sex ? name_of(*prompt.sex) : ""),
              field("Race", prompt.race ? name_of(*prompt.race) : ""),
              has_none(prompt) ? "Cancer: none. Number of tumors: 0."
                               : each_tumor(prompt, " ", structured_tumor),
              field("Contrast", prompt.contrast ? name_of(*prompt.contrast) : "")},
             " ");
  return text.empty() ? "Age: unknown. Sex: unknown. Cancer: unknown." : text;
}

std::string scan_first(const Prompt& prompt) {
  const std::string who =
      with_article(joined({years_old(prompt), race_word(prompt), person(prompt)}, " "));
  std::string text = joined({"CT of", who, contrast_words(prompt)}, " ") + ".";
  if (has_none(prompt)) text += " There is no tumor.";
  if (has_some(prompt)) {
    text +=
        " " + each_tumor(prompt, " ", [](const TumorRequest& tumor) {
          const std::string stage = tumor.stage ? " (" + *tumor.stage + ")" : "";
          return capitalized(tumor_noun(tumor, "tumor")) + " in the " + place(tumor) + stage + ".";
        });
  }
  return text;
}

std::string report(const Prompt& prompt) {
  const std::string who =
      joined({prompt.sex ? name_of(*prompt.sex) : "",
              prompt.age ? std::to_string(*prompt.age) + " years" : "", race_word(prompt)},
             ", ");
  std::string findings = has_none(prompt) ? "no focal lesion" : "";
  if (has_some(prompt)) {
    findings = each_tumor(prompt, "; ", [](const TumorRequest& tumor) {
      const std::string stage = tumor.stage ? ", stage " + *tumor.stage : "";
      return tumor_noun(tumor, "lesion") + " in the " + place(tumor) + stage;
    });
  }
  return joined({field("Clinical information", who),
                 field("Technique", joined({"CT of the torso", contrast_words(prompt)}, " ")),
                 field("Findings", findings)},
                " ");
}

std::string wish(const Prompt& prompt) {
  std::string who = with_article(joined({race_word(prompt), person(prompt)}, " "));
  if (prompt.age) who += " aged " + std::to_string(*prompt.age);
  std::string tumors;
  if (has_none(prompt)) tumors = "without any tumor";
  if (has_some(prompt)) {
    tumors = "with " + each_tumor(prompt, " and ", [](const TumorRequest& tumor) {
               const std::string stage = tumor.stage ? " of stage " + *tumor.stage : "";
               return tumor_noun(tumor, "tumor") + stage + " in the " + place(tumor);
             });
  }
  const std::string phase = prompt.contrast ? "scanned " + contrast_words(prompt) : std::string();
  return "Generate a torso CT of " + joined({joined({who, tumors}, " "), phase}, ", ") + ".";
}

std::string telegram(const Prompt& prompt) {
  Words parts;
  if (prompt.sex) parts.push_back(*prompt.sex == Sex::kMale ? "M" : "F");
  if (prompt.age) parts.push_back(std::to_string(*prompt.age) + "y");
  parts.push_back(race_word(prompt));
  if (prompt.contrast) {
    parts.push_back(*prompt.contrast == ContrastPhase::kNone ? "non-contrast"
                                                             : name_of(*prompt.contrast));
  }
  if (has_none(prompt)) parts.push_back("no tumor");
  parts.push_back(each_tumor(prompt, ", ", [](const TumorRequest& tumor) {
    return joined({tumor.count ? std::to_string(*tumor.count) + "x" : "", place(tumor), "tumor",
                   tumor.size_mm ? decimal(*tumor.size_mm) + "mm" : "", tumor.stage.value_or("")},
                  " ");
  }));
  const std::string text = joined(parts, ", ");
  return text.empty() ? "torso CT" : text;
}

std::string patient_first(const Prompt& prompt) {
  std::string text =
      "The patient is " +
      with_article(joined({years_old(prompt), race_word(prompt), person(prompt)}, " ")) + ".";
  const std::string subject =
      !prompt.sex ? "The patient" : (*prompt.sex == Sex::kMale ? "He" : "She");
  if (has_none(prompt)) text += " " + subject + " has no cancer.";
  if (has_some(prompt)) {
    text += " " + each_tumor(prompt, " ", [&](const TumorRequest& tumor) {
              const std::string stage = tumor.stage ? "stage " + *tumor.stage : "";
              return subject + " has " + joined({stage, name_of(tumor.organ), "cancer"}, " ") +
                     ": " + tumor_noun(tumor, "nodule") + " in the " + place(tumor) + ".";
            });
  }
  if (prompt.contrast) text += " The scan was taken " + contrast_words(prompt) + ".";
  return text;
}

}  // namespace

std::string describe(const Prompt& prompt, int phrasing) {
  switch (phrasing) {
    case 0:
      return structured(prompt);
    case 1:
      return scan_first(prompt);
    case 2:
      return report(prompt);
    case 3:
      return wish(prompt);
    case 4:
      return telegram(prompt);
    case 5:
      return patient_first(prompt);
    default:
      break;
  }
  throw_usage("phrasing ", phrasing, " does not exist, expected 0 to ", kPhrasingCount - 1);
}

}  // namespace guidegen
