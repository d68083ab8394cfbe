#pragma once

#include <chrono>
#include <filesystem>

namespace guidegen {

/// Holds an output folder for one run: makes it, refuses a second run into it while this one lives,
/// and removes what a killed run left half-written. The lock is on the folder itself and dies with
/// the process; a file system that has no locks does without.
class OutputFolder {
 public:
  /// Throws Error(kUsage) while another run holds it, Error(kFailure) when it can't be made.
  explicit OutputFolder(std::filesystem::path path);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

/// Removes what killed processes left half-written in `folder` (temporary names of core/files.hpp)
/// and did not touch for `age`. With an age of zero only for a folder that nobody else is writing
/// to. Throws Error(kFailure).
void remove_leftovers(const std::filesystem::path& folder, std::chrono::hours age = {});

}  // namespace guidegen
