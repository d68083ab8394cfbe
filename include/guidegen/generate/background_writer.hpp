#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "guidegen/generate/case_writer.hpp"

namespace guidegen {

/// Compresses and writes cases on a thread of its own, one after the other, while the next one is
/// sampled. What waits or is being written takes at most `max_bytes` of volumes, or one case where
/// that is more.
class BackgroundWriter {
 public:
  /// Called on the writer's thread once a case is written, or can't be: then `problem` says why in
  /// one line. Must not throw.
  using OnWritten = std::function<void(const FinishedCase&, const std::string& problem)>;

  BackgroundWriter(CaseWriter writer, int64_t max_bytes, OnWritten on_written);
  /// Writes what was submitted to the end.
  ~BackgroundWriter();
  BackgroundWriter(const BackgroundWriter&) = delete;
  BackgroundWriter& operator=(const BackgroundWriter&) = delete;

  /// Hands a case over; waits while there is no room for it.
  void submit(FinishedCase finished);
  /// Waits until all cases are written.
  void finish();

 private:
  void write_all();

  CaseWriter writer_;
  int64_t max_bytes_;
  OnWritten on_written_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<FinishedCase> waiting_;
  int64_t held_bytes_ = 0;  ///< of the cases waiting and of the one being written
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace guidegen
