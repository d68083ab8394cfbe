#include "guidegen/core/version.hpp"

namespace guidegen {

std::string version() { return GUIDEGEN_VERSION; }

}  // namespace guidegen
