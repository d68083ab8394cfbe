#include "data/phantom/patient.hpp"

#include <array>

#include "guidegen/anatomy/organ_facts.hpp"

namespace guidegen::phantom {
namespace {

constexpr std::array kSolidOrgans{"trachea",
                                  "esophagus",
                                  "spleen",
                                  "kidney_right",
                                  "kidney_left",
                                  "gallbladder",
                                  "liver",
                                  "stomach",
                                  "pancreas",
                                  "adrenal_right",
                                  "adrenal_left",
                                  "small_bowel",
                                  "duodenum",
                                  "colon",
                                  "bladder",
                                  "prostate_uterus",
                                  "heart",
                                  "aorta",
                                  "inferior_vena_cava",
                                  "portal_splenic_veins"};
constexpr std::array kLobes{"lung_upper_left", "lung_lower_left", "lung_upper_right",
                            "lung_middle_right", "lung_lower_right"};

// A factor of mean 1 and coefficient of variation `cv`, log-normal, within 1.8 deviations.
double spread_factor(RandomStream& stream, double cv) {
  const double sigma = std::sqrt(std::log(1.0 + cv * cv));
  return std::exp(sigma * std::clamp(stream.normal(), -1.8, 1.8) - 0.5 * sigma * sigma);
}

double mean_volume(const OrganFacts& facts, bool male) {
  return male ? facts.volume_ml_male : facts.volume_ml_female;
}

void draw_volumes(Patient& patient, RandomStream& stream) {
  for (const char* label : kSolidOrgans) {
    const OrganFacts& facts = organ_facts(label);
    patient.volume_ml[label] =
        mean_volume(facts, patient.male()) * spread_factor(stream, facts.volume_spread);
  }
  // Lobes share the depth of the breath; only what is left of their spread is their own.
  const double breath = spread_factor(stream, 0.16);
  double lungs = 0;
  for (const char* label : kLobes) {
    const OrganFacts& facts = organ_facts(label);
    const double volume = mean_volume(facts, patient.male()) * breath * spread_factor(stream, 0.08);
    patient.volume_ml[label] = volume;
    lungs += volume;
  }
  patient.volume_ml["lungs"] = lungs;
}

}  // namespace

Patient draw_patient(const Prompt& wish, RandomStream& stream) {
  Patient patient;
  // Every number is drawn whether or not the wish overrides it: setting one field changes no other.
  const bool male = stream.flip(0.5);
  const auto age = static_cast<int>(20 + stream.integer(71));
  const auto race = static_cast<Race>(stream.choice({0.18, 0.14, 0.46, 0.16, 0.06}));
  const auto contrast = static_cast<ContrastPhase>(stream.choice({0.22, 0.18, 0.45, 0.15}));
  patient.sex = wish.sex.value_or(male ? Sex::kMale : Sex::kFemale);
  patient.age = wish.age.value_or(age);
  patient.race = wish.race.value_or(race);
  patient.contrast = wish.contrast.value_or(contrast);

  const double obesity = stream.uniform();
  patient.fat_mm =
      static_cast<float>(5.0 + 21.0 * obesity * obesity + (patient.male() ? 0.0 : 3.0));
  patient.visceral_fat = static_cast<float>(std::clamp(
      0.8 * obesity + (patient.male() ? 0.15 : 0.0) + stream.normal(0.0, 0.08), 0.0, 1.0));
  const double height = std::clamp(stream.normal(0.0, 0.02), -0.04, 0.04);
  const double girth = std::clamp(stream.normal(0.0, 0.025), -0.05, 0.05) + 0.03 * (obesity - 0.4);
  const double build = patient.male() ? 1.04 : 0.965;
  patient.scale = {static_cast<float>(build * (1.0 + girth)),
                   static_cast<float>(build * (1.0 + girth + 0.05 * (obesity - 0.4))),
                   static_cast<float>((patient.male() ? 1.03 : 0.98) * (1.0 + height))};
  draw_volumes(patient, stream);
  return patient;
}

}  // namespace guidegen::phantom
