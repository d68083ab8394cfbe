#include "guidegen/core/memory_size.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error_matchers.hpp"

namespace guidegen {
namespace {

TEST(MemorySize, ReadsNumbersWithUnits) {
  EXPECT_EQ(parse_memory_size("8GiB", "--memory"), int64_t{8} << 30);
  EXPECT_EQ(parse_memory_size("8 gib", "--memory"), int64_t{8} << 30);
  EXPECT_EQ(parse_memory_size("1.5G", "--memory"), int64_t{3} << 29);
  EXPECT_EQ(parse_memory_size("500MB", "--memory"), 500000000);
  EXPECT_EQ(parse_memory_size("4096", "--memory"), 4096);
  EXPECT_EQ(parse_memory_size("2T", "--memory"), int64_t{2} << 40);
}

TEST(MemorySize, RefusesAnythingElse) {
  for (const char* text : {"", "GiB", "-1GiB", "0", "8XB", "8GiBs", "8 G B", "nan", "inf", "1e300",
                           "9999999999T", "0x10", "8GiB "}) {
    EXPECT_THAT([&] { parse_memory_size(text, "--memory"); },
                throws_usage(::testing::HasSubstr("expected a size such as 8GiB")))
        << text;
  }
}

TEST(MemorySize, IsWrittenForPeople) {
  EXPECT_EQ(format_memory_size(int64_t{8} << 30), "8.0 GiB");
  EXPECT_EQ(format_memory_size(int64_t{512} << 20), "512 MiB");
  EXPECT_EQ(format_memory_size((int64_t{12} << 30) + 1), "12 GiB");
  EXPECT_EQ(format_memory_size((int64_t{12} << 30) + 1, true), "13 GiB");
  EXPECT_EQ(format_memory_size((int64_t{2} << 30) + 1, true), "2.1 GiB");
  EXPECT_EQ(parse_memory_size(format_memory_size(3 << 20, true), ""), 3 << 20);
}

}  // namespace
}  // namespace guidegen
