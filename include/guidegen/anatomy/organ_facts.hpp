#pragma once

#include <string>
#include <vector>

namespace guidegen {

/// Published facts about one label, used to build phantoms and to judge plausibility.
struct OrganFacts {
  std::string label;      ///< name in the `torso` vocabulary
  double volume_ml_male;  ///< mean volume
  double volume_ml_female;
  double volume_spread;     ///< coefficient of variation (standard deviation / mean)
  double hu_native;         ///< mean HU without contrast
  double hu_portal_venous;  ///< mean HU about 70 s after contrast
  double hu_arterial;
  double hu_delayed;
  double hu_spread;           ///< standard deviation between patients
  std::string volume_source;  ///< citation
};

const std::vector<OrganFacts>& organ_facts();
/// Throws Error(kUsage) when the label has none.
const OrganFacts& organ_facts(const std::string& label);

}  // namespace guidegen
