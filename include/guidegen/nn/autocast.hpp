#pragma once

#include <ATen/autocast_mode.h>

#include <string>

namespace guidegen {

/// Whether bf16 convolutions are worth it here: the processor has AVX512-BF16 or AMX-BF16.
bool bf16_is_fast();

/// While alive, and when `enabled`, CPU operators that gain from it run in bfloat16 with float32 weights kept.
class AutocastScope {
 public:
  explicit AutocastScope(bool enabled);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  bool before_;
};

/// "auto" | "fp32" | "bf16" -> whether to use bf16 here.
bool use_bf16(const std::string& precision);

}  // namespace guidegen
