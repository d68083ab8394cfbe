#pragma once

#include <string>
#include <string_view>

namespace guidegen {

/// Text for an HTML element or a quoted attribute: & < > " ' as character references.
std::string escape_html(std::string_view text);

/// A page that needs nothing else: `title` (escaped here) as <title>, the colors and type that all
/// our pages share (light and dark), then `style`; `head` goes into <head> as it is, `body` into
/// <body>. Colors are the custom properties --page, --card, --ink, --soft, --line, --accent,
/// --good,
/// --good-back, --bad, --bad-back.
std::string html_page(std::string_view title, std::string_view style, std::string_view head,
                      std::string_view body);

}  // namespace guidegen
