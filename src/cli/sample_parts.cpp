#include "cli/sample_parts.hpp"

#include "guidegen/core/error.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/nn/accelerator.hpp"

namespace guidegen {

StepCallback StepBar::callback() {
  return [this](int64_t done, int64_t total) {
    throw_if_stopped();
    if (!bar_) bar_ = std::make_unique<Progress>(title_, total);
    bar_->update(done);
  };
}

Model load_with_stages(const std::string& path, const std::string& device,
                       const std::vector<int>& stages) {
  Model model = Model::load(path, resolve_device(device));
  for (const int stage : stages) {
    if (!model.has_stage(stage))
      throw_usage(path, ": stage ", stage, " is missing, it is needed here");
  }
  return model;
}

}  // namespace guidegen
