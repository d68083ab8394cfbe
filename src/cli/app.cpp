#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "guidegen/cli/commands.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/version.hpp"

namespace guidegen {
namespace {

/// The subcommand that the arguments reached: "guidegen sample stage1" for instance.
const CLI::App* reached(const CLI::App& app) {
  const CLI::App* current = &app;
  while (!current->get_subcommands().empty()) current = current->get_subcommands().front();
  return current;
}

std::string command_line_of(const CLI::App* app) {
  std::string line = app->get_name();
  while ((app = app->get_parent()) != nullptr) line = app->get_name() + " " + line;
  return line;
}

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(sub->get_name());
  }
  return names;
}

std::vector<std::string> flag_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// What to say about an argument that no option or subcommand took.
std::string describe_unexpected(const std::string& argument, const CLI::App& app) {
  const std::string where = " of '" + command_line_of(&app) + "'";
  const bool is_flag = argument.size() > 1 && argument.front() == '-';
  const std::string word = is_flag ? argument.substr(0, argument.find('=')) : argument;
  const std::vector<std::string> subcommands = subcommand_names(app);
  const std::vector<std::string> known = is_flag ? flag_names(app) : subcommands;
  const std::string near = nearest_match(word, known);
  std::string message = is_flag               ? "unknown option '" + word + "'" + where
                        : subcommands.empty() ? "unexpected argument '" + word + "'" + where
                                              : "unknown command '" + word + "'" + where;
  if (!near.empty()) return message + ", did you mean '" + near + "'?";
  if (!is_flag && !subcommands.empty()) return message + ", expected one of " + joined(subcommands);
  return message + ", see '" + command_line_of(&app) + " --help'";
}

/// One line for a command line that CLI11 refused.
std::string describe_parse_error(const CLI::ParseError& error, const CLI::App& app) {
  const CLI::App* command = reached(app);
  // An unknown argument is often why something required seems to be missing: name it first.
  std::vector<std::string> unexpected = app.remaining(true);
  unexpected.erase(std::remove(unexpected.begin(), unexpected.end(), "--"), unexpected.end());
  // A misspelt flag leaves its value over too; the flag is the news.
  const auto flag = std::find_if(unexpected.begin(), unexpected.end(), [](const std::string& text) {
    return text.size() > 1 && text.front() == '-';
  });
  if (flag != unexpected.end()) return describe_unexpected(*flag, *command);
  if (!unexpected.empty()) return describe_unexpected(unexpected.front(), *command);
  const std::vector<std::string> subcommands = subcommand_names(*command);
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !subcommands.empty()) {
    return "'" + command_line_of(command) + "' needs a command, one of " + joined(subcommands);
  }
  std::string message = error.what();
  std::replace(message.begin(), message.end(), '\n', ' ');
  return message + ", see '" + command_line_of(command) + " --help'";
}

/// Gives every command the flags that all of them understand.
void add_common_flags(CLI::App& app, bool& quiet) {
  if (app.get_option_no_throw("--quiet") == nullptr) {
    app.add_flag("--quiet", quiet, "Print warnings and errors only");
  }
  for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; })) {
    add_common_flags(*sub, quiet);
  }
}

}  // namespace

int run_app(int argc, char** argv) {
  CLI::App app("Labelled CT scans from a description of the patient: text -> mask -> CT.",
               "guidegen");
  app.set_version_flag("--version", "guidegen " + version());
  app.require_subcommand(1);
  app.footer(
      "Example:\n"
      "  guidegen generate --model models/demo --prompts configs/demo/prompts.json --out out\n"
      "\n'guidegen COMMAND --help' tells more. Exit codes: 0 done, 1 failed, 2 wrong usage,\n"
      "configuration or prompt, 3 some cases failed, 130 and 143 stopped by a signal.");
  add_phantom_command(app);
  add_prepare_command(app);
  add_train_command(app);
  add_sample_command(app);
  add_generate_command(app);
  add_evaluate_command(app);
  add_prompt_command(app);
  add_export_command(app);
  add_info_command(app);

  bool quiet = false;
  add_common_flags(app, quiet);
  // Runs once everything is parsed and before the callback of the command itself.
  app.parse_complete_callback([&quiet] {
    if (quiet) set_log_level(LogLevel::kWarning);
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help and --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    throw_usage(describe_parse_error(error, app));
  }
  return 0;
}

}  // namespace guidegen
