#include "guidegen/prompt/prompt.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <set>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/random_stream.hpp"
#include "prompt/malformed_prompts.hpp"

namespace guidegen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Prompt parse(const std::string& text) { return prompt_from_json(parse_json(text, "p"), "p"); }

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage) << error.what();
    return error.what();
  }
  return "no error";
}

template <typename Enum>
std::optional<Enum> maybe(RandomStream& stream, int64_t count) {
  if (stream.flip(0.4)) return std::nullopt;
  return static_cast<Enum>(stream.integer(count));
}

TumorRequest random_tumor(RandomStream& stream) {
  TumorRequest tumor;
  tumor.organ = static_cast<TumorOrgan>(stream.integer(kTumorOrganCount));
  const auto positions = positions_of(tumor.organ);
  if (stream.flip(0.6)) {
    tumor.position =
        positions[static_cast<size_t>(stream.integer(static_cast<int64_t>(positions.size())))];
  }
  if (stream.flip(0.6)) tumor.count = 1 + static_cast<int>(stream.integer(20));
  if (stream.flip(0.6)) tumor.size_mm = stream.uniform(3, 150);
  const std::vector<std::string> stages{"T1b", "Tis", "TX", "T4", "IIIA", "IV", "0", "IA1", "T1mi"};
  if (stream.flip(0.6)) tumor.stage = stages[static_cast<size_t>(stream.integer(9))];
  return tumor;
}

Prompt random_prompt(RandomStream& stream) {
  Prompt prompt;
  if (stream.flip(0.5)) prompt.id = "case." + std::to_string(stream.integer(1000000)) + "_a-B";
  if (stream.flip(0.5))
    prompt.text = "Ein \"Text\"\n\twith \\ and µ, ∅ — " + std::to_string(stream.next_u32());
  prompt.sex = maybe<Sex>(stream, 2);
  if (stream.flip(0.5)) prompt.age = static_cast<int>(stream.integer(121));
  prompt.race = maybe<Race>(stream, 5);
  prompt.contrast = maybe<ContrastPhase>(stream, 4);
  if (stream.flip(0.7)) {
    prompt.tumors.emplace();
    const int64_t groups = stream.integer(5);
    for (int64_t i = 0; i < groups; ++i) prompt.tumors->push_back(random_tumor(stream));
  }
  if (stream.flip(0.5)) {
    prompt.spacing_mm = {stream.uniform(0.3, 20), 1.5, static_cast<double>(1 + stream.integer(19))};
  }
  if (stream.flip(0.5)) prompt.size = {16 + stream.integer(1009), 16, 1024};
  if (stream.flip(0.5)) prompt.seed = stream.next_u64();
  if (stream.flip(0.5)) prompt.samples = 1 + static_cast<int>(stream.integer(1000));
  return prompt;
}

TEST(Prompt, ReadsTheDocumentedExample) {
  const Prompt prompt = parse(R"({"id": "case-001", "text": "x", "sex": "male", "age": 62,
    "race": "asian", "contrast": "portal-venous",
    "tumors": [{"organ": "kidney", "position": "right", "count": 1, "size_mm": 30, "stage": "T1b"}],
    "spacing_mm": [1.5, 1.5, 2.5], "size": [256, 128, 64], "seed": 7, "samples": 2})");
  EXPECT_EQ(prompt.id, "case-001");
  EXPECT_EQ(prompt.sex, Sex::kMale);
  EXPECT_EQ(prompt.age, 62);
  EXPECT_EQ(prompt.race, Race::kAsian);
  EXPECT_EQ(prompt.contrast, ContrastPhase::kPortalVenous);
  ASSERT_EQ(prompt.tumors->size(), 1U);
  EXPECT_EQ(prompt.tumors->front().organ, TumorOrgan::kKidney);
  EXPECT_EQ(prompt.tumors->front().position, TumorPosition::kKidneyRight);
  EXPECT_EQ(prompt.tumors->front().count, 1);
  EXPECT_EQ(prompt.tumors->front().size_mm, 30);
  EXPECT_EQ(prompt.tumors->front().stage, "T1b");
  EXPECT_THAT(*prompt.spacing_mm, ElementsAre(1.5, 1.5, 2.5));
  EXPECT_THAT(*prompt.size, ElementsAre(256, 128, 64));
  EXPECT_EQ(prompt.seed, 7U);
  EXPECT_EQ(prompt.samples, 2);
}

TEST(Prompt, NoTumorsAndOpenTumorsDiffer) {
  EXPECT_TRUE(parse(R"({"tumors": []})").tumors.has_value());
  EXPECT_FALSE(parse("{}").tumors.has_value());
  EXPECT_EQ(to_json(parse(R"({"tumors": []})")).dump(), R"({"tumors":[]})");
  EXPECT_EQ(to_json(parse("{}")).dump(), "{}");
}

