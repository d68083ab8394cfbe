#include "guidegen/generate/background_writer.hpp"

#include "generate/problem.hpp"
#include "guidegen/nn/one_thread.hpp"

namespace guidegen {
namespace {

int64_t bytes_of(const FinishedCase& finished) {
  return static_cast<int64_t>(finished.mask.data.nbytes() + finished.ct.data.nbytes());
}

}  // namespace

BackgroundWriter::BackgroundWriter(CaseWriter writer, int64_t max_bytes, OnWritten on_written)
    : writer_(std::move(writer)), max_bytes_(max_bytes), on_written_(std::move(on_written)) {
  thread_ = std::thread([this] { write_all(); });
}

BackgroundWriter::~BackgroundWriter() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void BackgroundWriter::submit(FinishedCase finished) {
  const int64_t bytes = bytes_of(finished);
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return held_bytes_ == 0 || held_bytes_ + bytes <= max_bytes_; });
  held_bytes_ += bytes;
  waiting_.push_back(std::move(finished));
  changed_.notify_all();
}

void BackgroundWriter::finish() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return held_bytes_ == 0; });
}

void BackgroundWriter::write_all() {
  use_one_thread();  // the others belong to the sampling
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    {
      const FinishedCase finished = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      on_written_(finished, problem_in([&] { writer_.write(finished); }));
      lock.lock();
      held_bytes_ -= bytes_of(finished);
    }
    changed_.notify_all();
  }
}

}  // namespace guidegen
