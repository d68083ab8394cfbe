#include "guidegen/data/export_cases.hpp"

#include <algorithm>

#include "guidegen/core/error.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/data/dataset.hpp"

namespace guidegen {

ExportSource find_export_cases(const std::filesystem::path& root,
                               const std::vector<std::string>& only) {
  ExportSource source{root, complete_cases(root)};
  if (source.ids.empty()) {
    throw_usage(root.string(),
                ": no case in it, expected folders with prompt.json, mask.nii.gz and ct.nii.gz");
  }
  if (only.empty()) return source;
  for (const std::string& id : only) {
    if (std::binary_search(source.ids.begin(), source.ids.end(), id)) continue;
    const std::string nearest = nearest_match(id, source.ids);
    throw_usage(root.string(), ": no complete case '", id, "' in it",
                nearest.empty() ? "" : ", did you mean '" + nearest + "'?");
  }
  std::erase_if(source.ids, [&only](const std::string& id) {
    return std::find(only.begin(), only.end(), id) == only.end();
  });
  return source;
}

}  // namespace guidegen
