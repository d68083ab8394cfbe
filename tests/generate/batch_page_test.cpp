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
            {"contrast", "arterial"},
            {"tumors", Json::array({{{"organ", "liver"}, {"count", 2}, {"size_mm", 12.5}}})}}},
          {"gates_passed", false},
          {"gates", Json::array({{{"name", "tumor_organ"},
                                  {"passed", false},
                                  {"wanted", {"liver"}},
                                  {"measured", Json::object()}}})},
          {"tumors_found", Json::array()},
          {"size", {32, 32, 32}},
          {"spacing_mm", {12.0, 12.0, 12.0}},
          {"seed", 7},
          {"attempts", 4},
          {"seconds", 1.5}};
}

TEST(BatchPage, LoadsNothingFromAnywhere) {
  const std::string page = render_page({{record_named("a"), "png"}}, "batch");
  for (const char* address : {"http:", "https:", "//cdn", "@import", "url(", "src=\"/", "<link"}) {
    EXPECT_THAT(page, Not(HasSubstr(address)));
  }
  EXPECT_THAT(page, HasSubstr("src=\"data:image/png;base64,cG5n\""));
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme: dark"));
}

TEST(BatchPage, ShowsFieldsAndGates) {
  const std::string page = render_page({{record_named("a"), "png"}}, "batch");
  EXPECT_THAT(page, HasSubstr("data-organ=\"liver\""));
  EXPECT_THAT(page, HasSubstr("data-sex=\"male\""));
  EXPECT_THAT(page, HasSubstr("data-gates=\"failed\""));
  EXPECT_THAT(page, HasSubstr("2 × liver tumor, 12.5 mm"));
  EXPECT_THAT(page, HasSubstr("<td>tumor_organ<td>liver<td>none<td>"));
  EXPECT_THAT(page, HasSubstr("32 × 32 × 32 voxels of 12 × 12 × 12 mm"));
}

TEST(BatchPage, TextIsEscaped) {
  const std::string page = render_page({{record_named("a"), "png"}}, "<script>");
  EXPECT_THAT(page, HasSubstr("a &lt;b&gt;62&lt;/b&gt; year old &quot;man&quot; &amp; more"));
  EXPECT_THAT(page, HasSubstr("<title>&lt;script&gt;</title>"));
}

TEST(BatchPage, DigestLeavesTimeOutAndNothingElse) {
  Json other = record_named("a");
  other["seconds"] = 99;
  EXPECT_EQ(page_digest({record_named("a")}), page_digest({other}));
  other["gates_passed"] = true;
  EXPECT_NE(page_digest({record_named("a")}), page_digest({other}));
  EXPECT_THAT(render_page({{record_named("a"), "png"}}, "t").substr(0, 4096),
              HasSubstr(page_digest({record_named("a")})));
}

}  // namespace
}  // namespace guidegen
