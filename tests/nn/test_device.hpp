#pragma once

#include <ATen/Context.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "guidegen/nn/accelerator.hpp"

namespace guidegen::toy {

/// Where tests of operators run: $GUIDEGEN_TEST_DEVICE, "cpu" (the default) or "cuda". A GPU that
/// was asked for and can't be had fails the tests; it is never replaced by the processor. Products
/// keep all digits of float32, as on the processor.
inline c10::Device test_device() {
  const char* named = std::getenv("GUIDEGEN_TEST_DEVICE");
  const auto device = resolve_device(named == nullptr || *named == '\0' ? "cpu" : named);
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
  return device;
}

/// Loads the plug-in before the first test: LibTorch looks only once which devices there are.
class DeviceEnvironment : public ::testing::Environment {
  void SetUp() override { test_device(); }
};
inline ::testing::Environment* const device_environment =
    ::testing::AddGlobalTestEnvironment(new DeviceEnvironment);

}  // namespace guidegen::toy
