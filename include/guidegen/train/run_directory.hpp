#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "guidegen/core/json.hpp"
#include "guidegen/core/output_folder.hpp"
#include "guidegen/train/event_writer.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {

/// The folder of a training run and what is written there as it goes: config.json, metrics.jsonl,
/// TensorBoard event files and previews/. One process owns it; a second run into it is refused.
class RunDirectory {
 public:
  /// Locks the folder. Throws Error(kUsage) when it holds a run and `resume` is off, when `config`
  /// differs in what a resumed run must keep, or when another run is writing there.
  RunDirectory(std::filesystem::path path, const Json& config, bool resume);

  /// Writes config.json, drops what a killed run wrote of later steps, and opens the event file.
  void begin(int64_t steps_done);
  /// One line of metrics.jsonl; numbers also become scalars of TensorBoard. `line` holds "step".
  void add_metrics(const Json& line);
  void add_preview(const Picture& picture, int64_t step);

 private:
  void check(bool resume) const;
  void drop_metrics_after(int64_t step) const;

  std::filesystem::path path_;
  Json config_;
  OutputFolder folder_;
  std::optional<EventWriter> events_;
};

}  // namespace guidegen
