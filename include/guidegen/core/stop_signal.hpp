#pragma once

namespace guidegen {

/// After this, SIGINT, SIGTERM and SIGUSR1 set a flag that long work reads between steps; a second
/// SIGINT ends the process at once.
void install_stop_handler();

/// The signal received, or 0. The exit code is 128 + signal for SIGINT and SIGTERM, 143 for
/// SIGUSR1.
int stop_signal();

/// Thrown between steps once everything worth keeping is saved; main turns it into the exit code.
struct Stopped {
  int signal;
};

/// Throws Stopped when a signal came.
void throw_if_stopped();

}  // namespace guidegen
