#pragma once

#include <c10/util/intrusive_ptr.h>

#include "guidegen/train/world.hpp"

namespace c10d {
class Store;
}

namespace guidegen {

/// The key-value store that all processes of a run see; rank 0 serves it, unless a launcher's agent
/// does. Keys of an earlier attempt are out of sight. Waits 5 minutes for the server to appear.
/// Throws Error(kFailure) naming the meeting point when it does not.
c10::intrusive_ptr<c10d::Store> meet(const World& world);

}  // namespace guidegen
