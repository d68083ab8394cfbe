#include "guidegen/anatomy/color_tables.hpp"

#include <sstream>

namespace guidegen {

std::string slicer_color_table(const Vocabulary& vocabulary) {
  std::ostringstream out;
  out << "# Color table of vocabulary " << vocabulary.name() << "\n";
  for (const LabelInfo& label : vocabulary.labels()) {
    out << label.id << ' ' << label.name;
    for (const uint8_t part : label.color) out << ' ' << static_cast<int>(part);
    out << ' ' << (label.id == vocabulary.background() ? 0 : 255) << '\n';
  }
  return out.str();
}

std::string itksnap_label_descriptions(const Vocabulary& vocabulary) {
  std::ostringstream out;
  out << "# ITK-SNAP label descriptions of vocabulary " << vocabulary.name() << "\n"
      << "# index red green blue opacity visible mesh-visible name\n";
  for (const LabelInfo& label : vocabulary.labels()) {
    const int shown = label.id == vocabulary.background() ? 0 : 1;
    out << label.id;
    for (const uint8_t part : label.color) out << ' ' << static_cast<int>(part);
    out << ' ' << shown << ' ' << shown << ' ' << shown << " \"" << label.name << "\"\n";
  }
  return out.str();
}

}  // namespace guidegen
