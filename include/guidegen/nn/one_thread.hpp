#pragma once

namespace guidegen {

/// From now on LibTorch's operators run on the calling thread alone when that thread calls them;
/// other threads keep their number. at::set_num_threads would also change what threads that are
/// still to come (autograd's) use.
void use_one_thread();

}  // namespace guidegen
