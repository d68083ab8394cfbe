#include <gtest/gtest.h>

#include "prompt/readings.hpp"

namespace guidegen {
namespace {

TEST(FreeTextReadings, HistoryOfOperations) {
  const Reading readings[] = {
      {"s/p left nephrectomy for RCC 2015, no evidence of recurrence", R"({"tumors":[]})"},
      {"pT1a pN0 RCC of the right kidney, resected 2018, now 2 lung mets in RLL",
       R"({"tumors":[{"organ":"lung","position":"right-lower","count":2}]})"},
      {"Scheduled for nephrectomy because of a 4 cm mass in the left kidney",
       R"({"tumors":[{"organ":"kidney","position":"left","count":1,"size_mm":40}]})"},
      {"Planned right hemicolectomy for a cecal carcinoma, 5 cm",
       R"({"tumors":[{"organ":"colon","position":"ascending","count":1,"size_mm":50}]})"},
      {"local recurrence of pancreatic cancer after Whipple, 25 mm",
       R"({"tumors":[{"organ":"pancreas","count":1,"size_mm":25}]})"},
      {"HCC treated with TACE, residual viable tumor 2 cm segment 8",
       R"({"tumors":[{"organ":"liver","position":"right","count":1,"size_mm":20}]})"},
      {"his right kidney was taken out because of cancer ten years ago",
       R"({"sex":"male","tumors":[]})"},
      {"Geplante Hemikolektomie rechts bei Zökumkarzinom, 5 cm",
       R"({"tumors":[{"organ":"colon","position":"ascending","count":1,"size_mm":50}]})"},
      {"男，63岁，右肾癌术后，左肾见3cm肿块",
       R"({"sex":"male","age":63,"tumors":[{"organ":"kidney","position":"left",)"
       R"("size_mm":30}]})"},
  };
  expect_readings(readings);
}

TEST(FreeTextReadings, RelativesAsPatientsOrHistory) {
  const Reading readings[] = {
      {"my mother has a tumor in her liver; make her CT",
       R"({"sex":"female","tumors":[{"organ":"liver","count":1}]})"},
      {"my mother had colon cancer. I am 40 and have a 2 cm mass in my pancreas.",
       R"({"age":40,"tumors":[{"organ":"pancreas","count":1,"size_mm":20}]})"},
      {"Father with pancreatic cancer. 50 year old woman, normal CT.",
       R"({"sex":"female","age":50,"tumors":[]})"},
      {"I'd like an Asian grandmother, 79, with lung cancer in the right upper lobe",
       R"({"sex":"female","age":79,"race":"asian","tumors":[{"organ":"lung",)"
       R"("position":"right-upper-middle"}]})"},
      {"My dad is 72 and has kidney cancer on the right side",
       R"({"sex":"male","age":72,"tumors":[{"organ":"kidney","position":"right"}]})"},
      {"colon cancer in his father", R"({"sex":"male","tumors":[]})"},
      {"Mein Vater ist an Bauchspeicheldrüsenkrebs gestorben. Ich bin 45, männlich, "
       "und habe einen 2 cm großen Knoten in der rechten Niere.",
       R"({"sex":"male","age":45,"tumors":[{"organ":"kidney","position":"right",)"
       R"("count":1,"size_mm":20}]})"},
      {"mi abuelita tiene una bola en el páncreas",
       R"({"sex":"female","tumors":[{"organ":"pancreas","count":1}]})"},
  };
  expect_readings(readings);
}

TEST(FreeTextReadings, CountsBesidePlaces) {
  const Reading readings[] = {
      {"Masses in lung (2), liver (3).",
       R"({"tumors":[{"organ":"lung","count":2},{"organ":"liver","count":3}]})"},
      {"right lung two, left lung one tumor",
       R"({"tumors":[{"organ":"lung","count":2},{"organ":"lung","count":1}]})"},
      {"Liver lesions: 2 right, 1 left",
       R"({"tumors":[{"organ":"liver","position":"right","count":2},{"organ":"liver",)"
       R"("position":"left","count":1}]})"},
      {"lesions: 2x liver, 1x lung",
       R"({"tumors":[{"organ":"liver","count":2},{"organ":"lung","count":1}]})"},
      {"three lung nodules, 2 of them in the LUL",
       R"({"tumors":[{"organ":"lung","position":"left-upper","count":2},{"organ":"lung",)"
       R"("count":1}]})"},
      {"3 tumors: 1 in the lung and 2 in the liver",
       R"({"tumors":[{"organ":"lung","count":1},{"organ":"liver","count":2}]})"},
      {"colorectal liver metastases, 3, up to 4.5 cm",
       R"({"tumors":[{"organ":"liver","count":3,"size_mm":45}]})"},
      {"Three colon tumors: ascending, transverse and sigmoid colon, one each.",
       R"({"tumors":[{"organ":"colon","position":"ascending","count":1},)"
       R"({"organ":"colon","position":"transverse","count":1},{"organ":"colon",)"
       R"("position":"sigmoid-rectum","count":1}]})"},
  };
  expect_readings(readings);
}

TEST(FreeTextReadings, SizesOfTheirOwn) {
  const Reading readings[] = {
      {"Pulmonary nodules in RUL and LLL measuring 8 and 12 mm respectively",
       R"({"tumors":[{"organ":"lung","position":"right-upper-middle","count":1,)"
       R"("size_mm":8},{"organ":"lung","position":"left-lower","count":1,"size_mm":12}]})"},
      {"a 5 cm and a 2 cm mass in the right and left kidney respectively",
       R"({"tumors":[{"organ":"kidney","position":"right","count":1,"size_mm":50},)"
       R"({"organ":"kidney","position":"left","count":1,"size_mm":20}]})"},
      {"bilateral renal tumors, 3 cm on the right and 2 cm on the left",
       R"({"tumors":[{"organ":"kidney","position":"left","count":1,"size_mm":20},)"
       R"({"organ":"kidney","position":"right","count":1,"size_mm":30}]})"},
      {"patient with a 30mm kidney tumor on the left and a 12mm one on the right",
       R"({"tumors":[{"organ":"kidney","position":"left","count":1,"size_mm":30},)"
       R"({"organ":"kidney","position":"right","count":1,"size_mm":12}]})"},
      {"the largest tumor, 6 cm, sits in the right hepatic lobe; two smaller ones in "
       "the left",
       R"({"tumors":[{"organ":"liver","position":"right","count":1,"size_mm":60},)"
       R"({"organ":"liver","position":"left","count":2}]})"},
      {"interval growth of RLL nodule from 8 mm to 14 mm",
       R"({"tumors":[{"organ":"lung","position":"right-lower","count":1,"size_mm":14}]})"},
      {"a couple of small liver mets and a big 7 cm one in the right lobe",
       R"({"tumors":[{"organ":"liver","count":2},{"organ":"liver","position":"right",)"
       R"("count":1,"size_mm":70}]})"},
  };
  expect_readings(readings);
}

TEST(FreeTextReadings, SizesBesidePlacesBeforeTheTumor) {
  const Reading readings[] = {
      {"4 cm left and 2 cm right renal masses",
       R"({"tumors":[{"organ":"kidney","position":"left","count":1,"size_mm":40},)"
       R"({"organ":"kidney","position":"right","count":1,"size_mm":20}]})"},
      {"RLL 12 mm, LUL 6 mm nodules",
       R"({"tumors":[{"organ":"lung","position":"right-lower","count":1,"size_mm":12},)"
       R"({"organ":"lung","position":"left-upper","count":1,"size_mm":6}]})"},
      {"Two masses: right kidney 45 mm; left kidney 22 mm.",
       R"({"tumors":[{"organ":"kidney","position":"right","count":1,"size_mm":45},)"
       R"({"organ":"kidney","position":"left","count":1,"size_mm":22}]})"},
      {"two liver tumors, one in seg 5, one in seg 6",
       R"({"tumors":[{"organ":"liver","position":"right","count":2}]})"},
  };
  expect_readings(readings);
}

TEST(FreeTextReadings, LabelledValues) {
  const Reading readings[] = {
      {R"({"sex": "F", "age": 60, "organ": "liver", "count": 3, "size_mm": 12})",
       R"({"sex":"female","age":60,"tumors":[{"organ":"liver","count":3,"size_mm":12}]})"},
      {"sex=M age=61 organ=liver location=left n_tumors=2 max_diameter_mm=33",
       R"({"sex":"male","age":61,"tumors":[{"organ":"liver","position":"left",)"
       R"("count":2,"size_mm":33}]})"},
      {"Principal dx: C20 rectal cancer, T4b",
       R"({"tumors":[{"organ":"colon","position":"sigmoid-rectum","stage":"T4b"}]})"},
      {"50-60 year old male with HCC", R"({"sex":"male","age":55,"tumors":[{"organ":"liver"}]})"},
  };
  expect_readings(readings);
}

TEST(FreeTextReadings, FindingsThatAreNoLesionsLeaveTumorsOpen) {
  const Reading readings[] = {
      {"gallstones; male, 47", R"({"sex":"male","age":47})"},
      {"6 cm abscess in the pelvis, 19M", R"({"sex":"male","age":19})"},
      {"simple cyst of the left kidney, 19M", R"({"sex":"male","age":19,"tumors":[]})"},
      {"right lower lobe nodule: necrotizing granuloma", R"({"tumors":[]})"},
      {"Left nephrectomy tomorrow for a 6 cm tumor",
       R"({"tumors":[{"organ":"kidney","position":"left","count":1,"size_mm":60}]})"},
  };
  expect_readings(readings);
}

TEST(FreeTextReadings, TablesAndMeasuresWithoutTumorWords) {
  const Reading readings[] = {
      {"F 68y / pancreas head 1x / 31 mm / T2 / PV",
       R"({"sex":"female","age":68,"contrast":"portal-venous",)"
       R"("tumors":[{"organ":"pancreas","position":"head","count":1,"size_mm":31,)"
       R"("stage":"T2"}]})"},
      {"male,67,asian,liver,right,1,42mm,T2",
       R"({"sex":"male","age":67,"race":"asian","tumors":[{"organ":"liver",)"
       R"("position":"right","count":1,"size_mm":42,"stage":"T2"}]})"},
      {"f;62;white;lung;LUL;2;15mm",
       R"({"sex":"female","age":62,"race":"white","tumors":[{"organ":"lung",)"
       R"("position":"left-upper","count":2,"size_mm":15}]})"},
      {"Size 4 cm. Site: tail of pancreas. Histology: PDAC. Stage: T2.",
       R"({"tumors":[{"organ":"pancreas","position":"tail","size_mm":40,"stage":"T2"}]})"},
  };
  expect_readings(readings);
}

TEST(FreeTextReadings, ClausesWithPlacesFirst) {
  const Reading readings[] = {
      {"The right kidney contains stones and a 3.2 cm tumor; the left kidney is "
       "normal.",
       R"({"tumors":[{"organ":"kidney","position":"right","count":1,"size_mm":32}]})"},
      {"tumor in right kidney, left kidney has a cyst",
       R"({"tumors":[{"organ":"kidney","position":"right","count":1}]})"},
      {"the left lung has a 4 cm tumor in the lower lobe",
       R"({"tumors":[{"organ":"lung","position":"left-lower","count":1,"size_mm":40}]})"},
      {"The 5 cm mass seen before in the right kidney turned out to be a simple cyst.",
       R"({"tumors":[]})"},
      {"cannot exclude a small lesion in segment 8",
       R"({"tumors":[{"organ":"liver","position":"right","count":1}]})"},
      {"Biopsy excluded renal cell carcinoma.", R"({"tumors":[]})"},
  };
  expect_readings(readings);
}

}  // namespace
}  // namespace guidegen
