#include "guidegen/nn/autocast.hpp"

namespace guidegen {

namespace {

void apply(const AutocastState& state) {
  at::autocast::set_autocast_enabled(at::kCPU, state.cpu);
  at::autocast::set_autocast_enabled(at::kCUDA, state.cuda);
  if (state.cpu) at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  if (state.cuda) at::autocast::set_autocast_dtype(at::kCUDA, at::kBFloat16);
}

}  // namespace

AutocastState AutocastState::on(const at::Device& device) {
  return {device.is_cpu(), device.is_cuda()};
}

AutocastState AutocastState::current() {
  return {at::autocast::is_autocast_enabled(at::kCPU),
          at::autocast::is_autocast_enabled(at::kCUDA)};
}

AutocastScope::AutocastScope(const AutocastState& state) : before_(AutocastState::current()) {
  // Weights that were converted stay so until the outermost scope ends.
  at::autocast::increment_nesting();
  apply(state);
}

AutocastScope::~AutocastScope() {
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  apply(before_);
}

bool use_bf16(const std::string& precision, const at::Device& device) {
  return precision == "bf16" || (precision == "auto" && device.is_cuda());
}

}  // namespace guidegen
