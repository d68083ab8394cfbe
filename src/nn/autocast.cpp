#include "guidegen/nn/autocast.hpp"

namespace guidegen {

bool bf16_is_fast() { return __builtin_cpu_supports("avx512bf16") != 0; }

bool use_bf16(const std::string& precision) {
  return precision == "bf16" || (precision == "auto" && bf16_is_fast());
}

AutocastScope::AutocastScope(bool enabled) : before_(at::autocast::is_autocast_enabled(at::kCPU)) {
  at::autocast::set_autocast_enabled(at::kCPU, enabled);
  if (enabled) at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
}

AutocastScope::~AutocastScope() {
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(at::kCPU, before_);
}

}  // namespace guidegen
