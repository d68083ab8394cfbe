// The one place where exceptions become an exit code and a line on stderr.
#include <c10/util/Exception.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <string_view>

#include "guidegen/cli/commands.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/failure_report.hpp"
#include "guidegen/core/memory.hpp"
#include "guidegen/core/stop_signal.hpp"

namespace {

constexpr const char* kOutOfMemory =
    "out of memory; ask for a smaller volume or network, or free some memory";

bool is_out_of_memory(const c10::Error& error) {
  return dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
         guidegen::speaks_of_cpu_memory(error.what_without_backtrace());
}

int report(std::string_view message, int code) {
  const std::string_view line = guidegen::first_line(message);
  std::cerr << "guidegen: error: " << line << std::endl;
  guidegen::write_torchelastic_error(line, code);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  guidegen::keep_freed_memory();
  // A reader that goes away (`| head`) must not kill a run half-way through a case.
  std::signal(SIGPIPE, SIG_IGN);
  guidegen::install_stop_handler();
  try {
    return guidegen::run_app(argc, argv);
  } catch (const guidegen::Error& error) {
    return report(error.what(), guidegen::exit_code(error.kind()));
  } catch (const guidegen::Stopped& stopped) {
    return report("stopped by a signal", stopped.signal == SIGINT ? 130 : 143);
  } catch (const std::bad_alloc&) {
    return report(kOutOfMemory, 1);
  } catch (const c10::Error& error) {
    return report(is_out_of_memory(error) ? kOutOfMemory : error.what_without_backtrace(), 1);
  } catch (const std::exception& error) {
    return report(error.what(), 1);
  }
}
