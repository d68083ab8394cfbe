#include "guidegen/generate/crew.hpp"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>

#include "guidegen/core/error.hpp"
#include "guidegen/core/failure_report.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/train/meeting.hpp"

namespace guidegen {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kBeat = 500ms;
constexpr auto kPoll = 20ms;
/// How long after the first process others may still appear: machines boot at their own pace.
constexpr auto kJoin = 5min;
constexpr auto kLinger = 10s;

c10::intrusive_ptr<c10d::Store> store_of(const World& world) {
  if (world.alone()) return c10::make_intrusive<c10d::HashStore>();
  return c10::make_intrusive<c10d::PrefixStore>("generate", meet(world));
}

std::string beat_key(int rank) { return concat("beat/", rank); }
std::string left_key(int rank) { return concat("left/", rank); }

}  // namespace

struct Crew::Shared {
  struct Pulse {
    int64_t beats = -1;
    Clock::time_point changed{};
  };

  c10::intrusive_ptr<c10d::Store> store;
  std::chrono::milliseconds lost_after;
  Clock::time_point start = Clock::now();
  std::map<int, Pulse> pulses;  ///< of the others, as the first process saw them
  std::atomic<int> stopped_by{0};
  std::atomic<bool> lost{false};
  std::string reason;  ///< written before `lost` is set
  std::mutex mutex;
  std::condition_variable wake;
  bool over = false;
  std::thread heart;

  /// Runs a call of the store, none of which waits for more than an answer.
  template <typename Call>
  auto ask(Call call) {
    try {
      return call(*store);
    } catch (const std::exception& error) {
      throw CrewLost{std::string(first_line(error.what()))};
    }
  }

  void beat(int rank) {
    store->add(beat_key(rank), 1);
    if (stopped_by == 0 && store->check({"stop"}))
      stopped_by = std::stoi(store->get_to_str("stop"));
  }

  void beat_until_over(int rank) {
    std::unique_lock<std::mutex> lock(mutex);
    while (!wake.wait_for(lock, kBeat, [this] { return over; })) {
      lock.unlock();
      try {
        beat(rank);
      } catch (const std::exception& error) {
        reason = first_line(error.what());
        lost = true;
        return;
      }
      lock.lock();
    }
  }

  void end_heart() {
    if (!heart.joinable()) return;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      over = true;
    }
    wake.notify_all();
    heart.join();
  }
};

Crew::Crew(const World& world, std::chrono::milliseconds lost_after)
    : world_(world), shared_(std::make_unique<Shared>()) {
  shared_->store = store_of(world);
  shared_->lost_after = lost_after;
  if (world.alone()) return;
  shared_->ask([&](c10d::Store& store) { return store.add(beat_key(world.rank), 1); });
  shared_->heart = std::thread([this] { shared_->beat_until_over(world_.rank); });
}

Crew::~Crew() {
  shared_->end_heart();
  if (world_.alone()) return;
  try {
    tell(left_key(world_.rank), "1");
    if (!first() || world_.agent_store) return;
    std::vector<int> lost;
    for (const auto end = Clock::now() + kLinger; Clock::now() < end && !others_gone(lost);) {
      std::this_thread::sleep_for(kPoll);
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): there is no one left to tell
  }
}

int64_t Crew::next() {
  return shared_->ask([](c10d::Store& store) { return store.add("next", 1); }) - 1;
}

void Crew::count_finished() {
  shared_->ask([](c10d::Store& store) { return store.add("finished", 1); });
}

int64_t Crew::finished() {
  return shared_->ask([](c10d::Store& store) { return store.add("finished", 0); });
}

void Crew::tell(const std::string& key, const std::string& value) {
  shared_->ask([&](c10d::Store& store) { store.set(key, value); });
}

std::optional<std::string> Crew::read(const std::string& key) {
  return shared_->ask([&](c10d::Store& store) -> std::optional<std::string> {
    if (!store.check({key})) return std::nullopt;
    return store.get_to_str(key);
  });
}

std::pair<std::string, std::string> Crew::wait_for(const std::vector<std::string>& keys) {
  for (;;) {
    const bool abandoned =
        !first() && read(left_key(0));  // asked before, so that no note is missed
    for (const std::string& key : keys) {
      if (auto value = read(key)) return {key, std::move(*value)};
    }
    check();
    if (abandoned) throw CrewLost{"it has left"};
    std::this_thread::sleep_for(kPoll);
  }
}

void Crew::stop(int signal_number) { tell("stop", std::to_string(signal_number)); }

void Crew::check() const {
  throw_if_stopped();
  if (const int signal_number = shared_->stopped_by) throw Stopped{signal_number};
  if (shared_->lost) throw CrewLost{shared_->reason};
}

bool Crew::others_gone(std::vector<int>& lost) {
  lost.clear();
  for (int rank = 1; rank < world_.size; ++rank) {
    if (read(left_key(rank))) continue;
    Shared::Pulse& pulse = shared_->pulses[rank];
    const int64_t beats =
        shared_->ask([&](c10d::Store& store) { return store.add(beat_key(rank), 0); });
    const auto now = Clock::now();
    if (beats != pulse.beats) pulse = {beats, now};
    const bool may_still_come = beats == 0 && now - shared_->start < kJoin;
    if (may_still_come || now - pulse.changed < shared_->lost_after) return false;
    lost.push_back(rank);
  }
  return true;
}

std::vector<int> Crew::wait_for_others() {
  std::vector<int> lost;
  while (!others_gone(lost)) {
    check();
    std::this_thread::sleep_for(kPoll);
  }
  return lost;
}

}  // namespace guidegen
