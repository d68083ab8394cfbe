#pragma once

namespace guidegen {

/// Fixed parts of the batch page, beside what html_page of core/html.hpp brings.
extern const char* const kPageStyle;     ///< page_style.cpp
extern const char* const kPageControls;  ///< page_style.cpp
extern const char* const kPageScript;    ///< page_script.cpp

}  // namespace guidegen
