#include "guidegen/core/files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(ReadFile, ReturnsAllBytesUpToTheLimit) {
  const TemporaryFolder folder;
  const std::string bytes("a\0b\xff\n", 5);
  write_file_atomic(folder / "f", bytes);
  EXPECT_EQ(read_file(folder / "f"), bytes);
  EXPECT_EQ(read_file(folder / "f", 5), bytes);
  EXPECT_THAT([&] { read_file(folder / "f", 4); },
              throws_failure(AllOf(HasSubstr((folder / "f").string()), HasSubstr("too large"))));
}

TEST(ReadFile, NamesWhatIsMissingOrAFolder) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { read_file(folder / "no"); }, throws_failure(HasSubstr("No such file")));
  EXPECT_THAT([&] { read_file(folder.path()); }, throws_failure(HasSubstr("is a folder")));
}

TEST(ReadFile, HonorsTheLimitOnPipes) {
  const TemporaryFolder folder;
  const fs::path pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto feed = [&](size_t count) {
    return std::jthread([&pipe, count] { std::ofstream(pipe) << std::string(count, 'x'); });
  };
  {
    const std::jthread writer = feed(1000);
    EXPECT_EQ(read_file(pipe, 1000).size(), 1000U);
  }
  const std::jthread writer = feed(1001);
  EXPECT_THAT([&] { read_file(pipe, 1000); }, throws_failure(HasSubstr("too large")));
}

TEST(WriteFileAtomic, ReplacesAndLeavesNothingElse) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "f", "old");
  write_file_atomic(folder / "f", "new");
  EXPECT_EQ(read_file(folder / "f"), "new");
  EXPECT_THAT(folder.entries(), ElementsAre("f"));
}

TEST(WriteFileAtomic, WritesThroughLinksAndDevices) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "target", "old");
  fs::create_symlink("target", folder / "link");
  write_file_atomic(folder / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_file(folder / "target"), "new");
  write_file_atomic("/dev/null", "gone");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(WriteFileAtomic, FailsCleanlyWhenTheFolderIsMissing) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { write_file_atomic(folder / "no/f", "x"); },
              throws_failure(AllOf(HasSubstr("no/f: cannot be written"), HasSubstr("No such"))));
  EXPECT_THAT([&] { write_file_atomic(folder.path(), "x"); },
              throws_failure(HasSubstr("is a folder")));
  EXPECT_THAT(folder.entries(), IsEmpty());
}

TEST(WriteFileAtomic, FailsCleanlyWhenAParentIsAFile) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "f", "x");
  EXPECT_THAT([&] { write_file_atomic(folder / "f/g", "x"); },
              throws_failure(HasSubstr("Not a directory")));
}

