#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "guidegen/core/append_file.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {

/// Scalars and pictures of a run for TensorBoard (`tensorboard --logdir <run directories>`),
/// written without TensorFlow or protobuf.
///
/// Every writer opens a file of its own,
/// <folder>/events.out.tfevents.<Unix seconds>.<host>.guidegen, which sorts after those that are
/// there already: TensorBoard reads the files of a folder in the order of their names. A file is a
/// sequence of TFRecords, each an Event message of protocol buffers (format "brain.Event:2"). Files
/// only grow. A kill loses what was not flushed; a last record that is cut off is passed over by
/// readers. All members throw Error(kFailure) that names the file when it can't be written.
class EventWriter {
 public:
  /// `steps_done`: how many steps the run had done when it started or was resumed. Whatever older
  /// files of the folder say of later steps was lost in a kill. A session-start event tells
  /// TensorBoard to hide it; its fast loader, which looks at the order of steps alone, does so as
  /// soon as the next point of the same tag is there.
  explicit EventWriter(const std::filesystem::path& folder, int64_t steps_done = 0);
  ~EventWriter();  ///< flushes; what can't be written then is lost silently
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  /// Kept as float32. Values that are not finite are kept too: TensorBoard marks them.
  void scalar(const std::string& tag, double value, int64_t step);
  void image(const std::string& tag, const Picture& picture, int64_t step);
  /// Hands what is buffered to the operating system. Happens by itself beyond 1 MiB.
  void flush();

  const std::filesystem::path& path() const { return path_; }

 private:
  void open(const std::filesystem::path& folder);
  void add_event(int64_t step, const std::string& payload);

  std::filesystem::path path_;
  std::unique_ptr<AppendFile> file_;
  std::string buffer_;
};

}  // namespace guidegen
