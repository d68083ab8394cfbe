#pragma once

#include <ATen/autocast_mode.h>

#include <string>

namespace guidegen {

/// While alive, and when `enabled`, CPU operators that gain from it run in bfloat16 with float32
/// weights kept.
class AutocastScope {
 public:
  explicit AutocastScope(bool enabled);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  bool before_;
};

/// "auto" | "fp32" | "bf16" -> whether to use bf16. On processors "auto" means fp32: at the widths
/// of the shipped presets the conversions cost more than AVX512-BF16 saves (step of stage I: 1.1 s
/// in fp32, 2.1 s in bf16 on two cores).
bool use_bf16(const std::string& precision);

}  // namespace guidegen
