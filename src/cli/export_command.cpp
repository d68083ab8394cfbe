#include <CLI/CLI.hpp>

#include <memory>

#include "cli/export_dicom.hpp"
#include "cli/export_nnunet.hpp"
#include "guidegen/cli/commands.hpp"
#include "guidegen/stages/model_directory.hpp"

namespace guidegen {

namespace {

struct ExportModelOptions {
  std::vector<std::string> sources;
  std::string out;
  std::string dtype = "fp16";
};

}  // namespace

void add_export_command(CLI::App& app) {
  auto* command = app.add_subcommand("export", "Turn our files into what others take");
  command->require_subcommand(1);
  constexpr const char* kExample =
      "Example:\n  guidegen export model runs/stage1/model runs/stage2/model runs/stage3/model "
      "--out my-model";
  command->footer(kExample);
  auto options = std::make_shared<ExportModelOptions>();
  auto* model =
      command->add_subcommand("model", "Join separately trained stages into one model directory");
  model->add_option("sources", options->sources, "model directories, each with one stage or more")
      ->required();
  model->add_option("--out", options->out, "model directory to write")->required();
  model->add_option("--dtype", options->dtype, "precision of the weights: fp16 or fp32")
      ->check(CLI::IsMember({"fp16", "fp32"}))
      ->capture_default_str();
  model->footer(kExample);
  model->callback([options] {
    join_models({options->sources.begin(), options->sources.end()}, options->out, options->dtype);
  });
  add_export_dicom(*command);
  add_export_nnunet(*command);
}

}  // namespace guidegen
