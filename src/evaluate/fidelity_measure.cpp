#include "evaluate/fidelity_meter.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/volume/labels.hpp"

namespace guidegen {
namespace {

void check_shape(const Volume& volume, const Volume& reference, const std::string& what) {
  check_volume(volume, what);
  if (volume.data.size(0) == 1 && volume.data.sizes() == reference.data.sizes()) return;
  throw_failure("fidelity: ", what, " of shape ", volume.data.sizes(), ", expected ",
                reference.data.sizes(), " with one channel");
}

}  // namespace

FidelityCase measure_fidelity(const std::string& id, const Volume& reference,
                              const Volume& reconstruction, const Volume* mask,
                              const Vocabulary& vocabulary, const FidelityOptions& options) {
  check_shape(reference, reference, "reference");
  check_shape(reconstruction, reference, "reconstruction");
  if (mask) {
    check_shape(*mask, reference, "mask");
    const LabelRange range = label_range(mask->data);
    if (range.smallest < 0 || range.largest >= vocabulary.size()) {
      throw_failure("fidelity: mask with labels ", range.smallest, " to ", range.largest,
                    ", the vocabulary ", vocabulary.name(), " has ", vocabulary.size());
    }
  }
  FidelityMeter meter(reference, reconstruction, mask, vocabulary, options);
  meter.add_all();
  return {id, meter.sections(), meter.noise(), {}};
}

}  // namespace guidegen
