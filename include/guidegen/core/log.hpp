#pragma once

#include <string_view>

namespace guidegen {

/// Messages for people, on stderr, one line each; colour on terminals only, and not with NO_COLOR.
void log_info(std::string_view message);
void log_warning(std::string_view message);
void log_error(std::string_view message);

/// Only messages at or above this level appear. Default: kInfo.
enum class LogLevel { kInfo, kWarning, kError, kQuiet };
void set_log_level(LogLevel level);

}  // namespace guidegen
