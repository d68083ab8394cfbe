#include "guidegen/core/failure_report.hpp"

#include <chrono>
#include <cstdlib>
#include <exception>
#include <string>

#include "guidegen/core/files.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/core/log.hpp"

namespace guidegen {
namespace {

void write_report(const char* path, std::string_view message, int exit_code) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  // Where there is a call stack torchrun shows it and not the message, so both hold the message.
  const Json report = {
      {"message",
       {{"message", message},
        {"errorCode", exit_code},
        {"extraInfo", {{"py_callstack", message}, {"timestamp", std::to_string(seconds)}}}}}};
  // Messages may quote file names that are not UTF-8; JSON must be.
  write_file_atomic(path, report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace

std::string_view first_line(std::string_view message) {
  return message.substr(0, message.find('\n'));
}

bool speaks_of_cpu_memory(std::string_view message) {
  return message.find("DefaultCPUAllocator") != std::string_view::npos;
}

void write_torchelastic_error(std::string_view message, int exit_code) noexcept {
  const char* path = std::getenv("TORCHELASTIC_ERROR_FILE");
  if (path == nullptr || *path == '\0') return;
  try {
    write_report(path, message, exit_code);
  } catch (const std::exception& error) {
    try {
      log_warning(error.what());
    } catch (...) {  // NOLINT(bugprone-empty-catch): there is no one left to tell
    }
  }
}

}  // namespace guidegen
