#include "guidegen/core/html.hpp"

namespace guidegen {
namespace {

constexpr std::string_view kSharedStyle = R"css(
:root { color-scheme: light dark; --page: #f6f7f9; --card: #ffffff; --ink: #1c2128; --soft: #59636e;
  --line: #d5dae0; --accent: #0b62c4; --good: #116329; --good-back: #dcf5e3; --bad: #a01c22;
  --bad-back: #ffe5e3; }
@media (prefers-color-scheme: dark) { :root { --page: #0f1216; --card: #181c22; --ink: #e6e9ee;
  --soft: #9aa4b0; --line: #2d343d; --accent: #6cb0ff; --good: #7ee2a0; --good-back: #12331f;
  --bad: #ffa7a1; --bad-back: #44191a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
)css";

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string html_page(std::string_view title, std::string_view style, std::string_view head,
                      std::string_view body) {
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  page.append(head).append("<title>").append(escape_html(title)).append("</title>\n<style>");
  page.append(kSharedStyle).append(style).append("</style>\n</head>\n<body>\n");
  return page.append(body).append("</body>\n</html>\n");
}

}  // namespace guidegen