/// Runs `body` in a child whose files may not exceed 4096 bytes, which is how a full disk looks.
template <typename Body>
int exit_status_with_small_disk(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::_exit(body() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(WriteFileAtomic, KeepsTheOldFileWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "f", "old");
  EXPECT_EQ(exit_status_with_small_disk([&] {
              try {
                write_file_atomic(folder / "f", std::string(10000, 'x'));
              } catch (const Error& error) {
                const std::string message = error.what();
                return message.find((folder / "f").string() + ": cannot be written") == 0;
              }
              return false;
            }),
            0);
  EXPECT_EQ(read_file(folder / "f"), "old");
  EXPECT_THAT(folder.entries(), ElementsAre("f"));
}

TEST(AppendLine, AppendsAndRepairsATornLine) {
  const TemporaryFolder folder;
  append_line(folder / "m", "one");
  append_line(folder / "m", "two", true);
  EXPECT_EQ(read_file(folder / "m"), "one\ntwo\n");
  write_file_atomic(folder / "m", "one\n{\"id\": \"tor");
  append_line(folder / "m", "three");
  EXPECT_EQ(read_file(folder / "m"), "one\n{\"id\": \"tor\nthree\n");
  EXPECT_THAT([&] { append_line(folder / "m", "a\nb"); }, throws_failure(HasSubstr("line break")));
}

TEST(AppendLine, TakesAPartialLineBackWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  append_line(folder / "m", "one");
  EXPECT_EQ(exit_status_with_small_disk([&] {
              try {
                append_line(folder / "m", std::string(10000, 'x'));
              } catch (const Error&) {
                return true;
              }
              return false;
            }),
            0);
  EXPECT_EQ(read_file(folder / "m"), "one\n");
}

TEST(AppendLine, LinesOfManyWritersStayWhole) {
  const TemporaryFolder folder;
  {
    std::vector<std::jthread> writers;
    for (int w = 0; w < 4; ++w) {
      writers.emplace_back([&, w] {
        for (int i = 0; i < 50; ++i) append_line(folder / "m", std::string(200, 'a' + w));
      });
    }
  }
  std::ifstream in(folder / "m");
  int lines = 0;
  for (std::string line; std::getline(in, line); ++lines) {
    ASSERT_EQ(line, std::string(200, line.front()));
  }
  EXPECT_EQ(lines, 200);
}

TEST(AtomicDirectory, AppearsWholeOnCommit) {
  const TemporaryFolder folder;
  {
    AtomicDirectory directory(folder / "deep/case-1/");
    write_file_atomic(directory.staging() / "a", "1");
    fs::create_directory(directory.staging() / "sub");
    EXPECT_FALSE(fs::exists(folder / "deep/case-1"));
    directory.commit();
  }
  EXPECT_EQ(read_file(folder / "deep/case-1/a"), "1");
  EXPECT_TRUE(fs::is_directory(folder / "deep/case-1/sub"));
}

TEST(AtomicDirectory, WithoutCommitLeavesNothing) {
  const TemporaryFolder folder;
  {
    const AtomicDirectory directory(folder / "case-1");
    write_file_atomic(directory.staging() / "a", "1");
  }
  EXPECT_THAT(folder.entries(), IsEmpty());
}

TEST(AtomicDirectory, ReplacesAnOlderFolderCompletely) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "case/old");
  write_file_atomic(folder / "case/stale", "x");
  AtomicDirectory directory(folder / "case");
  write_file_atomic(directory.staging() / "a", "1");
  EXPECT_TRUE(fs::exists(folder / "case/stale"));
  directory.commit();
  EXPECT_THAT(folder.entries(), ElementsAre("case"));
  EXPECT_FALSE(fs::exists(folder / "case/stale"));
  EXPECT_EQ(read_file(folder / "case/a"), "1");
  EXPECT_THAT([&] { directory.commit(); }, throws_failure(HasSubstr("committed before")));
}

TEST(AtomicDirectory, TwoAtOnceDoNotClash) {
  const TemporaryFolder folder;
  AtomicDirectory first(folder / "case");
  AtomicDirectory second(folder / "case");
  EXPECT_NE(first.staging(), second.staging());
  first.commit();
  second.commit();
  EXPECT_THAT(folder.entries(), ElementsAre("case"));
}

TEST(AtomicDirectory, RefusesAFileInItsPlace) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "case", "x");
  EXPECT_THAT([&] { AtomicDirectory(folder / "case"); }, throws_failure(HasSubstr("is a file")));
  EXPECT_THAT([&] { AtomicDirectory(folder / "case/sub"); }, throws_failure(HasSubstr("case")));
  EXPECT_EQ(read_file(folder / "case"), "x");
}

TEST(CheckFileName, AcceptsPlainNamesOnly) {
  for (const char* good : {"case-001", "a", "A.b_c-9", "0"}) {
    EXPECT_NO_THROW(check_file_name(good, "w")) << good;
  }
  EXPECT_NO_THROW(check_file_name(std::string(128, 'x'), "w"));
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string(".hidden"),
        std::string("../up"), std::string("a/b"), std::string("/etc"), std::string("a\\b"),
        std::string("a b"), std::string("a\nb"), std::string("a\0b", 3), std::string("caf\xc3\xa9"),
        std::string("a:b"), std::string("~"), std::string(129, 'x')}) {
    EXPECT_THAT([&] { check_file_name(bad, "p.json: [3].id"); },
                throws_usage(HasSubstr("p.json: [3].id: ")))
        << bad;
  }
}

TEST(MakeDirectories, MakesParentsAndNamesAFileInTheWay) {
  const TemporaryFolder folder;
  make_directories(folder / "a/b/c");
  make_directories(folder / "a/b/c");
  EXPECT_TRUE(fs::is_directory(folder / "a/b/c"));
  write_file_atomic(folder / "f", "");
  EXPECT_THAT([&] { make_directories(folder / "f"); }, throws_failure(HasSubstr("/f: ")));
  EXPECT_THAT([&] { make_directories(folder / "f/g"); }, throws_failure(HasSubstr("/f/g: ")));
}

}  // namespace
}  // namespace guidegen
