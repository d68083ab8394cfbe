#include <gtest/gtest.h>

#include "prompt/readings.hpp"

namespace guidegen {
namespace {

TEST(FreeTextReadings, HowManyAtWhichPlace) {
  const Reading readings[] = {
      {"liver: 2, lung: 0", R"({"tumors":[{"organ":"liver","count":2}]})"},
      {"patient with 3 kidney tumors on the left kidney and none on the right",
       R"({"tumors":[{"organ":"kidney","position":"left","count":3}]})"},
      {"left kidney: 2 tumors, right kidney: none",
       R"({"tumors":[{"organ":"kidney","position":"left","count":2}]})"},
      {"kidneys: 0", R"({"tumors":[]})"},
      {"tumor count zero", R"({"tumors":[]})"},
      {"number of tumors: 0", R"({"tumors":[]})"},
      {"organ: left_kidney, tumors: 2",
       R"({"tumors":[{"organ":"kidney","position":"left","count":2}]})"},
      {"liver(3), lung(1) mets",
       R"({"tumors":[{"organ":"liver","count":3},{"organ":"lung","count":1}]})"},
      {"two tumors in each kidney", R"({"tumors":[{"organ":"kidney","position":"left","count":2},)"
                                    R"({"organ":"kidney","position":"right","count":2}]})"},
      {"tumor in each lung", R"({"tumors":[{"organ":"lung","count":2}]})"},
      {"tumors in both lobes of the liver",
       R"({"tumors":[{"organ":"liver","position":"left"},{"organ":"liver","position":"right"}]})"},
  };
  expect_readings(readings);
}

TEST(FreeTextReadings, SizesOfSeveral) {
  const Reading readings[] = {
      {"liver lesions x3: 12, 18, 25 mm",
       R"({"tumors":[{"organ":"liver","count":1,"size_mm":12},)"
       R"({"organ":"liver","count":1,"size_mm":18},{"organ":"liver","count":1,"size_mm":25}]})"},
      {"liver tumor and kidney tumor, both 3 cm",
       R"({"tumors":[{"organ":"liver","count":1,"size_mm":30},)"
       R"({"organ":"kidney","count":1,"size_mm":30}]})"},
      {"mass shrank from 5 cm to 3 cm, pancreatic head",
       R"({"tumors":[{"organ":"pancreas","position":"head","count":1,"size_mm":30}]})"},
  };
  expect_readings(readings);
}

TEST(FreeTextReadings, WhereCancerCameFrom) {
  const Reading readings[] = {
      {"metastatic colon cancer to liver, 3 mets",
       R"({"tumors":[{"organ":"colon"},{"organ":"liver","count":3}]})"},
      {"started in the bowel and now it is in his liver",
       R"({"sex":"male","tumors":[{"organ":"colon"},{"organ":"liver"}]})"},
      {"pain that started in the pancreas", R"({})"},
  };
  expect_readings(readings);
}

}  // namespace
}  // namespace guidegen
