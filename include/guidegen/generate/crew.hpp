#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "guidegen/train/world.hpp"

namespace guidegen {

/// The first process of the run is gone, and with it the queue. Not an Error, so that the case in
/// hand does not count as one that failed.
struct CrewLost {
  std::string reason;
};

/// The processes that generate together. All they share is a key-value store, which the first
/// process serves (or torchrun's agent): a counter that hands out the cases, and notes. No call
/// waits for a process that died: each shows twice a second that it lives, and one that has not for
/// `lost_after` counts as lost. Calls throw CrewLost when the store is gone, and are safe from
/// several threads.
class Crew {
 public:
  /// Joins the others, or works alone. Throws Error(kFailure) when the store can't be reached.
  explicit Crew(const World& world = {},
                std::chrono::milliseconds lost_after = std::chrono::seconds(15));
  /// Tells the others that this process left. The first one, whose store goes with it, gives them
  /// ten seconds to read what it said last.
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  const World& world() const { return world_; }
  bool first() const { return world_.first(); }

  /// The next number from 0 that no process was given.
  int64_t next();
  /// Counts one more case that some process finished; returns nothing to wait for.
  void count_finished();
  int64_t finished();

  /// Leaves a note that every process can read.
  void tell(const std::string& key, const std::string& value);
  std::optional<std::string> read(const std::string& key);
  /// The first of these notes that appears, as key and value; polls until then.
  std::pair<std::string, std::string> wait_for(const std::vector<std::string>& keys);

  /// Asks all processes to stop because of a signal.
  void stop(int signal_number);
  /// Throws Stopped when a signal came here or to another process, CrewLost when the store is gone.
  void check() const;

  /// Of the first process: waits until each other one has left or is lost; returns the lost ranks.
  std::vector<int> wait_for_others();

 private:
  struct Shared;
  bool others_gone(std::vector<int>& lost);
  World world_;
  std::unique_ptr<Shared> shared_;
};

}  // namespace guidegen
