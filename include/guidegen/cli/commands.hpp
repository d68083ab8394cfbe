#pragma once

namespace CLI {
class App;
}

namespace guidegen {

/// Each adds one subcommand: its options struct, its flags with an example in --help, and its run
/// function as callback.
void add_phantom_command(CLI::App& app);
void add_prepare_command(CLI::App& app);
void add_train_command(CLI::App& app);
void add_sample_command(CLI::App& app);
void add_generate_command(CLI::App& app);
void add_evaluate_command(CLI::App& app);
void add_prompt_command(CLI::App& app);
void add_info_command(CLI::App& app);
void add_export_command(CLI::App& app);

/// Builds the command line, parses and runs it. Throws guidegen::Error and Stopped; CLI11's parse
/// errors become one line on stderr and exit code 2. Returns the exit code.
int run_app(int argc, char** argv);

}  // namespace guidegen
