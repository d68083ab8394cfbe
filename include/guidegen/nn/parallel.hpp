#pragma once

#include <cstdint>
#include <functional>

namespace guidegen {

/// Calls body(first, last) on parts of [begin, end) of at least `grain` items each, on the threads
/// of LibTorch's own operators (at::set_num_threads); one call on this thread for less than two
/// parts or inside another parallel region. The first exception of a part is thrown again here.
/// at::parallel_for itself is a template that runs serially in files compiled without -fopenmp.
void parallel_for(int64_t begin, int64_t end, int64_t grain,
                  const std::function<void(int64_t first, int64_t last)>& body);

}  // namespace guidegen
