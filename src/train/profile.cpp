#include "guidegen/train/profile.hpp"

#include <torch/csrc/autograd/profiler_kineto.h>

#include <exception>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/log.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;
namespace kineto = torch::autograd::profiler;
using torch::profiler::impl::ActivityType;
using torch::profiler::impl::ProfilerConfig;
using torch::profiler::impl::ProfilerState;

/// Kineto writes in place; readers see the trace under its name once it is whole. The name is one
/// of leftovers and must end in .json: Kineto compresses ".gz" and takes "://" for a protocol.
fs::path unfinished(const fs::path& trace_file) {
  const std::string name = concat(".guidegen-", trace_file.filename().string(), ".json");
  return fs::absolute(trace_file.parent_path()) / name;
}

}  // namespace

ProfileSession::ProfileSession(fs::path trace_file, bool cuda)
    : trace_file_(std::move(trace_file)) {
  if (torch::profiler::impl::profilerEnabled()) {
    throw_failure(trace_file_.string(), ": a profile is being recorded already");
  }
  // Kineto only logs that it can't write: find out before the steps are spent.
  try {
    write_file_atomic(unfinished(trace_file_), "");
  } catch (const Error& error) {
    throw_failure(trace_file_.string(), ": cannot be written: ", error.what());
  }
  const ProfilerConfig config(ProfilerState::KINETO, /*report_input_shapes=*/true);
  std::set<ActivityType> activities{ActivityType::CPU};
  if (cuda) activities.insert(ActivityType::CUDA);
  kineto::prepareProfiler(config, activities);
  started_ = std::chrono::steady_clock::now();
  kineto::enableProfiler(config, activities);
  running_ = true;
}

ProfileSession::~ProfileSession() {
  try {
    stop();
  } catch (const std::exception& error) {
    log_warning(error.what());
  }
}

void ProfileSession::stop() {
  if (!std::exchange(running_, false)) return;
  const auto result = kineto::disableProfiler();
  // The first session starts a thread of Kineto's that never ends if the process ends before the
  // thread has read its configuration. Only sessions far shorter than any training wait here.
  std::this_thread::sleep_until(started_ + std::chrono::seconds(1));
  const fs::path partial = unfinished(trace_file_);
  result->save(partial.string());
  std::error_code problem;
  fs::rename(partial, trace_file_, problem);
  if (problem) throw_failure(trace_file_.string(), ": cannot be written: ", problem.message());
}

}  // namespace guidegen
