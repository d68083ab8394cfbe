#include "guidegen/core/crc32c.hpp"

#include <gtest/gtest.h>

#include <string>

namespace guidegen {
namespace {

// Check value of the catalogue of CRCs, and the examples of RFC 3720, appendix B.4 (there in the
// byte order of the wire).
TEST(Crc32c, MatchesThePublishedExamples) {
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  std::string rising, falling;
  for (int i = 0; i < 32; ++i) {
    rising += static_cast<char>(i);
    falling += static_cast<char>(31 - i);
  }
  EXPECT_EQ(crc32c(rising), 0x46DD794EU);
  EXPECT_EQ(crc32c(falling), 0x113FDB5CU);
}

}  // namespace
}  // namespace guidegen
