#pragma once

#include "guidegen/generate/gates.hpp"

namespace guidegen {

/// The gates tumor_organ, tumor_count and tumor_position that apply to the prompt.
std::vector<Gate> tumor_gates(const Prompt& prompt, const std::vector<FoundTumor>& tumors,
                              const GateSettings& settings);

/// The gates organs_present and organ_volumes, if they apply.
std::vector<Gate> organ_gates(const Volume& mask, const Prompt& prompt,
                              const std::vector<FoundTumor>& tumors, const ImageGeometry& trained,
                              const Vocabulary& vocabulary, const GateSettings& settings);

}  // namespace guidegen
