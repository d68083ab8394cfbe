#include "guidegen/train/world.hpp"

#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "guidegen/core/error.hpp"
#include "guidegen/train/slurm_nodes.hpp"

namespace guidegen {

namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

int number(const char* name, int low, int high) {
  const auto text = variable(name);
  if (!text) throw_usage("environment: ", name, " is missing, expected a number beside the others");
  int value = 0;
  const auto* end = text->data() + text->size();
  const auto [stop, problem] = std::from_chars(text->data(), end, value);
  if (problem != std::errc() || stop != end || value < low || value > high) {
    throw_usage("environment: ", name, "=", *text, ", expected a number from ", low, " to ", high);
  }
  return value;
}

int number_or(const char* name, int low, int high, int otherwise) {
  return variable(name) ? number(name, low, high) : otherwise;
}

constexpr int kMostProcesses = 1 << 20;

World read_ranks(const char* rank, const char* size, const char* local_rank) {
  World world;
  world.size = number(size, 1, kMostProcesses);
  world.rank = number(rank, 0, world.size - 1);
  world.local_rank = number_or(local_rank, 0, world.size - 1, 0);
  return world;
}

World launched_world() {
  World world = read_ranks("RANK", "WORLD_SIZE", "LOCAL_RANK");
  if (world.alone()) return world;
  const auto address = variable("MASTER_ADDR");
  if (!address)
    throw_usage("environment: WORLD_SIZE is ", world.size, " but MASTER_ADDR is missing");
  world.address = *address;
  world.port = static_cast<uint16_t>(number("MASTER_PORT", 1, 65535));
  world.agent_store = variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
  world.attempt = number_or("TORCHELASTIC_RESTART_COUNT", 0, kMostProcesses, 0);
  return world;
}

World slurm_world() {
  World world = read_ranks("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID");
  if (world.alone()) return world;
  if (const auto address = variable("MASTER_ADDR")) {
    world.address = *address;
  } else {
    auto nodes = variable("SLURM_STEP_NODELIST");
    if (!nodes) nodes = variable("SLURM_JOB_NODELIST");
    if (!nodes) throw_usage("environment: SLURM_STEP_NODELIST is missing, set MASTER_ADDR");
    world.address = first_host(*nodes);
  }
  // Steps of one job may run side by side on one node, and so may jobs: spread the ports.
  constexpr int kLowestPort = 20000, kPorts = 20000;
  const auto job = variable("SLURM_JOB_ID") ? number("SLURM_JOB_ID", 0, 2147483647) : 0;
  const int step = number_or("SLURM_STEP_ID", 0, 2147483647, 0);
  const int derived = kLowestPort + (job % kPorts * 7 + step % kPorts) % kPorts;
  world.port = static_cast<uint16_t>(number_or("MASTER_PORT", 1, 65535, derived));
  world.attempt = number_or("SLURM_RESTART_COUNT", 0, kMostProcesses, 0);
  return world;
}

}  // namespace

World detect_world() {
  if (variable("WORLD_SIZE")) return launched_world();
  // SLURM_PROCID alone is also set in a batch script outside of any step; SLURM_STEP_ID is not.
  if (variable("SLURM_STEP_ID") && variable("SLURM_NTASKS")) return slurm_world();
  return {};
}

}  // namespace guidegen
