#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace guidegen {

struct RandomPromptOptions {
  std::optional<int64_t> count;  ///< absent: random prompts are not asked for
  uint64_t seed = 0;
  bool balanced = false;
  bool as_text = false;
  std::string out;
};

/// Adds `--random N` and the flags that go with it; `--random` excludes `other`.
std::shared_ptr<RandomPromptOptions> add_random_prompt_options(CLI::App& command,
                                                               CLI::Option* other);

/// Writes the prompts to `out`, or to stdout where that is empty.
void run_random_prompts(const RandomPromptOptions& options);

}  // namespace guidegen
