#pragma once

#include <gtest/gtest.h>

#include "guidegen/prompt/free_text.hpp"

namespace guidegen {

/// A text and the JSON of the prompt that it is read as.
struct Reading {
  const char* text;
  const char* prompt;
};

template <size_t kReadings>
inline void expect_readings(const Reading (&readings)[kReadings]) {
  for (const Reading& reading : readings) {
    const Prompt prompt = TextReader::shipped().read(reading.text).prompt;
    EXPECT_EQ(to_json(prompt).dump(), reading.prompt) << reading.text;
  }
}

}  // namespace guidegen
