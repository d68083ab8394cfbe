#include "guidegen/core/append_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"

namespace guidegen {
namespace {

TEST(AppendFile, HoldsWhatWasAppendedWhileItIsStillOpen) {
  const TemporaryFolder folder;
  const auto file = AppendFile::create(folder / "log");
  ASSERT_NE(file, nullptr);
  file->append("one");
  EXPECT_EQ(read_file(folder / "log"), "one");
  file->append(std::string("\0two", 4));
  EXPECT_EQ(read_file(folder / "log"), std::string("one\0two", 7));
}

TEST(AppendFile, LeavesAnExistingFileAlone) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "log", "old");
  EXPECT_EQ(AppendFile::create(folder / "log"), nullptr);
  EXPECT_EQ(read_file(folder / "log"), "old");
}

TEST(AppendFile, NamesTheFileThatCannotBeCreated) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { AppendFile::create(folder / "none" / "log"); },
              throws_failure(testing::HasSubstr("none/log: cannot be created: No such file")));
}

}  // namespace
}  // namespace guidegen
