#include "guidegen/train/meeting.hpp"

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <chrono>

#include "guidegen/core/error.hpp"
#include "guidegen/core/failure_report.hpp"

namespace guidegen {

c10::intrusive_ptr<c10d::Store> meet(const World& world) {
  c10d::TCPStoreOptions options;
  options.port = world.port;
  options.isServer = world.first() && !world.agent_store;
  options.waitWorkers = false;
  options.timeout = std::chrono::minutes(5);
  try {
    const auto store = c10::make_intrusive<c10d::TCPStore>(world.address, options);
    // Processes of an earlier attempt may have left their keys with a launcher's store.
    return c10::make_intrusive<c10d::PrefixStore>(concat("guidegen/", world.attempt), store);
  } catch (const std::exception& error) {
    throw_failure("the processes of this run cannot meet at ", world.address, ":", world.port,
                  " (rank ", world.rank, " of ", world.size, "): ", first_line(error.what()),
                  "; check MASTER_ADDR and MASTER_PORT");
  }
}

}  // namespace guidegen
