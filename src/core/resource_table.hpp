#pragma once

#include <string_view>
#include <vector>

namespace guidegen {

struct Resource {
  std::string_view name;  ///< path below configs/
  std::string_view bytes;
};

/// Defined in the file that cmake/embed.cmake generates.
const std::vector<Resource>& resource_table();

}  // namespace guidegen
