#include "guidegen/nn/random_tensor.hpp"

namespace guidegen {

at::Tensor random_normal(RandomStream& stream, at::IntArrayRef sizes) {
  at::Tensor out = at::empty(sizes, at::kFloat);
  stream.fill_normal(out.mutable_data_ptr<float>(), out.numel());
  return out;
}

at::Tensor random_uniform(RandomStream& stream, at::IntArrayRef sizes) {
  at::Tensor out = at::empty(sizes, at::kFloat);
  stream.fill_uniform(out.mutable_data_ptr<float>(), out.numel());
  return out;
}

}  // namespace guidegen
