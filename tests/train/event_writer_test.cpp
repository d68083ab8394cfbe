#include "guidegen/train/event_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "guidegen/core/crc32c.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/json.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

uint64_t little_endian(const std::string& bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = (value << 8) | static_cast<uint8_t>(bytes[i]);
  return value;
}

uint32_t unmasked(uint64_t crc) {
  const auto rotated = static_cast<uint32_t>(crc) - 0xA282EAD8U;
  return (rotated >> 17) | (rotated << 15);
}

/// The events of a file; fails the test when the framing is wrong.
std::vector<std::string> events_of(const fs::path& path) {
  const std::string bytes = read_file(path);
  std::vector<std::string> events;
  for (size_t at = 0; at < bytes.size();) {
    const size_t size = little_endian(bytes.substr(at, 8));
    EXPECT_EQ(unmasked(little_endian(bytes.substr(at + 8, 4))), crc32c(bytes.substr(at, 8)));
    if (size > bytes.size()) break;
    events.push_back(bytes.substr(at + 12, size));
    EXPECT_EQ(unmasked(little_endian(bytes.substr(at + 12 + size, 4))), crc32c(events.back()));
    at += 12 + size + 4;
  }
  return events;
}

/// An event without its time, which comes first: a key (field 1, 64 bits) and eight bytes.
std::string after_time(const std::string& event) {
  EXPECT_EQ(event.substr(0, 1), "\x09");
  return event.substr(9);
}

std::string bytes(const std::vector<int>& values) { return {values.begin(), values.end()}; }

TEST(EventWriter, WritesTheBytesOfTheFormat) {
  const TemporaryFolder folder;
  EventWriter writer(folder.path(), 299);
  writer.scalar("loss", 0.5, 300);
  writer.scalar("x", -2, -1);
  writer.flush();
  const auto events = events_of(writer.path());
  ASSERT_EQ(events.size(), 4);
  EXPECT_EQ(after_time(events[0]), bytes({0x10, 0, 0x1A, 13}) + "brain.Event:2");
  EXPECT_EQ(after_time(events[1]), bytes({0x10, 0xAC, 0x02, 0x3A, 2, 0x08, 1}));  // START at 300
  EXPECT_EQ(after_time(events[2]), bytes({0x10, 0xAC, 0x02, 0x2A, 13, 0x0A, 11, 0x0A, 4}) + "loss" +
                                       bytes({0x15, 0, 0, 0, 0x3F}));
  // Negative integers are sign-extended to 64 bits.
  EXPECT_EQ(after_time(events[3]), bytes({0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                          0xFF, 1, 0x2A, 10, 0x0A, 8, 0x0A, 1}) +
                                       "x" + bytes({0x15, 0, 0, 0, 0xC0}));
}

TEST(EventWriter, StampsEventsWithTheTimeOfDay) {
  const TemporaryFolder folder;
  const auto before = std::time(nullptr);
  const EventWriter writer(folder.path());
  const uint64_t bits = little_endian(events_of(writer.path()).front().substr(1, 8));
  double seconds = 0;
  std::memcpy(&seconds, &bits, sizeof(seconds));
  EXPECT_GE(seconds, static_cast<double>(before));
  EXPECT_LE(seconds, static_cast<double>(std::time(nullptr) + 1));
}

TEST(EventWriter, HandsOverWhenAskedAndWhenMuchHasGathered) {
  const TemporaryFolder folder;
  EventWriter writer(folder.path());
  const auto size = [&] { return fs::file_size(writer.path()); };
  const auto opened = size();
  EXPECT_GT(opened, 0);  // TensorBoard shows the run at once
  writer.scalar("loss", 1, 1);
  EXPECT_EQ(size(), opened);
  writer.flush();
  const auto flushed = size();
  EXPECT_GT(flushed, opened);
  Picture noise{700, 700, std::vector<uint8_t>(700 * 700 * 3)};
  uint32_t state = 1;
  for (auto& value : noise.rgb) value = static_cast<uint8_t>((state = state * 69069 + 1) >> 24);
  writer.image("big", noise, 1);
  EXPECT_GT(size(), flushed);
}

