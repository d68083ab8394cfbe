#include "guidegen/prompt/free_text.hpp"

#include <gmock/gmock.h>

#include <chrono>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/random_stream.hpp"
#include "prompt/sentence_scores.hpp"

namespace guidegen {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Understanding understand(std::string_view text, std::string_view language = "auto") {
  return TextReader::shipped().read(text, language);
}

/// The prompt that was read, as JSON in one line.
std::string read_as_json(std::string_view text) { return to_json(understand(text).prompt).dump(); }

std::string tumors_of(std::string_view text) {
  const Json prompt = to_json(understand(text).prompt);
  return prompt.contains("tumors") ? prompt["tumors"].dump() : "open";
}

TEST(FreeText, TheSentenceThatTheTemplateFailsOn) {
  EXPECT_EQ(read_as_json("A person diagnosed with colon cancer"),
            R"({"tumors":[{"organ":"colon"}]})");
}

TEST(FreeText, AllFieldsOfOneSentence) {
  EXPECT_EQ(read_as_json("62-year-old Asian man, portal venous phase, two 3 cm tumors (T1b) in the "
                         "right kidney"),
            R"({"sex":"male","age":62,"race":"asian","contrast":"portal-venous",)"
            R"("tumors":[{"organ":"kidney","position":"right","count":2,"size_mm":30,)"
            R"("stage":"T1b"}]})");
}

TEST(FreeText, SeveralFindingsKeepTheirOwnSidesCountsAndSizes) {
  EXPECT_EQ(tumors_of("a 3 cm mass in the right kidney and two nodules in the left lower lobe"),
            R"([{"organ":"kidney","position":"right","count":1,"size_mm":30},)"
            R"({"organ":"lung","position":"left-lower","count":2}])");
  EXPECT_EQ(tumors_of("lung cancer with liver metastases"),
            R"([{"organ":"lung"},{"organ":"liver"}])");
  EXPECT_EQ(tumors_of("Bilateral renal masses, right 3 cm and left 5 cm."),
            R"([{"organ":"kidney","position":"left","count":1,"size_mm":50},)"
            R"({"organ":"kidney","position":"right","count":1,"size_mm":30}])");
  EXPECT_EQ(tumors_of("Two lung nodules (RLL 8 mm, LUL 6 mm)"),
            R"([{"organ":"lung","position":"right-lower","count":1,"size_mm":8},)"
            R"({"organ":"lung","position":"left-upper","count":1,"size_mm":6}])");
  EXPECT_EQ(tumors_of("Two masses in the liver, the larger is 4 cm."),
            R"([{"organ":"liver","count":2,"size_mm":40}])");
}

TEST(FreeText, WhatLaterSentencesSayBelongsToTheTumor) {
  EXPECT_EQ(tumors_of("There is a mass. It is in the left kidney. It measures 4 cm."),
            R"([{"organ":"kidney","position":"left","count":1,"size_mm":40}])");
}

TEST(FreeText, NegationReachesOverListsAndEndsAtBut) {
  EXPECT_EQ(tumors_of("no evidence of malignancy"), "[]");
  EXPECT_EQ(tumors_of("No liver lesions"), "[]");
  EXPECT_EQ(tumors_of("No nodules, masses or effusion."), "[]");
  EXPECT_EQ(tumors_of("No tumor in the lung or colon, but two lesions in the liver"),
            R"([{"organ":"liver","count":2}])");
  EXPECT_EQ(tumors_of("Kidney cancer was ruled out."), "[]");
  EXPECT_EQ(tumors_of("no liver metastases, 3 cm mass in the left kidney"),
            R"([{"organ":"kidney","position":"left","count":1,"size_mm":30}])");
}

TEST(FreeText, HistoryFamilyAndBenignFindingsAreNoRequests) {
  EXPECT_EQ(tumors_of("history of colon cancer, now with a lung nodule"),
            R"([{"organ":"lung","count":1}])");
  EXPECT_EQ(tumors_of("Lung metastases of a kidney cancer that was resected in 2015"),
            R"([{"organ":"lung"}])");
  EXPECT_EQ(tumors_of("Her mother had lung cancer. She has a liver tumor."),
            R"([{"organ":"liver","count":1}])");
  EXPECT_EQ(tumors_of("a 2 cm simple cyst in the left kidney and a 3 cm mass in the liver"),
            R"([{"organ":"liver","count":1,"size_mm":30}])");
}

TEST(FreeText, ExplanationsAndStagesBelongToWhatTheyAreSaidOf) {
  EXPECT_EQ(tumors_of("Liver lesion of 3 cm, most likely a hemangioma."), "[]");
  EXPECT_EQ(tumors_of("a 3 cm mass in the right kidney consistent with renal cell carcinoma"),
            R"([{"organ":"kidney","position":"right","count":1,"size_mm":30}])");
  EXPECT_EQ(tumors_of("Lung cancer with liver metastases, stage IV"),
            R"([{"organ":"lung","stage":"IV"},{"organ":"liver"}])");
  EXPECT_EQ(tumors_of("Colon cancer metastatic to the liver, 5 lesions up to 3 cm"),
            R"([{"organ":"colon"},{"organ":"liver","count":5,"size_mm":30}])");
}

TEST(FreeText, NormalOrgansSayNothingOfTumors) {
  EXPECT_EQ(tumors_of("12 mm nodule in the right middle lobe, otherwise unremarkable."),
            R"([{"organ":"lung","position":"right-upper-middle","count":1,"size_mm":12}])");
  EXPECT_EQ(tumors_of("The kidneys are normal. Pancreas: 3 cm mass in the tail."),
            R"([{"organ":"pancreas","position":"tail","count":1,"size_mm":30}])");
}

TEST(FreeText, SilenceAboutTumorsLeavesThemOpen) {
  EXPECT_EQ(tumors_of("A tall woman of 28 years."), "open");
  EXPECT_EQ(tumors_of("brain metastases in a 50-year-old woman"), "open");
  EXPECT_EQ(tumors_of("Healthy man"), "[]");
}

TEST(FreeText, AgesInManyForms) {
  const auto age = [](std::string_view text) { return understand(text).prompt.age.value_or(-1); };
  EXPECT_EQ(age("62M with a mass"), 62);
  EXPECT_EQ(age("M/62"), 62);
  EXPECT_EQ(age("sixty-two-year-old"), 62);
  EXPECT_EQ(age("woman in her mid-fifties"), 55);
  EXPECT_EQ(age("Mrs. Miller, 66, presents with pain"), 66);
  EXPECT_EQ(age("18-month-old girl"), 1);
  EXPECT_EQ(age("octogenarian"), 85);
  EXPECT_EQ(age("smoked for 45 years"), -1);
  EXPECT_EQ(age("a man of 130 years"), -1);
}

TEST(FreeText, SizesInManyForms) {
  const auto size = [](const std::string& words) {
    const auto tumors = understand("liver tumor, " + words).prompt.tumors;
    return tumors && tumors->size() == 1 ? tumors->front().size_mm.value_or(-1) : -2;
  };
  EXPECT_DOUBLE_EQ(size("4.2 x 3.6 x 3 cm"), 42);
  EXPECT_DOUBLE_EQ(size("4 cm by 3 cm"), 40);
  EXPECT_DOUBLE_EQ(size("2-3 cm"), 25);
  EXPECT_DOUBLE_EQ(size("between 2 and 4 cm"), 30);
  EXPECT_DOUBLE_EQ(size("1.5\""), 38.1);
  EXPECT_DOUBLE_EQ(size("1,5 cm"), 15);
  EXPECT_DOUBLE_EQ(size("three centimeters"), 30);
  EXPECT_DOUBLE_EQ(size("golf ball sized"), 43);
  EXPECT_DOUBLE_EQ(size("35 cm3"), -1);
  EXPECT_DOUBLE_EQ(size("40 cm"), -1);  // out of the range of prompts
}

TEST(FreeText, StagesAreWrittenAsPromptsWriteThem) {
  const auto stage = [](const std::string& words) {
    return understand("lung cancer, " + words).prompt.tumors->front().stage.value_or("none");
  };
  EXPECT_EQ(stage("pT2aN1M0"), "T2a");
  EXPECT_EQ(stage("T3 N0 M0"), "T3");
  EXPECT_EQ(stage("stage 3b"), "IIIB");
  EXPECT_EQ(stage("stage four"), "IV");
  EXPECT_EQ(stage("stage IA2"), "IA2");
  EXPECT_EQ(stage("Tis"), "Tis");
  EXPECT_EQ(stage("T12 fracture"), "none");
}

TEST(FreeText, MisspellingsAreReadAndOrdinaryWordsLeftAlone) {
  EXPECT_EQ(
      read_as_json("womn 50 y with a tumuor in left kidny"),
      R"({"sex":"female","age":50,"tumors":[{"organ":"kidney","position":"left","count":1}]})");
  EXPECT_EQ(tumors_of("this is a hepatocelular carcnoma"), R"([{"organ":"liver","count":1}])");
  EXPECT_EQ(tumors_of("a massive lesson for the colony"), "open");
}

TEST(FreeText, LanguagesAreTold) {
  const auto told = [](std::string_view text) {
    return understand(text).language + " " + tumors_of(text);
  };
  EXPECT_EQ(told("Zweiundsechzigjährige Patientin mit Nierentumor links"),
            R"(de [{"organ":"kidney","position":"left","count":1}])");
  EXPECT_EQ(told("Homme de soixante-douze ans, deux métastases du foie"),
            R"(fr [{"organ":"liver","count":2}])");
  EXPECT_EQ(told("Mujer de 62 años sin cáncer de pulmón"), "es []");
  EXPECT_EQ(told("男，62岁，左肺上叶两个结节"),
            R"(zh [{"organ":"lung","position":"left-upper","count":2}])");
  EXPECT_EQ(understand("Zweiundsechzigjährige Patientin").prompt.age, 62);
  EXPECT_EQ(understand("Homme de soixante-douze ans").prompt.age, 72);
}

TEST(FreeText, SpansAreBytesOfTheOriginal) {
  const std::string text = "Señora: tumor de 3 cm en el RIÑÓN izquierdo";
  const Understanding understanding = understand(text);
  EXPECT_THAT(understanding.findings, Contains(AllOf(Field(&Finding::field, "tumors[0].organ"),
                                                     Field(&Finding::words, "RIÑÓN izquierdo"))));
  for (const Finding& one : understanding.findings) {
    EXPECT_EQ(text.substr(one.begin, one.end - one.begin), one.words);
  }
}

TEST(FreeText, CombiningAccentsFullWidthAndOddSpacesAreFolded) {
  EXPECT_EQ(tumors_of("tumor en el rin\xCC\x83o\xCC\x81n izquierdo"),
            R"([{"organ":"kidney","position":"left","count":1}])");
  EXPECT_EQ(tumors_of("liver\xC2\xA0tumor \xEF\xBC\x93 cm"),
            R"([{"organ":"liver","count":1,"size_mm":30}])");
}

TEST(FreeText, WhatIsNotUsedIsToldWithTheReason) {
  const Understanding understanding = understand(
      "His father had colon cancer. No lung nodule. Renal cyst. Bone metastases. A mass.");
  std::vector<std::string> reasons;
  for (const Unused& one : understanding.unused) reasons.push_back(one.reason);
  EXPECT_THAT(reasons, ElementsAre("family history", "negated", "not a tumor",
                                   "organ outside of prompts", "no organ"));
}

/// A prompt whose fields every phrasing tells.
Prompt random_prompt(RandomStream& stream) {
  Prompt prompt;
  prompt.sex = static_cast<Sex>(stream.integer(2));
  prompt.age = static_cast<int>(1 + stream.integer(98));
  prompt.race = static_cast<Race>(stream.integer(4));
  prompt.contrast = static_cast<ContrastPhase>(stream.integer(4));
  prompt.tumors.emplace();
  if (stream.flip(0.2)) return prompt;
  TumorRequest tumor;
  tumor.position = static_cast<TumorPosition>(stream.integer(kTumorPositionCount));
  tumor.organ = organ_of(*tumor.position);
  tumor.count = static_cast<int>(1 + stream.integer(9));
  tumor.size_mm = static_cast<double>(5 + stream.integer(90));
  if (stream.flip(0.5)) tumor.stage = stream.flip(0.5) ? "T2a" : "IIIB";
  prompt.tumors->push_back(tumor);
  return prompt;
}

TEST(FreeText, ReadsWhatDescribeWrites) {
  RandomStream stream(7, "free-text", "describe");
  for (int i = 0; i < 200; ++i) {
    const Prompt prompt = random_prompt(stream);
    for (int phrasing = 0; phrasing < kPhrasingCount; ++phrasing) {
      const std::string text = describe(prompt, phrasing);
      EXPECT_EQ(to_json(understand(text).prompt).dump(), to_json(prompt).dump()) << text;
    }
  }
}

TEST(FreeText, AnyBytesAreRead) {
  RandomStream stream(11, "free-text", "bytes");
  const std::vector<std::string> words{"no",   "tumor", "left", "kidney", ",",   ".",   "3",
                                       "cm",   "x",     "T2",   "stage",  "and", "one", "in",
                                       "both", "sizes", "(",    "\n",     "-",   "de",  "肾"};
  for (int i = 0; i < 300; ++i) {
    std::string text;
    const int64_t length = stream.integer(60);
    for (int64_t k = 0; k < length; ++k) {
      text += stream.flip(0.3)
                  ? std::string(1, static_cast<char>(stream.integer(256)))
                  : words[static_cast<size_t>(stream.integer(static_cast<int64_t>(words.size())))] +
                        " ";
    }
    for (const std::string& language : TextReader::shipped().languages()) {
      const Understanding understanding = understand(text, language);
      for (const Finding& one : understanding.findings) {
        ASSERT_EQ(text.substr(one.begin, one.end - one.begin), one.words);
      }
      // What is read is a prompt that files may hold.
      const Json prompt = to_json(understanding.prompt);
      EXPECT_NO_THROW(prompt_from_json(prompt, "read"));
      EXPECT_FALSE(to_json(understanding).dump().empty());
    }
  }
}

TEST(FreeText, LongTextsAreFast) {
  TextReader::shipped();
  for (const std::string& unit : {std::string("a mass in the lung and "), std::string("3 x "),
                                  std::string("left,"), std::string("hepatocellularish ")}) {
    std::string text;
    while (text.size() < 4000) text += unit;
    const auto start = std::chrono::steady_clock::now();
    understand(text);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    EXPECT_LT(elapsed.count(), 2.0) << unit;
  }
}

TEST(FreeText, UnknownLanguagesAreRefused) {
  EXPECT_THAT([] { understand("x", "tlh"); },
              throws_usage(AllOf(HasSubstr("tlh"), HasSubstr("en"))));
}

TEST(ResolveText, ExplicitFieldsWinAndContradictionsAreTold) {
  Prompt prompt;
  prompt.text = "64-year-old man with a tumor in the left kidney, arterial phase";
  prompt.age = 70;
  const Resolved resolved = resolve_text(prompt);
  EXPECT_EQ(resolved.prompt.age, 70);
  EXPECT_EQ(resolved.prompt.sex, Sex::kMale);
  EXPECT_EQ(resolved.prompt.contrast, ContrastPhase::kArterial);
  EXPECT_EQ(resolved.prompt.text, prompt.text);
  EXPECT_THAT(resolved.contradictions, ElementsAre("age: the text says 64, the field 70"));
}

TEST(ResolveText, FieldsThatOnlySayMoreContradictNothing) {
  Prompt prompt;
  prompt.text = "kidney tumors";
  prompt.tumors = {{TumorOrgan::kKidney, TumorPosition::kKidneyLeft, 2, {}, {}}};
  EXPECT_THAT(resolve_text(prompt).contradictions, IsEmpty());
  prompt.tumors = {{TumorOrgan::kLiver, {}, 2, {}, {}}};
  const Resolved resolved = resolve_text(prompt);
  EXPECT_THAT(resolved.contradictions, ElementsAre(HasSubstr("tumors: the text says")));
  EXPECT_EQ(resolved.prompt.tumors, prompt.tumors);
}

TEST(ResolveText, ContradictedTextsGiveWayToTheDescription) {
  Prompt contradicted;
  contradicted.id = "a";
  contradicted.text = "64-year-old man with a tumor in the left kidney";
  contradicted.age = 70;
  Prompt agreed = contradicted;
  agreed.id = "b";
  agreed.age = 64;
  Contradictions contradictions;
  const std::vector<Prompt> all =
      resolve_texts({contradicted, agreed}, "p.json", TextReader::shipped(), {}, &contradictions);
  Prompt resolved = all[0];
  resolved.text.reset();
  EXPECT_EQ(all[0].text, describe(resolved, 0));
  EXPECT_THAT(*all[0].text, AllOf(HasSubstr("70"), Not(HasSubstr("64"))));
  EXPECT_EQ(all[1].text, agreed.text);
  EXPECT_EQ(contradictions.size(), 1U);
  EXPECT_THAT(contradictions["a"], ElementsAre("age: the text says 64, the field 70"));
}

TEST(ResolveText, PromptsWithoutTextStayAsTheyAre) {
  Prompt prompt;
  prompt.age = 3;
  EXPECT_EQ(resolve_text(prompt).prompt, prompt);
}

class LanguageFiles : public ::testing::Test {
 protected:
  /// Loads the shipped English file, changed by `change`.
  TextReader load(const std::function<void(Json&)>& change) {
    Json document = read_json_file(std::string(GUIDEGEN_SOURCE_DIR) + "/configs/language/en.json");
    change(document);
    write_file_atomic(folder_ / "en.json", dump_json(document));
    return TextReader::load(folder_.path());
  }

