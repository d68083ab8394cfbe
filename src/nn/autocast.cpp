#include "guidegen/nn/autocast.hpp"

namespace guidegen {

bool use_bf16(const std::string& precision) { return precision == "bf16"; }

AutocastScope::AutocastScope(bool enabled) : before_(at::autocast::is_autocast_enabled(at::kCPU)) {
  at::autocast::set_autocast_enabled(at::kCPU, enabled);
  if (enabled) at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
}

AutocastScope::~AutocastScope() {
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(at::kCPU, before_);
}

}  // namespace guidegen
