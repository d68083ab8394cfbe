#include "guidegen/nn/parallel.hpp"

#include <ATen/Parallel.h>

#ifndef INTRA_OP_PARALLEL
#error "compile this file with -fopenmp, or parallel loops run serially"
#endif

namespace guidegen {

void parallel_for(int64_t begin, int64_t end, int64_t grain,
                  const std::function<void(int64_t first, int64_t last)>& body) {
  at::parallel_for(begin, end, grain, body);
}

}  // namespace guidegen
