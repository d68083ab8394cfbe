#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>

#include "cli/info_files.hpp"
#include "cli/print.hpp"
#include "guidegen/cli/commands.hpp"
#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string path;
  std::string vocabulary = "torso";
  bool json = false;
};

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

Json describe_file(const fs::path& path, const std::string& vocabulary) {
  const std::string name = path.filename().string();
  if (ends_with(name, ".nii") || ends_with(name, ".nii.gz")) {
    return describe_nifti(path, vocabulary);
  }
  if (ends_with(name, ".safetensors")) return describe_safetensors(path);
  if (name == "model.json" || name == "dataset.json") {
    return describe_folder(path.has_parent_path() ? path.parent_path() : fs::path("."));
  }
  if (name == "manifest.jsonl") return describe_manifest(path);
  if (ends_with(name, ".json") || ends_with(name, ".jsonl")) return describe_json_file(path);
  throw_usage(path.string(),
              ": expected .nii, .nii.gz, .safetensors, .json or .jsonl, or a folder");
}

Json describe(const Options& options) {
  const fs::path path = options.path;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    try {
      return describe_folder(path);
    } catch (const fs::filesystem_error& problem) {
      throw_failure(path.string(), ": cannot be read: ", problem.code().message());
    }
  }
  if (fs::exists(path, error)) return describe_file(path, options.vocabulary);
  // No file of that name: perhaps a vocabulary. A word with a dot or slash was meant as a path.
  if (options.path.find_first_of("./") == std::string::npos) {
    return describe_vocabulary(options.path);
  }
  throw_failure(path.string(), ": no such file or folder");
}

}  // namespace

void add_info_command(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("info", "Say what a file or folder of ours holds");
  command
      ->add_option(
          "path", options->path,
          "NIfTI, safetensors, prompts, manifest, model, data set, run, checkpoint, or the "
          "name of a vocabulary")
      ->required();
  command->add_option("--vocabulary", options->vocabulary, "Names for the labels of a mask")
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print one JSON document on stdout");
  command->footer(
      "Example:\n"
      "  guidegen info models/demo\n"
      "  guidegen info out/case-0001/mask.nii.gz --json");
  command->callback([options] {
    const Json document = describe(*options);
    options->json ? print_json(document) : print_text(format_document(document));
  });
}

}  // namespace guidegen
