#pragma once

#include "guidegen/generate/case_writer.hpp"
#include "guidegen/generate/pipeline.hpp"

namespace guidegen {

/// Recipes of the cases of one run.
class Recipes {
 public:
  Recipes(CaseSampler& sampler, const GenerateOptions& options);
  Recipe of(const PlannedCase& planned) const;
  const Recipe& common() const { return common_; }  ///< without prompt_sha256

 private:
  Recipe common_;
};

/// What the output folder holds of a case.
struct Found {
  const Json* record = nullptr;  ///< of a complete case of the same recipe
  std::string obstacle;          ///< why its folder can't be taken over
};
Found find_case(const std::filesystem::path& out, Manifest& manifest, const PlannedCase& planned,
                const Recipe& recipe);

}  // namespace guidegen