TEST(Prompt, RandomPromptsComeBackFromJson) {
  RandomStream stream(1, "prompts", "test");
  for (int i = 0; i < 2000; ++i) {
    const Prompt prompt = random_prompt(stream);
    const std::string text = dump_json(to_json(prompt));
    EXPECT_EQ(prompt_from_json(parse_json(text, "p"), "p"), prompt) << text;
  }
}

TEST(Prompt, WholeNumbersAreWrittenWithoutPoint) {
  const std::string text = R"({"tumors":[{"organ":"lung","size_mm":30}],"spacing_mm":[1,1.5,2]})";
  EXPECT_EQ(to_json(parse(text)).dump(), text);
}

TEST(Prompt, EveryPositionBelongsToOneOrgan) {
  std::set<TumorPosition> seen;
  for (int organ = 0; organ < kTumorOrganCount; ++organ) {
    for (const TumorPosition position : positions_of(static_cast<TumorOrgan>(organ))) {
      EXPECT_EQ(organ_of(position), static_cast<TumorOrgan>(organ));
      EXPECT_TRUE(seen.insert(position).second);
      const Prompt prompt = parse("{\"tumors\": [{\"organ\": \"" + name_of(organ_of(position)) +
                                  "\", \"position\": \"" + name_of(position) + "\"}]}");
      EXPECT_EQ(prompt.tumors->front().position, position);
    }
  }
  EXPECT_EQ(seen.size(), static_cast<size_t>(kTumorPositionCount));
}

TEST(Prompt, MalformedPromptsAreRefusedNamingTheKey) {
  for (const MalformedPrompt& bad : malformed_prompts()) {
    const std::string message = error_of([&] { parse(bad.text); });
    EXPECT_THAT(message, HasSubstr(bad.names)) << bad.text;
    EXPECT_THAT(message, ::testing::StartsWith("p: ")) << bad.text;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

TEST(Prompt, DuplicateKeysAreRefused) {
  EXPECT_THAT(error_of([] { parse(R"({"age": 1, "age": 2})"); }), HasSubstr("age"));
}

TEST(PromptFile, ArrayObjectAndLinesAreRead) {
  EXPECT_EQ(parse_prompts(R"([{"age": 1}, {"age": 2}])", "f").size(), 2U);
  EXPECT_EQ(parse_prompts("{\n \"age\": 1\n}\n", "f").size(), 1U);
  EXPECT_EQ(parse_prompts(R"({"text": "} { \" }"})", "f").front().text, "} { \" }");
  const auto lines =
      parse_prompts("\xEF\xBB\xBF{\"age\": 1}\r\n\r\n{\"age\": 2, \"id\": \"b\"}\r\n", "f");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].id, "case-0001");
  EXPECT_EQ(lines[0].age, 1);
  EXPECT_EQ(lines[1].id, "b");
}

TEST(PromptFile, MessagesNameThePlace) {
  EXPECT_THAT(error_of([] {
                parse_prompts(R"([{}, {}, {"tumors": [{"organ": "lung", "position": "head"}]}])",
                              "prompts.json");
              }),
              HasSubstr("prompts.json: [2].tumors[0].position: "));
  EXPECT_THAT(error_of([] { parse_prompts("{}\n\n{\"age\": 121}\n", "p.jsonl"); }),
              HasSubstr("p.jsonl: line 3: age: "));
}

TEST(PromptFile, BadFilesAreRefused) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "empty"},
      {" \n\t\n", "empty"},
      {"[]", "no prompts"},
      {"3", "number"},
      {"\"text\"", "string"},
      {"[{}", "p"},
      {"{}{", "p"},
      {"{} junk", "p"},
      {"[{}] []", "p"},
      {"[[]]", "[0]"},
      {"{}\n[]\n", "line 2"},
      {"{}\n{\"age\":\n", "line 2"},
      {R"([{"id": "a"}, {"id": "a"}])", "'a' is taken by p: [0]"},
      {R"([{"id": "case-0002"}, {}])", "case-0002"},
  };
  for (const auto& [text, names] : cases) {
    EXPECT_THAT(error_of([&] { parse_prompts(text, "p"); }), HasSubstr(names)) << text;
  }
}

TEST(PromptFile, DemoPromptsAreValid) {
  const auto prompts = read_prompts(GUIDEGEN_SOURCE_DIR "/configs/demo/prompts.json");
  EXPECT_EQ(prompts.size(), 12U);
  for (const Prompt& prompt : prompts) {
    EXPECT_FALSE(prompt.spacing_mm || prompt.size) << prompt.id << ": the model's grid is meant";
  }
}

}  // namespace
}  // namespace guidegen
