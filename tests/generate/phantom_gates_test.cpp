// The shipped limits are wide enough for phantoms, which are healthy but for their tumors.
#include <gmock/gmock.h>

#include "guidegen/data/phantom.hpp"
#include "guidegen/generate/gates.hpp"

namespace guidegen {
namespace {

TEST(PhantomGates, PhantomsPassAllButForAnIsodenseTumor) {
  const Vocabulary vocabulary = Vocabulary::load("torso");
  const GateSettings settings = GateSettings::shipped();
  int seen = 0;
  for (uint64_t seed = 0; seed < 6; ++seed) {
    PhantomRequest request;
    request.seed = seed;
    request.geometry = centered_geometry({64, 64, 80}, {6, 6, 6});
    const Phantom phantom = make_phantom(request, vocabulary);
    GateReport report =
        check_mask(phantom.mask, phantom.prompt, request.geometry, vocabulary, settings);
    for (Gate& gate :
         check_ct(phantom.ct, phantom.mask, phantom.prompt, report.tumors, vocabulary, settings)) {
      report.gates.push_back(std::move(gate));
    }
    for (const Gate& gate : report.gates) {
      seen += gate.name == "organ_volumes" || gate.name == "organ_hu" ? 1 : 0;
      if (gate.name == "tumor_visible") continue;
      EXPECT_TRUE(gate.passed()) << "seed " << seed << ": " << to_json(gate).dump();
    }
  }
  EXPECT_EQ(seen, 12) << "both apply to every phantom";
}

}  // namespace
}  // namespace guidegen
