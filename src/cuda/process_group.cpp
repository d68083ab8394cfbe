#include "cuda/process_group.hpp"

#include <c10/util/Exception.h>

#ifdef GUIDEGEN_NCCL
#define USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace guidegen {

#ifdef GUIDEGEN_NCCL

c10::intrusive_ptr<c10d::Backend> make_nccl_process_group(
    const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
    std::chrono::milliseconds timeout) {
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, size, options);
}

#else

c10::intrusive_ptr<c10d::Backend> make_nccl_process_group(const c10::intrusive_ptr<c10d::Store>&,
                                                          int, int, std::chrono::milliseconds) {
  TORCH_CHECK(false, "libguidegen_cuda.so was built without NCCL's headers (nccl.h)");
}

#endif

}  // namespace guidegen
