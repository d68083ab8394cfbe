#pragma once

#include <string>

namespace guidegen {

/// "0.1.0", from CMake's project().
std::string version();

}  // namespace guidegen
