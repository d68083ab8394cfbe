#pragma once

#include <string>
#include <string_view>

namespace guidegen {

/// RFC 4648, section 4: the alphabet of data URLs, padded, no line breaks.
std::string base64(std::string_view bytes);

}  // namespace guidegen