  TemporaryFolder folder_;
};

TEST_F(LanguageFiles, CanBeExtended) {
  const TextReader reader = load([](Json& file) { file["tumors"]["one"].push_back("blorbule"); });
  const Prompt prompt = reader.read("a blorbule in the left kidney").prompt;
  ASSERT_TRUE(prompt.tumors.has_value());
  EXPECT_EQ(prompt.tumors->front().position, TumorPosition::kKidneyLeft);
}

TEST_F(LanguageFiles, MistakesNameFileAndKey) {
  EXPECT_THAT([&] { load([](Json& file) { file["tumrs"] = Json::array(); }); },
              throws_usage(AllOf(HasSubstr("en.json"), HasSubstr("tumrs"))));
  EXPECT_THAT([&] { load([](Json& file) { file["places"]["kidney upwards"] = {"x"}; }); },
              throws_usage(AllOf(HasSubstr("places"), HasSubstr("kidney upwards"))));
  EXPECT_THAT([&] { load([](Json& file) { file["places"]["kidney"].push_back("lung"); }); },
              throws_usage(AllOf(HasSubstr("'lung'"), HasSubstr("places"), HasSubstr("every"))));
  EXPECT_THAT([&] { load([](Json& file) { file["counts"]["many"] = {"heaps of"}; }); },
              throws_usage(AllOf(HasSubstr("counts"), HasSubstr("many"))));
  EXPECT_THAT([&] { load([](Json& file) { file["age"]["years"].push_back("{years} old"); }); },
              throws_usage(AllOf(HasSubstr("age"), HasSubstr("slot"))));
  EXPECT_THAT([&] { load([](Json& file) { file["race"]["martian"] = {"martian"}; }); },
              throws_usage(AllOf(HasSubstr("race"), HasSubstr("martian"))));
}

TEST_F(LanguageFiles, AnEmptyFolderIsRefused) {
  EXPECT_THAT([&] { TextReader::load(folder_.path()); }, throws_usage(HasSubstr("language")));
}

}  // namespace
}  // namespace guidegen
