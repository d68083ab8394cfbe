#pragma once

namespace guidegen {

/// Lets the C library keep freed memory for the next allocation. By default it hands blocks of a
/// few MB back to the system at once, and every training step pays for page faults on the memory of
/// the step before. Blocks of 32 MiB or more still go back when freed. Costs up to the difference
/// between the peak and the present use; to be called once, before memory matters. Nothing happens
/// with another C library than glibc.
void keep_freed_memory();

}  // namespace guidegen
