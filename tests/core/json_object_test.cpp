#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <type_traits>

#include "core/error_matchers.hpp"
#include "guidegen/core/json.hpp"

namespace guidegen {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StrEq;

// A view of a temporary would dangle: such a call must not compile.
static_assert(!std::is_constructible_v<JsonObject, Json&&, std::string>);
static_assert(std::is_constructible_v<JsonObject, const Json&, std::string>);

TEST(JsonObject, ReadsEveryType) {
  const Json value = Json::parse(R"({"t": "x", "b": true, "i": -3, "whole": 4.0,
      "u": 18446744073709551615, "n": 2, "c": "red", "ns": [1, 2.5], "is": [3], "ts": ["p"],
      "o": {"k": 1}, "os": [{"k": 2}, {"k": 3}], "none": null})");
  JsonObject object(value, "f.json");
  EXPECT_EQ(object.text("t"), "x");
  EXPECT_TRUE(object.boolean("b"));
  EXPECT_EQ(object.integer("i", -5, 5), -3);
  EXPECT_EQ(object.integer("whole", 0, 9), 4);
  EXPECT_EQ(object.unsigned_integer("u", 0), 18446744073709551615ULL);
  EXPECT_EQ(object.number("n", 0, 10), 2.0);
  EXPECT_EQ(object.choice("c", {"red", "blue"}), "red");
  EXPECT_THAT(object.numbers("ns", 0, 3), ElementsAre(1, 2.5));
  EXPECT_THAT(object.integers("is", 0, 3), ElementsAre(3));
  EXPECT_THAT(object.texts("ts"), ElementsAre("p"));
  EXPECT_EQ(object.object("o").integer("k", 0, 9), 1);
  EXPECT_EQ(object.objects("os").at(1).integer("k", 0, 9), 3);
  EXPECT_FALSE(object.has("none"));
  EXPECT_NO_THROW(object.finish());
}

TEST(JsonObject, FallsBackWhenAbsentOrNull) {
  const Json value = {{"x", nullptr}};
  JsonObject object(value, "f.json");
  EXPECT_EQ(object.text("x", "d"), "d");
  EXPECT_EQ(object.boolean("b", true), true);
  EXPECT_EQ(object.integer("i", 0, 1, 7), 7);
  EXPECT_EQ(object.unsigned_integer("u", 9), 9U);
  EXPECT_EQ(object.number("n", 0, 1, 0.5), 0.5);
  EXPECT_EQ(object.choice("c", {"a"}, "b"), "b");
  EXPECT_THAT([&] { object.text("x"); }, throws_usage(StrEq("f.json: x: is missing")));
}

TEST(JsonObject, NamesTheFullKeyPath) {
  const Json value = Json::parse(R"({"tumors": [{"size": 1}, {"size": "big"}]})");
  JsonObject object(value, "f.json", "[3]");
  JsonObject second = object.objects("tumors").at(1);
  EXPECT_THAT([&] { second.number("size", 1, 200); },
              throws_usage(StrEq("f.json: [3].tumors[1].size: is text, expected a number from 1 to "
                                 "200")));
}

TEST(JsonObject, RefusesWrongTypesAndRanges) {
  const Json value = Json::parse(R"({"s": "x", "n": 2.5, "big": 1e300, "neg": -1, "a": [1, "x"],
      "huge": 18446744073709551615, "c": "rde"})");
  JsonObject object(value, "f");
  EXPECT_THAT([&] { object.boolean("s"); }, throws_usage(HasSubstr("expected true or false")));
  EXPECT_THAT([&] { object.text("n"); }, throws_usage(HasSubstr("is a number, expected text")));
  EXPECT_THAT([&] { object.integer("n", 0, 9); },
              throws_usage(StrEq("f: n: is 2.5, expected an integer from 0 to 9")));
  EXPECT_THAT([&] { object.integer("big", 0, 9); }, throws_usage(HasSubstr("expected an integer")));
  EXPECT_THAT([&] { object.integer("huge", 0, INT64_MAX); }, throws_usage(HasSubstr("integer")));
  EXPECT_THAT([&] { object.unsigned_integer("neg", 0); }, throws_usage(HasSubstr("is -1")));
  EXPECT_THAT([&] { object.number("neg", 0, 1); }, throws_usage(HasSubstr("from 0 to 1")));
  EXPECT_THAT([&] { object.numbers("a", 0, 9); },
              throws_usage(StrEq("f: a[1]: is text, expected a number from 0 to 9")));
  EXPECT_THAT([&] { object.integers("a", 2, 9); }, throws_usage(HasSubstr("f: a[0]: is 1")));
  EXPECT_THAT([&] { object.texts("a"); }, throws_usage(HasSubstr("a[0]: is a number")));
  EXPECT_THAT([&] { object.object("s"); }, throws_usage(HasSubstr("expected an object")));
  EXPECT_THAT([&] { object.objects("s"); }, throws_usage(HasSubstr("expected an array")));
  EXPECT_THAT([&] { object.objects("a"); }, throws_usage(HasSubstr("a[0]: is a number")));
  EXPECT_THAT(
      [&] {
        object.choice("c", {"red", "blue"});
      },
      throws_usage(StrEq("f: c: is \"rde\", expected one of: red, blue (did you mean "
                         "\"red\"?)")));
  const Json array = Json::array();
  EXPECT_THAT([&] { JsonObject(array, "f"); },
              throws_usage(StrEq("f: is an array, expected an object")));
}

TEST(JsonObject, FinishNamesTheNearestKnownKey) {
  const Json value = {{"spacing", 1}, {"zebra", 2}};
  JsonObject object(value, "f");
  object.has("spacing_mm");
  object.has("size");
  EXPECT_THAT([&] { object.finish(); },
              throws_usage(StrEq("f: spacing: is not a known key, expected one of: size, "
                                 "spacing_mm")));
  object.has("spacings");
  EXPECT_THAT([&] { object.finish(); },
              throws_usage(StrEq("f: spacing: is not a known key, did you mean \"spacings\"?")));
  object.number("spacing", 0, 2);
  EXPECT_THAT([&] { object.finish(); }, throws_usage(HasSubstr("zebra: is not a known key")));
}

TEST(JsonObject, HostileTextStaysOnOneLine) {
  const Json value = {{"c", "a\n\x1b[31mb"}};
  JsonObject object(value, "f");
  EXPECT_THAT([&] { object.choice("c", {"x"}); }, throws_usage(HasSubstr("a ?[31mb")));
}

}  // namespace
}  // namespace guidegen
