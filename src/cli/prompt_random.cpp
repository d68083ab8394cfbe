#include "cli/prompt_random.hpp"

#include <CLI/CLI.hpp>

#include "cli/print.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/random_stream.hpp"
#include "guidegen/data/random_prompts.hpp"

namespace guidegen {
namespace {

/// A phrasing of its own for each prompt, drawn by seed and id.
void put_in_words(std::vector<Prompt>& prompts, uint64_t seed) {
  for (Prompt& prompt : prompts) {
    RandomStream stream(seed, prompt.id, "prompt/phrasing");
    prompt.text = describe(prompt, static_cast<int>(stream.integer(kPhrasingCount)));
  }
}

/// A JSON array, or JSON Lines where the name ends in .jsonl.
void write_prompts(const std::string& path, const Json& array) {
  if (!path.ends_with(".jsonl")) return write_file_atomic(path, dump_json(array));
  std::string lines;
  for (const Json& prompt : array) lines += prompt.dump() + "\n";
  write_file_atomic(path, lines);
}

Json words_alone(const std::vector<Prompt>& prompts) {
  Json array = Json::array();
  for (const Prompt& prompt : prompts) array.push_back({{"id", prompt.id}, {"text", *prompt.text}});
  return array;
}

}  // namespace

std::shared_ptr<RandomPromptOptions> add_random_prompt_options(CLI::App& command,
                                                               CLI::Option* other) {
  auto options = std::make_shared<RandomPromptOptions>();
  CLI::Option* random =
      command
          .add_option("--random", options->count,
                      "Draw so many prompts as the patients of guidegen phantom are drawn, none of "
                      "whom is among them")
          ->check(CLI::Range(int64_t{1}, int64_t{1000000}))
          ->excludes(other);
  command.add_option("--seed", options->seed, "Seed of --random")
      ->needs(random)
      ->capture_default_str();
  command
      .add_flag("--balanced", options->balanced,
                "With --random: all organs, and all positions of an organ, equally often")
      ->needs(random);
  command.add_option("--out", options->out, "File for the prompts of --random (JSON, or .jsonl)")
      ->needs(random);
  command
      .add_flag("--as-text", options->as_text,
                "With --random: only id and text, in phrasings drawn at random; the fields go to "
                "OUT.truth.json")
      ->needs(random);
  return options;
}

void run_random_prompts(const RandomPromptOptions& options) {
  std::vector<Prompt> prompts = draw_prompts({*options.count, options.seed, options.balanced});
  if (options.as_text) put_in_words(prompts, options.seed);
  Json fields = Json::array();
  for (const Prompt& prompt : prompts) fields.push_back(to_json(prompt));
  if (options.out.empty()) {
    if (options.as_text) throw_usage("--as-text: expected --out FILE, the truth goes beside it");
    return print_json(fields);
  }
  if (!options.as_text) return write_prompts(options.out, fields);
  write_prompts(options.out + ".truth.json", fields);
  write_prompts(options.out, words_alone(prompts));
}

}  // namespace guidegen
