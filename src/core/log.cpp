#include "guidegen/core/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>

#include "core/terminal_line.hpp"

namespace guidegen {
namespace {

std::atomic<LogLevel> lowest_level{LogLevel::kInfo};

std::shared_ptr<spdlog::logger> make_logger(const std::string& pattern) {
  const char* no_color = std::getenv("NO_COLOR");
  const bool plain = no_color != nullptr && *no_color != '\0';
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(
      plain ? spdlog::color_mode::never : spdlog::color_mode::automatic);
  auto logger = std::make_shared<spdlog::logger>("guidegen", sink);
  logger->set_pattern(pattern);
  logger->flush_on(spdlog::level::info);
  return logger;
}

void write(LogLevel level, spdlog::level::level_enum spdlog_level, std::string_view message) {
  if (level < lowest_level.load()) return;
  // Information is a plain sentence; warnings and errors say what they are.
  static const auto plain = make_logger("%v");
  static const auto labelled = make_logger("%^%l:%$ %v");
  clear_terminal_line();
  const std::string line = printable(std::string(message));
  (level == LogLevel::kInfo ? plain : labelled)->log(spdlog_level, spdlog::string_view_t(line));
}

}  // namespace

void log_info(std::string_view message) { write(LogLevel::kInfo, spdlog::level::info, message); }

void log_warning(std::string_view message) {
  write(LogLevel::kWarning, spdlog::level::warn, message);
}

void log_error(std::string_view message) { write(LogLevel::kError, spdlog::level::err, message); }

void set_log_level(LogLevel level) { lowest_level.store(level); }

}  // namespace guidegen
