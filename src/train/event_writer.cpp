#include "guidegen/train/event_writer.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <system_error>
#include <utility>

#include "guidegen/core/crc32c.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "train/protobuf_wire.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;
using namespace protobuf;  // NOLINT(google-build-using-namespace): the vocabulary of this file

constexpr size_t kFlushAt = 1 << 20;
constexpr std::string_view kPrefix = "events.out.tfevents.";

// Field numbers of tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
namespace event {
constexpr uint32_t kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
}
namespace session_log {
constexpr uint32_t kStatus = 1;
constexpr int64_t kStart = 1;
}  // namespace session_log
namespace summary {
constexpr uint32_t kValue = 1;
}
namespace summary_value {
constexpr uint32_t kTag = 1, kSimpleValue = 2, kImage = 4;
}
namespace summary_image {
constexpr uint32_t kHeight = 1, kWidth = 2, kColorspace = 3, kEncoded = 4;
constexpr int64_t kRgb = 3;
}  // namespace summary_image

// CRCs that are themselves data under a CRC get masked (tensorflow/core/lib/hash/crc32c.h).
uint32_t masked_crc(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8U;
}

// Framing of tensorflow/core/lib/io/record_writer.cc.
std::string tf_record(const std::string& data) {
  const std::string length = little_endian(static_cast<uint64_t>(data.size()));
  return length + little_endian(masked_crc(length)) + data + little_endian(masked_crc(data));
}

std::string summary_of(const std::string& tag, const std::string& content) {
  const std::string value = bytes_field(summary_value::kTag, tag) + content;
  return bytes_field(event::kSummary, bytes_field(summary::kValue, value));
}

double seconds_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

std::string host_name() {
  char name[256] = {};
  const bool known = ::gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0';
  return known ? name : "localhost";
}

/// The latest time that a file of `folder` carries in its name; 0 without any.
int64_t newest_in(const fs::path& folder) {
  int64_t newest = 0;
  std::error_code ignored;  // a folder that may be written but not listed
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.compare(0, kPrefix.size(), kPrefix) != 0) continue;
    int64_t seconds = 0;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), seconds);
    newest = std::max(newest, seconds);
  }
  return newest;
}

}  // namespace

EventWriter::EventWriter(const fs::path& folder, int64_t steps_done) {
  open(folder);
  add_event(0, bytes_field(event::kFileVersion, "brain.Event:2"));
  // TensorBoard drops what it knows of this step and later ones, so this is the first one to come.
  // A run that starts from the beginning repeats even what was drawn before its first step.
  add_event(
      steps_done == 0 ? 0 : steps_done + 1,
      bytes_field(event::kSessionLog, integer_field(session_log::kStatus, session_log::kStart)));
  flush();
}

EventWriter::~EventWriter() {
  try {
    flush();
  } catch (...) {  // NOLINT(bugprone-empty-catch): destructors do not throw
  }
}

void EventWriter::open(const fs::path& folder) {
  make_directories(folder);
  // A resumed run may be in the same second, or on a machine whose clock is behind.
  auto seconds = std::max(static_cast<int64_t>(seconds_now()), newest_in(folder) + 1);
  for (; file_ == nullptr; ++seconds) {
    path_ = folder / concat(kPrefix, seconds, ".", host_name(), ".guidegen");
    file_ = AppendFile::create(path_);
  }
}

void EventWriter::add_event(int64_t step, const std::string& payload) {
  buffer_ += tf_record(double_field(event::kWallTime, seconds_now()) +
                       integer_field(event::kStep, step) + payload);
  if (buffer_.size() > kFlushAt) flush();
}

void EventWriter::scalar(const std::string& tag, double value, int64_t step) {
  add_event(step,
            summary_of(tag, float_field(summary_value::kSimpleValue, static_cast<float>(value))));
}

void EventWriter::image(const std::string& tag, const Picture& picture, int64_t step) {
  const std::string content = integer_field(summary_image::kHeight, picture.height) +
                              integer_field(summary_image::kWidth, picture.width) +
                              integer_field(summary_image::kColorspace, summary_image::kRgb) +
                              bytes_field(summary_image::kEncoded, encode_png(picture));
  add_event(step, summary_of(tag, bytes_field(summary_value::kImage, content)));
}

void EventWriter::flush() {
  // Not tried again after an error: the file may end in the middle of a record.
  const std::string pending = std::exchange(buffer_, {});
  file_->append(pending);
}

}  // namespace guidegen
