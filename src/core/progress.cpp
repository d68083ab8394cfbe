#include "guidegen/core/progress.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <mutex>

#include "core/terminal_line.hpp"

namespace guidegen {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

template <typename... Args>
std::string format(const char* pattern, Args... args) {
  char text[96];
  std::snprintf(text, sizeof text, pattern, args...);
  return text;
}

}  // namespace

struct Progress::State {
  std::mutex mutex;
  std::string title;
  int64_t total = 0;
  int64_t first = -1;  // amount done at the first update: work resumed was not done by this run
  int64_t done = 0;
  std::string note;
  bool visible = false;
  bool finished = false;
  Clock::time_point start = Clock::now();
  Clock::time_point drawn{};

  std::string line() const {
    constexpr int kCells = 20;
    const double share =
        total > 0 ? std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0)
                  : 0.0;
    const auto filled = static_cast<size_t>(share * kCells);
    std::string text = title + " [" + std::string(filled, '#') + std::string(kCells - filled, '.') +
                       "] " + std::to_string(done) + "/" + std::to_string(total);
    const double elapsed = seconds_since(start);
    const int64_t by_this_run = done - std::max<int64_t>(first, 0);
    if (by_this_run > 0 && elapsed > 0) {
      const double rate = static_cast<double>(by_this_run) / elapsed;
      text += rate >= 1 ? format(", %.1f/s", rate) : format(", %.1f s each", 1 / rate);
      if (done < total) {
        text += ", " + format_duration(static_cast<double>(total - done) / rate) + " left";
      }
    }
    if (!note.empty()) text += "  " + printable(note);
    return text;
  }
};

Progress::Progress(std::string title, int64_t total) : state_(std::make_unique<State>()) {
  state_->title = printable(std::move(title));
  state_->total = total;
  state_->visible = terminal_redraws();
  if (state_->visible) draw_terminal_line(state_->line());
}

Progress::~Progress() {
  if (!state_->finished && state_->visible) clear_terminal_line();
}

void Progress::update(int64_t done, const std::string& note) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (!state_->visible || state_->finished) return;
  if (state_->first < 0) state_->first = done <= 1 ? 0 : done - 1;
  state_->done = done;
  state_->note = note;
  // Ten times a second is as fast as anyone reads; drawing more often slows ssh sessions.
  if (done < state_->total && Clock::now() - state_->drawn < std::chrono::milliseconds(100)) {
    return;
  }
  draw_terminal_line(state_->line());
  state_->drawn = Clock::now();
}

void Progress::finish() {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (state_->finished) return;
  state_->finished = true;
  if (!state_->visible) return;
  clear_terminal_line();
  std::fprintf(stderr, "%s: %lld in %s\n", state_->title.c_str(),
               static_cast<long long>(state_->done),
               format_duration(seconds_since(state_->start)).c_str());
}

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "unknown time";
  if (seconds < 59.95) return format("%.1f s", seconds);
  if (seconds < 3599.5) {
    const auto whole = static_cast<long long>(std::llround(seconds));
    return format("%lld min %02lld s", whole / 60, whole % 60);
  }
  const auto minutes = static_cast<long long>(std::llround(seconds / 60));
  return format("%lld h %02lld min", minutes / 60, minutes % 60);
}

}  // namespace guidegen
