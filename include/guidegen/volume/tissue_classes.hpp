#pragma once

#include <string>
#include <vector>

namespace guidegen {

/// What a voxel of a CT holds by its Hounsfield value alone: low_hu <= HU < high_hu.
struct TissueClass {
  std::string name;
  double low_hu = 0;   ///< -infinity: no lower end
  double high_hu = 0;  ///< +infinity: no upper end
};

/// The one place where the edges are. Classes overlap (fat is part of the soft-tissue window) and
/// leave gaps where voxels are mixtures (between lung and fat).
///
/// | class       | HU           | why there                                                      |
/// |-------------|--------------|----------------------------------------------------------------|
/// | air         | below -950   | threshold of air without tissue in lungs, emphysema (Gevenois  |
/// |             |              | et al., Am J Respir Crit Care Med 154:187, 1996)               |
/// | lung        | -950…-500    | aerated lung above that threshold (Gattinoni et al., Am J      |
/// |             |              | Respir Crit Care Med 164:1701, 2001: normally aerated to -500) |
/// | fat         | -150…-30     | within the usual -190…-30 (Kvist et al., Am J Clin Nutr        |
/// |             |              | 48:1351, 1988), less the mixtures with air                     |
/// | soft_tissue | -160…240     | the abdominal window: center 40, width 400                     |
/// | bone        | 240…1000     | above what that window shows, up to where +-1000 HU clips      |
/// | dense       | 1000 and up  | compact bone, teeth, metal: what clipping at +-1000 HU loses   |
/// | metal       | 2500 and up  | beyond compact bone; 3071 is the end of a scanner's 12 bits    |
const std::vector<TissueClass>& tissue_classes();

/// HU that split the range without overlaps or gaps: air, lung, mixtures of lung or air with the
/// rest, fat, soft tissue, bone, dense. Ascending.
const std::vector<double>& tissue_borders();

}  // namespace guidegen
