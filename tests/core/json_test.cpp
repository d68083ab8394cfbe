#include "guidegen/core/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error_matchers.hpp"

namespace guidegen {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct BadDocument {
  const char* name;
  std::string text;
  const char* says;
};

class MalformedJson : public testing::TestWithParam<BadDocument> {};

TEST_P(MalformedJson, IsRefusedInOneLine) {
  const BadDocument& bad = GetParam();
  EXPECT_THAT([&] { parse_json(bad.text, "p.json"); },
              throws_usage(AllOf(HasSubstr("p.json: "), HasSubstr(bad.says))));
}

std::vector<BadDocument> malformed() {
  return {
      {"Empty", "", "line 1, column 1: not valid JSON: unexpected end of input"},
      {"Truncated", "{\"a\": 1,\n \"b\": ", "line 2, column 7: not valid JSON: unexpected end"},
      {"Trailing", "{} x", "line 1, column 4: not valid JSON"},
      {"TwoDocuments", "{}\n{}", "line 2, column 1"},
      {"TrailingComma", "[1, 2,]", "line 1, column 7"},
      {"SingleQuotes", "{'a': 1}", "line 1, column 2"},
      {"Comment", "{} // no", "line 1, column 4"},
      {"NaN", "{\"a\": NaN}", "not valid JSON"},
      {"Infinity", "[-Infinity]", "not valid JSON"},
      {"HugeFloat", "{\"a\": 1e999}", "number overflow"},
      {"HugeInteger", "{\"a\": 18446744073709551616}",
       "integer 18446744073709551616 does not fit 64 bits"},
      {"HugeNegative", "[-9223372036854775809]", "does not fit 64 bits"},
      {"EndlessDigits", "[" + std::string(400, '9') + "]", "number overflow"},
      {"Duplicate", "{\"a\": 1, \"a\": 2}", "key \"a\" appears twice"},
      {"DuplicateByEscape", "{\"a\": 1, \"\\u0061\": 2}", "key \"a\" appears twice"},
      {"DuplicateNested", "{\"x\": [{\"y\": 1}, {\"y\": {\"k\": 1, \"j\": 2, \"k\": 3}}]}",
       "p.json: x[1].y: key \"k\" appears twice"},
      {"BadUtf8", "{\"a\": \"\xff\"}", "ill-formed UTF-8"},
      {"OverlongUtf8", "[\"\xc0\xaf\"]", "ill-formed UTF-8"},
      {"LoneSurrogate", "[\"\\ud800\"]", "surrogate"},
      {"NullCharacter", "{\"a\": \"x\\u0000y\"}", "U+0000"},
      {"ControlCharacter", "[\"a\nb\"]", "control character"},
      {"DepthBomb", std::string(100000, '['), "nested deeper than 64 levels"},
      {"DepthBombOfObjects",
       [] {
         std::string text;
         for (int i = 0; i < 100000; ++i) text += "{\"a\":";
         return text;
       }(),
       "nested deeper than 64 levels"},
  };
}

INSTANTIATE_TEST_SUITE_P(Table, MalformedJson, testing::ValuesIn(malformed()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ParseJson, BuildsTheDocumentInOrder) {
  const std::string text =
      R"({"z": [1, -2, 2.5, true, null], "a": {"b": "ä\u00e4"}, "big": 18446744073709551615})";
  const Json value = parse_json(text, "p.json");
  EXPECT_EQ(value.dump(), Json::parse(text).dump());
  EXPECT_EQ(value.begin().key(), "z");
  EXPECT_EQ(value["big"].get<uint64_t>(), 18446744073709551615ULL);
  EXPECT_EQ(parse_json("3", "p").get<int>(), 3);
  EXPECT_EQ(parse_json("\xef\xbb\xbf[]", "p"), Json::array()) << "a byte order mark is harmless";
}

TEST(ParseJson, AllowsSixtyFourLevels) {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_NO_THROW(parse_json(nested(64), "p"));
  EXPECT_THAT([&] { parse_json(nested(65), "p"); }, throws_usage(HasSubstr("64 levels")));
}

TEST(ParseJson, SameKeyInSiblingsIsNoDuplicate) {
  EXPECT_NO_THROW(parse_json(R"([{"a": {"a": 1}}, {"a": 2}])", "p"));
}

TEST(ParseJson, ManyKeysTakeLinearTime) {
  std::string text = "{";
  for (int i = 0; i < 200000; ++i) text += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":0";
  EXPECT_EQ(parse_json(text + "}", "p").size(), 200000U);
}

TEST(ReadJsonFile, MissingFileIsAFailureThatNamesIt) {
  EXPECT_THAT([] { read_json_file("/nonexistent/x.json"); },
              throws_failure(HasSubstr("/nonexistent/x.json: cannot be read: No such file")));
}

TEST(DumpJson, RoundTripsAndRefusesBadText) {
  const Json value = {{"b", 1}, {"a", {1.5, "x"}}};
  EXPECT_EQ(parse_json(dump_json(value), "p"), value);
  EXPECT_EQ(dump_json(value).back(), '\n');
  EXPECT_THAT([] { dump_json(Json("\xff")); }, throws_failure(HasSubstr("UTF-8")));
}

TEST(NearestMatch, FindsTyposAndLeavesOtherWordsAlone) {
  const std::vector<std::string> words = {"tumors", "spacing_mm", "size", "seed"};
  EXPECT_EQ(nearest_match("tumours", words), "tumors");
  EXPECT_EQ(nearest_match("Spacing", {"spacing", "size"}), "spacing");
  EXPECT_EQ(nearest_match("sede", words), "seed");
  EXPECT_EQ(nearest_match("contrast", words), "");
  EXPECT_EQ(nearest_match("", words), "");
  EXPECT_EQ(nearest_match(std::string(100000, 'x'), words), "");
}

}  // namespace
}  // namespace guidegen
