#pragma once

#include <string>

#include "guidegen/stages/model.hpp"

namespace CLI {
class App;
}

namespace guidegen {

/// How CTs are sampled, as the command line says it.
struct CtOptions {
  CtSampling sampling;
  std::string memory = "8GiB";
};

/// Adds --steps, --solver, --guidance, --mask-guidance and --memory; `prefix` ("ct-") comes before
/// names that other stages have too.
void add_ct_options(CLI::App& command, CtOptions& options, const std::string& prefix);

/// Reads --memory. Throws Error(kUsage).
void finish_ct_options(CtOptions& options);

}  // namespace guidegen
