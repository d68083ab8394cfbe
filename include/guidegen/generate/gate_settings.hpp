#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "guidegen/core/json.hpp"

namespace guidegen {

/// What follows from a gate that fails.
enum class GateAction {
  kOff,     ///< it is not measured
  kReport,  ///< the manifest says so, and that is all
  kRetry,   ///< the case is tried again; one that never passes is marked
};

/// Which gates run and where their limits lie. What each measures: docs/generating.md.
struct GateSettings {
  struct OrgansPresent {
    GateAction action = GateAction::kOff;
    int64_t min_voxels = 0;  ///< organs whose published volume is smaller may be absent
  };
  struct OrganVolumes {
    GateAction action = GateAction::kOff;
    int64_t min_voxels = 0;  ///< organs whose published volume is smaller are not judged
    double deviations = 0;   ///< of the logarithm of the volume
  };
  struct OrganHu {
    GateAction action = GateAction::kOff;
    int64_t min_voxels = 0;  ///< organs of which the mask has less are not judged
    double deviations = 0;   ///< between patients
    std::vector<std::string> labels;
  };
  struct TumorVisible {
    GateAction action = GateAction::kOff;
    int64_t min_voxels = 0;  ///< smaller tumors are not judged
    double min_contrast_hu = 0;
  };

  GateAction tumor_organ = GateAction::kOff;
  GateAction tumor_count = GateAction::kOff;
  GateAction tumor_position = GateAction::kOff;
  OrgansPresent organs_present;
  OrganVolumes organ_volumes;
  OrganHu organ_hu;
  TumorVisible tumor_visible;

  /// The shipped configs/generate/gates.json.
  static GateSettings shipped();
  /// A document of the same form; what it leaves out is as shipped. Throws Error(kUsage) naming
  /// `source` and the key.
  static GateSettings from_json(const Json& document, const std::string& source);
  static GateSettings load(const std::filesystem::path& path);
};

std::string name_of(GateAction action);  ///< "off", "report", "retry"
/// All settings; from_json gives them back.
Json to_json(const GateSettings& settings);

}  // namespace guidegen
