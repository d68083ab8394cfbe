#pragma once

#include <chrono>
#include <filesystem>

namespace guidegen {

/// Records what LibTorch does from construction to stop(): every operator with the shapes of its
/// inputs, TraceScopes and, with `cuda`, GPU kernels and copies. The file is a Chrome trace (JSON)
/// for https://ui.perfetto.dev or chrome://tracing.
///
/// Covers the thread that constructs it and the work that autograd does for it on other threads;
/// stop() must be called on that thread. Keep it to a few steps: a trace takes hundreds of bytes an
/// operator, in memory until it is written. One session at a time in a process.
class ProfileSession {
 public:
  /// `cuda`: needs LibTorch's CUDA library loaded. Throws Error(kFailure) when a session is running
  /// already or `trace_file` can't be written.
  ProfileSession(std::filesystem::path trace_file, bool cuda);
  ~ProfileSession();  ///< stops; a trace that can't be written then is a warning
  ProfileSession(const ProfileSession&) = delete;
  ProfileSession& operator=(const ProfileSession&) = delete;

  /// Ends the recording and writes the file, whole or not at all; a second call does nothing.
  /// Throws Error(kFailure).
  void stop();

 private:
  std::filesystem::path trace_file_;
  bool running_ = false;
  std::chrono::steady_clock::time_point started_{};
};

}  // namespace guidegen
