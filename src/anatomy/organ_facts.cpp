#include "guidegen/anatomy/organ_facts.hpp"

#include <algorithm>

#include "guidegen/core/error.hpp"
#include "guidegen/core/json.hpp"

// Where the numbers come from
//
// Volumes of liver, spleen, kidneys, pancreas: Geraghty et al., "Normal organ volume assessment
// from abdominal CT", Abdominal Imaging 29 (2004) 482-490, 149 adults outlined by hand. Organs that
// the reference adult of ICRP Publication 89 lists by mass: mass over a density of 1.05. Lobes:
// total lung volume in supine inspiration times the shares of Yamada et al., Respiration 99 (2020)
// 598-605 (right upper 17.9 %, middle 9.3 %, lower 26.5 %, left upper 23.1 %, lower 23.2 %).
// Everything else is marked approximate: a rounded figure that adults are spread around, estimated
// from textbook lengths and calibers, good for judging an outlier and for nothing finer.
//
// CT numbers are approximate throughout: they depend on tube voltage, on the dose and timing of the
// contrast medium and on the scanner (Lamba et al., AJR 203 (2014) 1013-1020, find the same organ
// to differ between two makes). Whole-organ means, so walls, contents and partial volume count: a
// trachea is above -1000 HU, a colon is somewhere between stool and gas.

namespace guidegen {
namespace {

const char* const kGeraghty =
    "Geraghty et al., Abdom Imaging 2004;29:482 (means; spread approximate)";
const char* const kLobes =
    "lobe shares: Yamada et al., Respiration 2020;99:598; total lung volume 5.2 l (men), 4.0 l "
    "(women) and spread approximate";
const char* const kIcrp =
    "ICRP Publication 89 (2002), reference mass / 1.05 g/ml; spread approximate";
const char* const kIcrpWithContents =
    "ICRP Publication 89 (2002), wall and contents / 1.05 g/ml; spread approximate, gas adds to it";
const char* const kApproximate = "approximate, from textbook dimensions";
const char* const kFieldOfView =
    "approximate, from textbook dimensions; depends on how much of the skeleton the scan covers";

std::vector<OrganFacts> make_facts() {
  // label, volume in ml (men, women), its spread; HU native, portal venous, arterial, delayed,
  // spread; source of the volume
  return {
      {"spleen", 238.4, 179.8, 0.40, 47, 122, 118, 90, 14, kGeraghty},
      {"kidney_right", 193.1, 156.5, 0.20, 32, 170, 120, 140, 22, kGeraghty},
      {"kidney_left", 193.1, 156.5, 0.20, 32, 170, 120, 140, 22, kGeraghty},
      {"gallbladder", 65, 53, 0.50, 10, 12, 10, 13, 8, kIcrpWithContents},
      {"liver", 1710, 1411, 0.22, 57, 110, 70, 88, 14, kGeraghty},
      {"stomach", 380, 352, 0.50, 30, 45, 40, 42, 35, kIcrpWithContents},
      {"pancreas", 87.4, 64.4, 0.28, 40, 92, 92, 72, 16, kGeraghty},
      {"adrenal_right", 5.2, 4.5, 0.30, 22, 62, 55, 50, 15,
       "approximate, near Geraghty et al., Abdom Imaging 2004;29:482 (women, left: 4.4 ml)"},
      {"adrenal_left", 5.4, 4.4, 0.30, 22, 62, 55, 50, 15,
       "approximate for men; women: Geraghty et al., Abdom Imaging 2004;29:482"},
      {"lung_upper_left", 1201, 924, 0.22, -835, -825, -830, -828, 40, kLobes},
      {"lung_lower_left", 1206, 928, 0.25, -810, -798, -804, -800, 45, kLobes},
      {"lung_upper_right", 931, 716, 0.24, -835, -825, -830, -828, 40, kLobes},
      {"lung_middle_right", 484, 372, 0.26, -845, -836, -840, -838, 40, kLobes},
      {"lung_lower_right", 1378, 1060, 0.25, -810, -798, -804, -800, 45, kLobes},
      {"esophagus", 38, 33, 0.30, 30, 50, 42, 46, 20, kIcrp},
      {"trachea", 45, 32, 0.25, -930, -930, -930, -930, 40,
       "approximate, from textbook dimensions; with the main bronchi"},
      {"small_bowel", 880, 770, 0.35, 25, 62, 50, 55, 22,
       "ICRP Publication 89 (2002), wall and contents / 1.05 g/ml, less the duodenum; spread "
       "approximate"},
      {"duodenum", 72, 62, 0.35, 28, 65, 55, 56, 20, kApproximate},
      {"colon", 640, 650, 0.40, -20, 0, -8, -4, 90, kIcrpWithContents},
      {"bladder", 200, 200, 0.60, 6, 8, 6, 45, 20,
       "approximate; depends on filling, contrast medium arrives in the delayed phase"},
      {"prostate_uterus", 30, 76, 0.45, 40, 85, 62, 82, 20,
       "prostate approximate (grows with age); uterus: ICRP Publication 89 (2002), 80 g"},
      {"heart", 800, 590, 0.22, 42, 130, 170, 105, 28, kIcrp},
      {"aorta", 230, 165, 0.25, 42, 150, 300, 112, 35, kApproximate},
      {"inferior_vena_cava", 75, 65, 0.30, 40, 125, 70, 106, 25, kApproximate},
      {"portal_splenic_veins", 36, 29, 0.30, 42, 160, 105, 110, 25, kApproximate},
      {"spine", 950, 720, 0.15, 205, 218, 210, 214, 55, kFieldOfView},
      {"bone", 2200, 1650, 0.20, 340, 346, 342, 344, 80, kFieldOfView},
  };
}

}  // namespace

const std::vector<OrganFacts>& organ_facts() {
  static const std::vector<OrganFacts> facts = make_facts();
  return facts;
}

const OrganFacts& organ_facts(const std::string& label) {
  const std::vector<OrganFacts>& facts = organ_facts();
  const auto found = std::find_if(facts.begin(), facts.end(),
                                  [&](const OrganFacts& entry) { return entry.label == label; });
  if (found != facts.end()) return *found;
  std::vector<std::string> labels;
  for (const OrganFacts& entry : facts) labels.push_back(entry.label);
  const std::string near = nearest_match(label, labels);
  throw_usage("no published facts about \"", label, "\"",
              near.empty() ? "" : ", did you mean \"" + near + "\"?");
}

}  // namespace guidegen
