#include "guidegen/core/base64.hpp"

#include <gtest/gtest.h>

namespace guidegen {
namespace {

// RFC 4648, section 10.
TEST(Base64, EncodesTheVectorsOfTheStandard) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, TakesAnyByte) { EXPECT_EQ(base64(std::string_view("\x00\xff\xfe", 3)), "AP/+"); }

}  // namespace
}  // namespace guidegen