TEST(EventWriter, ALaterFileSortsAfterEarlierOnes) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "events.out.tfevents.4102444800.elsewhere", "");  // a clock in 2100
  const EventWriter first(folder.path());
  const EventWriter second(folder.path());
  EXPECT_GT(first.path(), folder / "events.out.tfevents.4102444800.elsewhere");
  EXPECT_GT(second.path(), first.path());
  EXPECT_THAT(second.path().filename().string(),
              testing::MatchesRegex("events\\.out\\.tfevents\\.[0-9]+\\..+\\.guidegen"));
}

TEST(EventWriter, NamesAFolderThatCannotBe) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "file", "");
  EXPECT_THAT([&] { EventWriter(folder / "file"); }, throws_failure(testing::HasSubstr("file")));
}

/// What TensorBoard's own reader makes of a folder.
class EventWriterOracle : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system((python() + " -c 'import tensorboard, PIL' 2>/dev/null").c_str()) != 0) {
      GTEST_SKIP() << "the Python package tensorboard is not installed";
    }
  }

  static std::string python() {
    const char* chosen = std::getenv("GUIDEGEN_PYTHON");
    return chosen ? chosen : "python3";
  }

  Json read() const {
    const std::string command = python() +
                                " '" GUIDEGEN_SOURCE_DIR "/tests/oracle/read_events.py' '" +
                                events().string() + "' '" + (folder_ / "read.json").string() + "'";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return read_json_file(folder_ / "read.json");
  }

  fs::path events() const { return folder_ / "events"; }

  TemporaryFolder folder_;
};

TEST_F(EventWriterOracle, ReadsScalarsAndPictures) {
  Picture picture{3, 2, {}};
  for (uint8_t value = 0; value < 18; ++value)
    picture.rgb.push_back(static_cast<uint8_t>(14 * value));
  {
    EventWriter writer(events());
    writer.scalar("train/loss", 2.5, 1);
    writer.scalar("train/loss", -1e-3, int64_t{1} << 40);
    writer.scalar("größe", 1e10, 7);
    writer.image("preview", picture, 20);
  }
  const Json read = this->read();
  EXPECT_EQ(read.at("first_event"), "brain.Event:2");
  EXPECT_EQ(read.at("scalars"),
            Json({{"train/loss", {{1, 2.5}, {int64_t{1} << 40, static_cast<double>(-1e-3F)}}},
                  {"größe", {{7, 1e10}}}}));
  EXPECT_EQ(read.at("images"),
            Json({{"preview", {{20, {{"width", 3}, {"height", 2}, {"pixels", picture.rgb}}}}}}));
}

TEST_F(EventWriterOracle, HidesWhatAKilledRunDidPastItsCheckpoint) {
  {
    EventWriter writer(events());
    for (int64_t step = 1; step <= 6; ++step) writer.scalar("loss", 10, step);
  }
  {
    EventWriter resumed(events(), 4);
    // Not the steps that were logged before: those must go although nothing replaces them.
    resumed.scalar("loss", 20, 7);
  }
  EXPECT_EQ(read().at("scalars").at("loss"),
            Json({{1, 10.0}, {2, 10.0}, {3, 10.0}, {4, 10.0}, {7, 20.0}}));
}

TEST_F(EventWriterOracle, HidesAllOfARunThatStartsAgain) {
  {
    EventWriter writer(events());
    writer.scalar("loss", 10, 0);
    writer.scalar("loss", 10, 1);
  }
  { EventWriter(events()).scalar("loss", 20, 1); }
  EXPECT_EQ(read().at("scalars").at("loss"), Json({{1, 20.0}}));
}

TEST_F(EventWriterOracle, PassesOverARecordCutByAKill) {
  fs::path path;
  {
    EventWriter writer(events());
    writer.scalar("loss", 1, 1);
    writer.scalar("loss", 2, 2);
    path = writer.path();
  }
  fs::resize_file(path, fs::file_size(path) - 5);
  { EventWriter(events(), 1).scalar("loss", 3, 2); }
  EXPECT_EQ(read().at("scalars").at("loss"), Json({{1, 1.0}, {2, 3.0}}));
}

}  // namespace
}  // namespace guidegen
