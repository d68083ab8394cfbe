#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace guidegen {

/// Progress of long work on stderr: a bar with rate and time left on a terminal, silent elsewhere.
class Progress {
 public:
  Progress(std::string title, int64_t total);
  ~Progress();
  /// Sets the amount done; `note` (a loss, a case id) is shown after the bar.
  void update(int64_t done, const std::string& note = "");
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Formats seconds as "1 h 02 min", "3 min 10 s" or "4.2 s".
std::string format_duration(double seconds);

}  // namespace guidegen
