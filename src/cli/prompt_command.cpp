#include <CLI/CLI.hpp>

#include <memory>
#include <optional>

#include "cli/print.hpp"
#include "cli/prompt_random.hpp"
#include "guidegen/cli/commands.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/prompt/prompt.hpp"

namespace guidegen {
namespace {

struct Options {
  std::string file;
  std::optional<int> phrasing;
  bool json = false;
};

Json normalized(const std::vector<Prompt>& prompts) {
  Json array = Json::array();
  for (const Prompt& prompt : prompts) array.push_back(to_json(prompt));
  return array;
}

void print_phrasing(const std::vector<Prompt>& prompts, int phrasing) {
  std::string lines;
  for (const Prompt& prompt : prompts) lines += describe(prompt, phrasing) + "\n";
  print_text(lines);
}

void print_all(const std::vector<Prompt>& prompts) {
  std::string text;
  for (const Prompt& prompt : prompts) {
    text += prompt.id + "\n";
    for (int phrasing = 0; phrasing < kPhrasingCount; ++phrasing) {
      text += concat("  ", phrasing, "  ", describe(prompt, phrasing), "\n");
    }
  }
  print_text(text);
}

void run_prompt(const Options& options) {
  const std::vector<Prompt> prompts = read_prompts(options.file);
  if (options.json) {
    print_json(normalized(prompts));
  } else if (options.phrasing) {
    print_phrasing(prompts, *options.phrasing);
  } else {
    print_all(prompts);
  }
}

}  // namespace

void add_prompt_command(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("prompt", "Check a prompt file; print it in words or JSON");
  CLI::Option* file = command->add_option("FILE", options->file,
                                          "Prompts: a JSON array, one object, or JSON Lines");
  const auto random = add_random_prompt_options(*command, file);
  CLI::Option* phrasing =
      command
          ->add_option("--text-phrasing", options->phrasing,
                       "Print this phrasing alone, one line a prompt; 0 is the structured template")
          ->check(CLI::Range(0, kPhrasingCount - 1));
  command->add_flag("--json", options->json, "Print the prompts as one normalized JSON array")
      ->excludes(phrasing);
  command->footer(
      "Example:\n"
      "  guidegen prompt configs/demo/prompts.json --text-phrasing 1\n"
      "  guidegen prompt --random 200 --seed 7 --balanced --out unseen.json");
  command->callback([options, random] {
    if (random->count) return run_random_prompts(*random);
    if (options->file.empty()) throw_usage("prompt: expected FILE, or --random N");
    run_prompt(*options);
  });
}

}  // namespace guidegen
