#include "guidegen/core/stop_signal.hpp"

#include <signal.h>

#include <atomic>
#include <initializer_list>

namespace guidegen {
namespace {

std::atomic<int> received{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may touch no other kind");

void on_signal(int signal_number) {
  const int before = received.exchange(signal_number);
  if (signal_number == SIGINT && before == SIGINT) {
    // The user insists: die the way a program without a handler does, so that shells see a signal.
    ::signal(SIGINT, SIG_DFL);
    ::raise(SIGINT);
  }
}

}  // namespace

void install_stop_handler() {
  struct sigaction action {};
  action.sa_handler = &on_signal;
  sigemptyset(&action.sa_mask);
  // Library calls that are under way (reads, waits) go on; only our own loops look at the flag.
  action.sa_flags = SA_RESTART;
  for (const int number : {SIGINT, SIGTERM, SIGUSR1}) sigaction(number, &action, nullptr);
}

int stop_signal() { return received.load(); }

void throw_if_stopped() {
  const int signal_number = stop_signal();
  if (signal_number != 0) throw Stopped{signal_number};
}

}  // namespace guidegen
