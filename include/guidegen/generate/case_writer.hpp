#pragma once

#include <filesystem>
#include <string>

#include "guidegen/generate/case_plan.hpp"
#include "guidegen/generate/gates.hpp"
#include "guidegen/generate/manifest.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen {

/// A case in memory, ready to be written.
struct FinishedCase {
  PlannedCase planned;
  Volume mask;
  Volume ct;
  GateReport report;
  uint64_t seed = 0;  ///< of the attempt that was kept
  int attempt = 0;    ///< the attempt that was kept, from 0
  int attempts = 1;   ///< attempts made
  double seconds = 0;
};

/// Text of prompt.json of a case.
std::string prompt_file_text(const Prompt& prompt);

/// Writes case folders: all files, or nothing.
class CaseWriter {
 public:
  CaseWriter(std::filesystem::path out, const Vocabulary& vocabulary, Manifest& manifest);
  /// Writes the files aside, appends the manifest line, then makes the folder appear (replacing an
  /// older one). Throws Error(kFailure). Returns the record.
  Json write(const FinishedCase& finished, const Recipe& recipe);

 private:
  std::filesystem::path out_;
  const Vocabulary& vocabulary_;
  Manifest& manifest_;
};

}  // namespace guidegen
