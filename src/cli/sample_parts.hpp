#pragma once

#include <memory>
#include <string>
#include <vector>

#include "guidegen/core/progress.hpp"
#include "guidegen/stages/model.hpp"

namespace guidegen {

/// A bar over the steps of one sampling run that a signal may stop.
class StepBar {
 public:
  explicit StepBar(std::string title) : title_(std::move(title)) {}
  StepCallback callback();

 private:
  std::string title_;
  std::unique_ptr<Progress> bar_;
};

/// The model in folder `path` on a device as `--device` names it. Throws Error(kUsage) where one of
/// `stages` is missing.
Model load_with_stages(const std::string& path, const std::string& device,
                       const std::vector<int>& stages);

}  // namespace guidegen
