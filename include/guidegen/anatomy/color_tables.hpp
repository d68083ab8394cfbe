#pragma once

#include <string>

#include "guidegen/anatomy/vocabulary.hpp"

namespace guidegen {

/// Text of a 3D Slicer color table (.ctbl): one line "id name R G B A" a label, background clear.
std::string slicer_color_table(const Vocabulary& vocabulary);

/// Text of an ITK-SNAP label description file: index, R, G, B, opacity, two visibility flags, name.
std::string itksnap_label_descriptions(const Vocabulary& vocabulary);

}  // namespace guidegen
