#pragma once

#include <cstdint>
#include <functional>

namespace guidegen {

/// Calls `make()` once on each of LibTorch's number of threads (at most `items`) and what it
/// returns for every item of 0 … items - 1, taken in turn by whichever thread is free. The first
/// exception is thrown again here. LibTorch's own loops are serial in files without OpenMP.
void run_on_threads(int64_t items, const std::function<std::function<void(int64_t item)>()>& make);

}  // namespace guidegen
