#include "guidegen/nn/one_thread.hpp"

#include <omp.h>

#include <ATen/Parallel.h>

namespace guidegen {

void use_one_thread() {
  // LibTorch sets the number itself when a thread first asks for it; that has to be over.
  at::get_num_threads();
  omp_set_num_threads(1);
}

}  // namespace guidegen
