#include <gtest/gtest.h>

#include "prompt/readings.hpp"

namespace guidegen {
namespace {

TEST(FreeTextReadings, PicturesThatAreNormal) {
  const Reading readings[] = {
      {"generate a normal chest-abdomen CT, male, 30 years",
       R"({"sex":"male","age":30,"tumors":[]})"},
      {"CT of the chest and abdomen was normal.", R"({"tumors":[]})"},
      {"MVC, 33M, pan-scan negative.", R"({"sex":"male","age":33,"tumors":[]})"},
      {"Scanner thoraco-abdomino-pelvien normal.", R"({"tumors":[]})"},
      {"正常腹部CT", R"({"tumors":[]})"},
      {"Lungs clear. Liver, kidneys and pancreas normal.", R"({"tumors":[]})"},
      {"not a normal CT", R"({})"},
      {"The liver is normal.", R"({})"},
      {"Known RCC right kidney, CT chest negative.",
       R"({"tumors":[{"organ":"kidney","position":"right"}]})"},
  };
  expect_readings(readings);
}

TEST(FreeTextReadings, OperationsThatRemovedNothingYet) {
  const Reading readings[] = {
      {"Case 2231: male, 68, lung cancer, stage IIB, surgery approved.",
       R"({"sex":"male","age":68,"tumors":[{"organ":"lung","stage":"IIB"}]})"},
      {"Right upper lobe lobectomy: adenocarcinoma, 1.7 cm",
       R"({"tumors":[{"organ":"lung","position":"right-upper-middle","count":1,"size_mm":17}]})"},
      {"Rectal cancer, no prior radiotherapy.",
       R"({"tumors":[{"organ":"colon","position":"sigmoid-rectum"}]})"},
      {"Approved: CT abdomen for surveillance of resected colon cancer", R"({"tumors":[]})"},
      {"Known colon cancer, not resected yet.", R"({"tumors":[{"organ":"colon"}]})"},
      {"She had colon cancer ten years ago.", R"({"sex":"female","tumors":[]})"},
  };
  expect_readings(readings);
}

TEST(FreeTextReadings, AgesBesidePersons) {
  const Reading readings[] = {
      {"boy, 11 months, hepatoblastoma", R"({"sex":"male","age":0,"tumors":[{"organ":"liver"}]})"},
      {"cough, 11 months, hepatoblastoma", R"({"tumors":[{"organ":"liver"}]})"},
      {"boy 6 kidney tumor", R"({"sex":"male","age":6,"tumors":[{"organ":"kidney","count":1}]})"},
      {"6 kidney tumors", R"({"tumors":[{"organ":"kidney","count":6}]})"},
      {"My brother's (52) CT shows a lung nodule.",
       R"({"sex":"male","age":52,"tumors":[{"organ":"lung","count":1}]})"},
      {"late 60s M, liver tumor",
       R"({"sex":"male","age":68,"tumors":[{"organ":"liver","count":1}]})"},
      {"I am a 38 year old mum with kidney cancer.",
       R"({"sex":"female","age":38,"tumors":[{"organ":"kidney"}]})"},
      {"men and women with colon cancer, age 18 or older", R"({"tumors":[{"organ":"colon"}]})"},
      {"a firm white mass in the liver", R"({"tumors":[{"organ":"liver","count":1}]})"},
      {"a white man with a mass in the liver",
       R"({"sex":"male","race":"white","tumors":[{"organ":"liver","count":1}]})"},
  };
  expect_readings(readings);
}

TEST(FreeTextReadings, SegmentsWhoseWordIsSaidOnce) {
  const Reading readings[] = {
      {"2 liver mets, 1.1 and 2.0 cm, seg II & VI",
       R"({"tumors":[{"organ":"liver","position":"left","count":1,"size_mm":11},)"
       R"({"organ":"liver","position":"right","count":1,"size_mm":20}]})"},
      {"3 lesions in liver: seg 2, seg 4a, seg 8",
       R"({"tumors":[{"organ":"liver","position":"left","count":2},)"
       R"({"organ":"liver","position":"right","count":1}]})"},
      {"The right kidney is tumor-free, the left one has a 4 cm mass.",
       R"({"tumors":[{"organ":"kidney","position":"left","count":1,"size_mm":40}]})"},
      {"Segment 4 and 2 lesions in the lung", R"({"tumors":[{"organ":"lung","count":2}]})"},
      {"nodules: 2x left upper lobe 7 mm, 1x right lower lobe 12 mm",
       R"({"tumors":[{"organ":"lung","position":"left-upper","count":2,"size_mm":7},)"
       R"({"organ":"lung","position":"right-lower","count":1,"size_mm":12}]})"},
  };
  expect_readings(readings);
}

}  // namespace
}  // namespace guidegen
