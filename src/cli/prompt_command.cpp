#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>
#include <optional>

#include "cli/encoder_option.hpp"
#include "cli/print.hpp"
#include "cli/prompt_random.hpp"
#include "cli/prompt_text.hpp"
#include "guidegen/cli/commands.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/prompt/prompt.hpp"

namespace guidegen {
namespace {

struct Options {
  std::string source;  // a file, or free text
  std::string text;
  std::string language = "auto";
  std::string encoder;
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

/// What looks like the name of a prompt file is none of a patient: a missing file shall be told.
bool is_file(const std::string& source) {
  const std::filesystem::path path(source);
  std::error_code error;
  return std::filesystem::exists(path, error) || path.extension() == ".json" ||
         path.extension() == ".jsonl";
}

void run_prompt(const Options& options) {
  if (options.source.empty() == options.text.empty()) {
    throw_usage("prompt: ", options.text.empty() ? "no" : "two",
                " inputs, expected a FILE, free text, or --text");
  }
  if (!options.text.empty() || !is_file(options.source)) {
    if (options.phrasing) throw_usage("--text-phrasing: needs a prompt file, this is free text");
    const std::string& text = options.text.empty() ? options.source : options.text;
    return run_prompt_text(text, options.language, matcher_of(options.encoder), options.json);
  }
  if (!options.encoder.empty()) throw_usage("--encoder: needs free text, this is a prompt file");
  const std::vector<Prompt> prompts = read_prompts(options.source);
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
      app.add_subcommand("prompt", "Read free text or check a prompt file; print words or JSON");
  CLI::Option* source = command->add_option(
      "FILE", options->source, "Prompts: a JSON array, one object, or JSON Lines; or free text");
  command->add_option("--text", options->text, "Free text, whatever files there are");
  command->add_option("--language", options->language, "Of free text: auto, or en, de, es, fr, zh")
      ->capture_default_str();
  add_encoder_option(*command, options->encoder);
  const auto random = add_random_prompt_options(*command, source);
  CLI::Option* phrasing =
      command
          ->add_option("--text-phrasing", options->phrasing,
                       "Print this phrasing alone, one line a prompt; 0 is the structured template")
          ->check(CLI::Range(0, kPhrasingCount - 1));
  command
      ->add_flag("--json", options->json,
                 "Print the prompts as one normalized JSON array; of free text what was "
                 "understood, with spans")
      ->excludes(phrasing);
  command->footer(
      "Of free text it prints the fields understood, the bytes [begin,end) of the text that gave\n"
      "them, and what was not used.\n\n"
      "Examples:\n"
      "  guidegen prompt \"62-year-old woman with a 3 cm tumor in the left kidney\"\n"
      "  guidegen prompt configs/demo/prompts.json --text-phrasing 1\n"
      "  guidegen prompt --random 200 --seed 7 --balanced --out unseen.json");
  command->callback([options, random] {
    if (random->count) return run_random_prompts(*random);
    run_prompt(*options);
  });
}

}  // namespace guidegen
