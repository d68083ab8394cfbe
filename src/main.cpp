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
#include "guidegen/core/memory.hpp"
#include "guidegen/core/stop_signal.hpp"

namespace {

/// Libraries may put whole call stacks into a message; people get its first line.
int report(std::string_view message, int code) {
  std::cerr << "guidegen: error: " << message.substr(0, message.find('\n')) << std::endl;
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
    report("stopped by a signal", 0);
    return stopped.signal == SIGINT ? 130 : 143;
  } catch (const std::bad_alloc&) {
    return report("out of memory; ask for a smaller volume or free some memory", 1);
  } catch (const c10::Error& error) {
    return report(error.what_without_backtrace(), 1);
  } catch (const std::exception& error) {
    return report(error.what(), 1);
  }
}
