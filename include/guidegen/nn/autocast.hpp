#pragma once

#include <ATen/autocast_mode.h>

#include <string>

namespace guidegen {

/// Whether operators that gain from it run in bfloat16 with float32 weights kept, on processors and
/// on GPUs.
struct AutocastState {
  bool cpu = false;
  bool cuda = false;

  static AutocastState on(const at::Device& device);  ///< for work on `device`
  static AutocastState off() { return {}; }           ///< full precision everywhere
  static AutocastState current();
};

/// Sets the state for this thread while alive.
class AutocastScope {
 public:
  explicit AutocastScope(const AutocastState& state);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  AutocastState before_;
};

/// "auto" | "fp32" | "bf16" -> whether to use bf16. "auto" is bf16 on GPUs and fp32 on processors:
/// at the widths of the shipped presets the conversions cost more than AVX512-BF16 saves (step of
/// stage I: 1.1 s in fp32, 2.1 s in bf16 on two cores).
bool use_bf16(const std::string& precision, const at::Device& device);

}  // namespace guidegen
