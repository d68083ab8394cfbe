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
  Recipe recipe;
  Volume mask;
  Volume ct;
  GateReport report;

  /// Which attempt at the mask, and at its CT, was kept.
  struct Kept {
    uint64_t seed = 0;
    int attempt = 0;   ///< from 0
    int attempts = 1;  ///< made
  };
  Kept kept_mask;
  Kept kept_ct;
  double seconds = 0;  ///< spent on sampling and checking
};

/// Text of prompt.json of a case.
std::string prompt_file_text(const Prompt& prompt);

/// Writes case folders: all files, or nothing.
class CaseWriter {
 public:
  /// Case folders below `out`, lines appended to the file `manifest`.
  CaseWriter(std::filesystem::path out, std::filesystem::path manifest,
             const Vocabulary& vocabulary);
  /// Writes the files aside, appends the manifest line, then makes the folder appear (replacing an
  /// older one). Throws Error(kFailure).
  void write(const FinishedCase& finished) const;

 private:
  std::filesystem::path out_;
  std::filesystem::path manifest_;
  const Vocabulary& vocabulary_;
};

}  // namespace guidegen
