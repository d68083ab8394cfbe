#pragma once

#include <gmock/gmock.h>

#include <string>

#include "guidegen/core/error.hpp"

namespace guidegen {

/// Matches a callable that throws an Error of `kind` whose message is one line and matches
/// `message`.
template <typename Matcher>
auto throws_error(ErrorKind kind, Matcher message) {
  return testing::Throws<Error>(testing::AllOf(
      testing::Property(&Error::kind, kind),
      testing::Property(
          &Error::what,
          testing::ResultOf([](const char* text) { return std::string(text); },
                            testing::AllOf(message, testing::Not(testing::HasSubstr("\n")))))));
}

template <typename Matcher>
auto throws_usage(Matcher message) {
  return throws_error(ErrorKind::kUsage, message);
}

template <typename Matcher>
auto throws_failure(Matcher message) {
  return throws_error(ErrorKind::kFailure, message);
}

}  // namespace guidegen
