#include <algorithm>

#include "guidegen/prompt/prompt.hpp"

namespace guidegen {
namespace {

struct PositionName {
  TumorOrgan organ;
  const char* name;   // as JSON has it
  const char* place;  // in a sentence
};

// In the order of TumorPosition.
constexpr std::array<PositionName, kTumorPositionCount> kPositions{{
    {TumorOrgan::kLung, "left-upper", "left upper lobe of the lung"},
    {TumorOrgan::kLung, "left-lower", "left lower lobe of the lung"},
    {TumorOrgan::kLung, "right-upper-middle", "right upper or middle lobe of the lung"},
    {TumorOrgan::kLung, "right-lower", "right lower lobe of the lung"},
    {TumorOrgan::kKidney, "left", "left kidney"},
    {TumorOrgan::kKidney, "right", "right kidney"},
    {TumorOrgan::kColon, "ascending", "ascending colon"},
    {TumorOrgan::kColon, "transverse", "transverse colon"},
    {TumorOrgan::kColon, "descending", "descending colon"},
    {TumorOrgan::kColon, "sigmoid-rectum", "sigmoid colon or rectum"},
    {TumorOrgan::kLiver, "left", "left lobe of the liver"},
    {TumorOrgan::kLiver, "right", "right lobe of the liver"},
    {TumorOrgan::kPancreas, "head", "head of the pancreas"},
    {TumorOrgan::kPancreas, "body", "body of the pancreas"},
    {TumorOrgan::kPancreas, "tail", "tail of the pancreas"},
}};

const PositionName& entry(TumorPosition value) { return kPositions.at(static_cast<size_t>(value)); }

}  // namespace

std::vector<std::string> sex_names() { return {"female", "male"}; }
std::vector<std::string> race_names() { return {"asian", "black", "white", "hispanic", "other"}; }
std::vector<std::string> contrast_names() {
  return {"none", "arterial", "portal-venous", "delayed"};
}
std::vector<std::string> tumor_organ_names() {
  return {"lung", "liver", "kidney", "colon", "pancreas"};
}

std::string name_of(Sex value) { return sex_names().at(static_cast<size_t>(value)); }
std::string name_of(Race value) { return race_names().at(static_cast<size_t>(value)); }
std::string name_of(ContrastPhase value) { return contrast_names().at(static_cast<size_t>(value)); }
std::string name_of(TumorOrgan value) { return tumor_organ_names().at(static_cast<size_t>(value)); }
std::string name_of(TumorPosition value) { return entry(value).name; }
std::string place_in_words(TumorPosition position) { return entry(position).place; }
TumorOrgan organ_of(TumorPosition position) { return entry(position).organ; }

std::vector<TumorPosition> positions_of(TumorOrgan organ) {
  std::vector<TumorPosition> positions;
  for (int i = 0; i < kTumorPositionCount; ++i) {
    const auto position = static_cast<TumorPosition>(i);
    if (organ_of(position) == organ) positions.push_back(position);
  }
  return positions;
}

}  // namespace guidegen
