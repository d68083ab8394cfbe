#include "core/terminal_line.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string_view>

namespace guidegen {
namespace {

std::mutex line_mutex;
size_t drawn_columns = 0;

bool starts_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

size_t count_characters(const std::string& text) {
  size_t count = 0;
  for (const char byte : text) count += starts_character(byte) ? 1 : 0;
  return count;
}

std::string first_characters(const std::string& text, size_t count) {
  size_t seen = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (starts_character(text[i]) && ++seen > count) return text.substr(0, i);
  }
  return text;
}

}  // namespace

bool terminal_redraws() {
  if (::isatty(STDERR_FILENO) == 0) return false;
  const char* term = std::getenv("TERM");
  return term == nullptr || std::string_view(term) != "dumb";
}

int terminal_columns() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

void draw_terminal_line(const std::string& text) {
  const std::lock_guard<std::mutex> lock(line_mutex);
  // The last column stays free: many terminals wrap once it is written.
  const std::string shown = first_characters(text, static_cast<size_t>(terminal_columns()) - 1);
  const size_t columns = count_characters(shown);
  const size_t stale = drawn_columns > columns ? drawn_columns - columns : 0;
  const std::string line = "\r" + shown + std::string(stale, ' ');
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
  drawn_columns = columns;
}

void clear_terminal_line() {
  const std::lock_guard<std::mutex> lock(line_mutex);
  if (drawn_columns == 0) return;
  const std::string line = "\r" + std::string(drawn_columns, ' ') + "\r";
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
  drawn_columns = 0;
}

std::string printable(std::string text) {
  for (char& byte : text) {
    const auto value = static_cast<unsigned char>(byte);
    if (value == '\n' || value == '\t' || value == '\r')
      byte = ' ';
    else if (value < 0x20 || value == 0x7F)
      byte = '?';
  }
  return text;
}

}  // namespace guidegen
