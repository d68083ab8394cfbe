#pragma once

#include <string>

namespace guidegen {

/// The first machine of a Slurm node list ($SLURM_STEP_NODELIST, $SLURM_JOB_NODELIST), as
/// `scontrol show hostnames` would print it: "node[003-007,012],gpu1" gives "node003". Understands
/// several brackets a name ("rack[2-3]-n[01-16]") and text after them ("n[1-2]-ib0").
/// Throws Error(kUsage) that quotes the list when it is empty or its brackets make no sense.
std::string first_host(const std::string& nodelist);

}  // namespace guidegen
