#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace guidegen {

/// Text of a file below configs/ that is compiled into the program, for instance
/// "vocabularies/torso.json". Throws Error(kUsage) with the nearest name when there is none.
std::string_view resource(const std::string& name);
std::vector<std::string> resource_names();

}  // namespace guidegen
