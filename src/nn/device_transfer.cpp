#include "guidegen/nn/device_transfer.hpp"

#include <torch/torch.h>

namespace guidegen {

at::Tensor queue_to(const at::Tensor& tensor, const at::Device& device) {
  if (!device.is_cuda()) return tensor.to(device);
  return tensor.pin_memory().to(device, /*non_blocking=*/true);
}

void order_channels_last(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  for (auto& parameter : module.parameters()) {
    if (parameter.dim() == 5) {
      parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast3d));
    }
  }
}

}  // namespace guidegen
