#include <gmock/gmock.h>

#include "guidegen/core/error.hpp"
#include "guidegen/generate/batch_report.hpp"

namespace guidegen {
namespace {

using testing::HasSubstr;
using testing::Not;

Json record_named(const std::string& id) {
  return {{"id", id},
          {"text", "a <b>62</b> year old \"man\" & more"},
          {"prompt",
           {{"id", id},
            {"sex", "male"},
            {"age", 62},
            {"contrast", "arterial"},
            {"tumors", Json::array({{{"organ", "liver"}, {"count", 2}, {"size_mm", 12.5}}})}}},
          {"gates_passed", false},
          {"gates", Json::array({{{"name", "tumor_organ"},
                                  {"passed", false},
                                  {"wanted", {"liver"}},
                                  {"measured", Json::object()}}})},
          {"tumors_found", Json::array({{{"organ", "liver"},
                                         {"position", nullptr},
                                         {"diameter_mm", 12.3456},
                                         {"volume_ml", 1}}})},
          {"size", {32, 32, 32}},
          {"spacing_mm", {12.0, 12.0, 12.0}},
          {"files", {{"mask.nii.gz", "aa"}, {"ct.nii.gz", "bb"}}},
          {"seed", 18446744073709551615ULL},
          {"attempts", 4},
          {"seconds", 1.5}};
}

std::string page_of(const std::vector<Json>& records, const std::string& title = "batch") {
  std::vector<PageCase> cases;
  for (const Json& record : records) cases.push_back({record, 600, 516});
  return render_page(cases, title);
}

/// The block of JSON, found as a browser finds it: up to the first end tag.
std::string block_of(const std::string& page) {
  const std::string start = "<script type=\"application/json\" id=\"cases\">";
  const size_t from = page.find(start) + start.size();
  return page.substr(from, page.find("</script", from) - from);
}

TEST(BatchPage, LoadsNothingFromElsewhere) {
  const std::string page = page_of({record_named("a")});
  for (const char* address : {"http:", "https:", "//cdn", "@import", "url(", "src=\"", "<link"}) {
    EXPECT_THAT(page, Not(HasSubstr(address)));
  }
  EXPECT_THAT(page, HasSubstr("default-src 'none'; img-src 'self' file:"));
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme: dark"));
}

TEST(BatchPage, HoldsFieldsAndGates) {
  const Json cases = parse_json(block_of(page_of({record_named("a"), record_named("b")})), "page");
  ASSERT_EQ(cases.size(), 2U);
  const Json& entry = cases[0];
  EXPECT_EQ(entry["id"], "a");
  EXPECT_EQ(entry["sex"], "male");
  EXPECT_EQ(entry["age"], 62);
  EXPECT_EQ(entry["want"], parse_json(R"([{"organ": "liver", "count": 2, "mm": 12.5}])", "here"));
  EXPECT_EQ(entry["passed"], false);
  EXPECT_EQ(entry["gates"][0]["wanted"], "liver");
  EXPECT_EQ(entry["gates"][0]["measured"], "none");
  EXPECT_EQ(entry["found"], parse_json(R"([{"organ": "liver", "mm": 12.3, "ml": 1.0}])", "here"));
  EXPECT_EQ(entry["size"], "32 × 32 × 32");
  EXPECT_EQ(entry["spacing"], "12 × 12 × 12");
  EXPECT_EQ(entry["seed"], "18446744073709551615");  // as text, or a browser would round it
  EXPECT_EQ(entry["files"], Json({"prompt.json", "mask.nii.gz", "ct.nii.gz"}));
  EXPECT_EQ(entry["picture"], Json({600, 516}));
}

TEST(BatchPage, LeavesOpenWhatThePromptLeavesOpen) {
  Json open = record_named("a");
  open["prompt"] = {{"id", "a"}};
  Json none = record_named("b");
  none["prompt"]["tumors"] = Json::array();
  const Json cases = parse_json(block_of(page_of({open, none})), "page");
  EXPECT_FALSE(cases[0].contains("want"));
  EXPECT_FALSE(cases[0].contains("sex"));
  EXPECT_EQ(cases[1]["want"], Json::array());
}

TEST(BatchPage, NoTextCanLeaveItsPlace) {
  const std::string hostile =
      "</script><script>alert(1)</script><!-- <script> ]]> \\u003c \" ' & \xE2\x80\xA8 "
      "\xF0\x9F\x98\x80";
  Json record = record_named("a");
  record["text"] = hostile;
  record["gates"][0]["name"] = hostile;
  record["prompt"]["sex"] = hostile;
  const std::string page = page_of({record}, "<script>");
  const std::string block = block_of(page);
  EXPECT_THAT(block, Not(HasSubstr("<")));
  const Json cases = parse_json(block, "page");
  EXPECT_EQ(cases[0]["text"], hostile);
  EXPECT_EQ(cases[0]["gates"][0]["name"], hostile);
  EXPECT_EQ(cases[0]["sex"], hostile);
  EXPECT_THAT(page, HasSubstr("<title>&lt;script&gt;</title>"));
  EXPECT_THAT(page, HasSubstr("<h1>&lt;script&gt;</h1>"));
  // The script makes no markup out of texts.
  for (const char* way : {"innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval("}) {
    EXPECT_THAT(page, Not(HasSubstr(way)));
  }
}

TEST(BatchPage, StaysSmallWithManyCases) {
  std::vector<Json> records;
  for (int i = 0; i < 1000; ++i) records.push_back(record_named("case-" + std::to_string(i)));
  EXPECT_LT(page_of(records).size(), size_t{1} << 20);
}

TEST(BatchPage, DigestLeavesTimeOutAndNothingElse) {
  Json other = record_named("a");
  other["seconds"] = 99;
  EXPECT_EQ(page_digest({record_named("a")}), page_digest({other}));
  EXPECT_EQ(page_of({record_named("a")}), page_of({other}));
  other["gates_passed"] = true;
  EXPECT_NE(page_digest({record_named("a")}), page_digest({other}));
  EXPECT_THAT(page_of({record_named("a")}).substr(0, 4096),
              HasSubstr(page_digest({record_named("a")})));
}

}  // namespace
}  // namespace guidegen
