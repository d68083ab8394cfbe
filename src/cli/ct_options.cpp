#include "cli/ct_options.hpp"

#include <CLI/CLI.hpp>

#include "guidegen/core/memory_size.hpp"

namespace guidegen {

void add_ct_options(CLI::App& command, CtOptions& options, const std::string& prefix) {
  CtSampling& sampling = options.sampling;
  command
      .add_option("--" + prefix + "steps", sampling.steps,
                  "Solver steps a CT (default: the model's)")
      ->check(CLI::Range(1, 10000));
  command
      .add_option("--" + prefix + "solver", sampling.solver,
                  "euler or heun (of flows), dpm++2m or ddim (of diffusion)")
      ->check(CLI::IsMember({"auto", "euler", "heun", "dpm++2m", "ddim"}))
      ->capture_default_str();
  command
      .add_option("--" + prefix + "guidance", sampling.text_guidance,
                  "How strongly CTs follow the prompt; 1 is plain (default: the model's)")
      ->check(CLI::Range(0.0, 20.0));
  command
      .add_option("--mask-guidance", sampling.mask_guidance,
                  "How strongly CTs follow the mask; 1 is plain (default: the model's)")
      ->check(CLI::Range(0.0, 20.0));
  command
      .add_option("--memory", options.memory,
                  "What decoding a CT may take; larger ones are decoded in tiles")
      ->capture_default_str();
}

void finish_ct_options(CtOptions& options) {
  options.sampling.memory = parse_memory_size(options.memory, "--memory");
}

}  // namespace guidegen
