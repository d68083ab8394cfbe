#include "guidegen/core/sha256.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"

namespace guidegen {
namespace {

// Examples of NIST FIPS 180-4.
TEST(Sha256, MatchesThePublishedExamples) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, OfAFileIsThatOfItsBytes) {
  const TemporaryFolder folder;
  // Around the chunk of 1 MiB.
  for (const size_t size : {size_t{0}, size_t{5}, size_t{1} << 20, (size_t{1} << 20) + 1}) {
    const std::string bytes(size, 'q');
    write_file_atomic(folder / "f", bytes);
    EXPECT_EQ(sha256_file(folder / "f"), sha256_hex(bytes)) << size;
  }
  EXPECT_THAT([&] { sha256_file(folder / "no"); }, throws_failure(testing::HasSubstr("No such")));
  EXPECT_THAT([&] { sha256_file(folder.path()); }, throws_failure(testing::HasSubstr("directory")));
}

}  // namespace
}  // namespace guidegen
