#include "guidegen/core/resources.hpp"

#include "core/resource_table.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/json.hpp"

namespace guidegen {

std::string_view resource(const std::string& name) {
  for (const Resource& entry : resource_table()) {
    if (entry.name == name) return entry.bytes;
  }
  const std::string near = nearest_match(name, resource_names());
  throw_usage("no built-in file \"", name, "\"",
              near.empty() ? std::string() : ", did you mean \"" + near + "\"?");
}

std::vector<std::string> resource_names() {
  std::vector<std::string> names;
  for (const Resource& entry : resource_table()) names.emplace_back(entry.name);
  return names;
}

}  // namespace guidegen
