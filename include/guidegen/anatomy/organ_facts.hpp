#pragma once

#include <string>
#include <vector>

namespace guidegen {

/// What is known about one label of adults, used to build phantoms and to judge plausibility.
/// Volumes in ml, whole-organ means of CT numbers in HU; sources and how far to trust them are in
/// organ_facts.cpp. Healthy organs: a tumor's voxels are not part of them.
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

/// All labels of `torso` but background, body and tumor, which have no typical size or density.
const std::vector<OrganFacts>& organ_facts();
/// Throws Error(kUsage) when the label has none.
const OrganFacts& organ_facts(const std::string& label);

}  // namespace guidegen
