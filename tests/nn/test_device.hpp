#pragma once

#include <c10/core/Device.h>

#include <cstdlib>

namespace guidegen::toy {

/// Where tests of operators run: $GUIDEGEN_TEST_DEVICE, "cpu" (the default) or "cuda".
inline c10::Device test_device() {
  const char* named = std::getenv("GUIDEGEN_TEST_DEVICE");
  return c10::Device(named == nullptr || *named == '\0' ? "cpu" : named);
}

}  // namespace guidegen::toy
