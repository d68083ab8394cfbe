#include "guidegen/volume/tissue_classes.hpp"

#include <limits>

namespace guidegen {

const std::vector<TissueClass>& tissue_classes() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static const std::vector<TissueClass> classes = {
      {"air", -kInfinity, -950},  {"lung", -950, -500}, {"fat", -150, -30},
      {"soft_tissue", -160, 240}, {"bone", 240, 1000},  {"dense", 1000, kInfinity},
      {"metal", 2500, kInfinity}};
  return classes;
}

const std::vector<double>& tissue_borders() {
  static const std::vector<double> borders = {-950, -500, -150, -30, 240, 1000};
  return borders;
}

}  // namespace guidegen
