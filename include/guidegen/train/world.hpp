#pragma once

#include <cstdint>
#include <string>

namespace guidegen {

/// Which process this is among those of one run, and where they meet.
struct World {
  int rank = 0;
  int size = 1;
  int local_rank = 0;     ///< among the processes of this node; picks the GPU
  std::string address{};  ///< host of the meeting point (a c10d::TCPStore)
  uint16_t port = 0;
  bool agent_store = false;  ///< a launcher's agent keeps the store: every rank is a client
  int attempt = 0;           ///< how many times the launcher has restarted the processes

  bool alone() const { return size == 1; }
  bool first() const { return rank == 0; }
};

/// Reads the environment: RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT as torchrun sets
/// them, else SLURM_PROCID, SLURM_NTASKS, SLURM_LOCALID inside a job step of `srun` (meeting on the
/// first host of SLURM_STEP_NODELIST at MASTER_PORT, or a port that follows from SLURM_JOB_ID and
/// SLURM_STEP_ID); one process where there is neither. Throws Error(kUsage) naming a variable that
/// is missing or no number in its range.
World detect_world();

}  // namespace guidegen
