#include "generate/survey.hpp"

#include "guidegen/core/sha256.hpp"

namespace guidegen {

Recipes::Recipes(CaseSampler& sampler, const GenerateOptions& options)
    : common_{"",
              sampler.weight_hashes(),
              sampler.settings(),
              to_json(options.gates),
              options.dicom,
              options.retries} {}

Recipe Recipes::of(const PlannedCase& planned) const {
  Recipe recipe = common_;
  recipe.prompt_sha256 = sha256_hex(prompt_file_text(planned.prompt));
  return recipe;
}

Found find_case(const std::filesystem::path& out, Manifest& manifest, const PlannedCase& planned,
                const Recipe& recipe) {
  std::error_code error;
  if (!std::filesystem::exists(std::filesystem::symlink_status(out / planned.id, error))) return {};
  if (const Json* record = manifest.find_verified(planned.id)) {
    const std::string difference = recipe_difference(*record, recipe);
    if (difference.empty()) return {record, ""};
    return {nullptr, "was made from " + difference};
  }
  return {nullptr, manifest.has_record(planned.id) ? "was changed since it was made"
                                                   : "is not in manifest.jsonl"};
}

}  // namespace guidegen
