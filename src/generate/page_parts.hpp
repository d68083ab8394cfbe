#pragma once

namespace guidegen {

/// Fixed parts of the batch page, beside what html_page of core/html.hpp brings; page_parts.cpp.
extern const char* const kPageStyle;
extern const char* const kPageControls;
extern const char* const kPageScript;

}  // namespace guidegen
