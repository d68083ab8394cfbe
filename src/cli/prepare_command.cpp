#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>
#include <optional>

#include "cli/print.hpp"
#include "guidegen/cli/commands.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/progress.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/data/dataset.hpp"
#include "guidegen/data/prepare.hpp"
#include "guidegen/volume/labels.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string ct;
  std::string labels;
  std::string id;
  std::string vocabulary = "torso";
  std::string out;
  std::vector<double> spacing;
  std::vector<int64_t> size;
  PrepareOptions prepare;
  bool overwrite = false;
  bool json = false;
};

/// Voxels of every label that occurs, by name.
Json voxels_by_name(const Volume& mask, const Vocabulary& vocabulary) {
  const at::Tensor counts = count_labels(mask.data, vocabulary.size());
  Json json = Json::object();
  for (const LabelInfo& label : vocabulary.labels()) {
    const auto voxels = counts[label.id].item<int64_t>();
    if (voxels > 0) json[label.name] = voxels;
  }
  return json;
}

Json prepare_one(const PairFiles& files, const Vocabulary& vocabulary, const Options& options,
                 DatasetWriter& writer) {
  const PreparedCase prepared = prepare_pair(files, vocabulary, options.prepare);
  writer.add(prepared.prompt, prepared.mask, prepared.ct);
  write_png(fs::path(options.out) / files.id / "preview.png",
            render_preview(&prepared.ct, &prepared.mask, vocabulary));
  Json json = Json::object();
  json["prompt"] = to_json(prepared.prompt);
  json["size"] = prepared.ct.geometry.size;
  json["spacing_mm"] = prepared.ct.geometry.spacing;
  json["voxels"] = voxels_by_name(prepared.mask, vocabulary);
  return json;
}

std::string row_of(const Json& prepared) {
  return prepared.at("prompt").at("id").get<std::string>() + ": " + prepared.at("size").dump() +
         " voxels, " + std::to_string(prepared.at("voxels").size()) + " labels\n";
}

void read_grid_flags(Options& options) {
  if (!options.spacing.empty()) {
    options.prepare.spacing = {options.spacing[0], options.spacing[1], options.spacing[2]};
  }
  if (!options.size.empty()) {
    options.prepare.size = {options.size[0], options.size[1], options.size[2]};
  }
}

void run_pairs(Options& options) {
  read_grid_flags(options);
  const Vocabulary vocabulary = Vocabulary::load(options.vocabulary);
  vocabulary.mapping(options.prepare.mapping);  // refuses an unknown name before any work
  const std::vector<PairFiles> pairs =
      find_pairs(options.ct, options.labels,
                 options.id.empty() ? std::nullopt : std::make_optional(options.id));
  const bool was_there = fs::exists(options.out);
  DatasetWriter writer(options.out, vocabulary);
  Json cases = Json::array();
  std::string rows;
  std::vector<std::string> failures;
  Progress bar("prepare", static_cast<int64_t>(pairs.size()));
  for (size_t i = 0; i < pairs.size(); ++i) {
    throw_if_stopped();
    if (!options.overwrite && writer.has_case(pairs[i].id)) {
      log_info(pairs[i].id + ": already there, kept (--overwrite replaces it)");
      continue;
    }
    try {
      cases.push_back(prepare_one(pairs[i], vocabulary, options, writer));
      rows += row_of(cases.back());
    } catch (const Error& error) {
      failures.emplace_back(error.what());
      // A single pair has nothing to go on with: its own error is the outcome.
      if (pairs.size() == 1) {
        if (!was_there) fs::remove(options.out);  // only when empty: nothing was written
        throw;
      }
      log_error(failures.back());
    }
    bar.update(static_cast<int64_t>(i) + 1, pairs[i].id);
  }
  bar.finish();
  if (failures.size() == pairs.size()) {
    if (!was_there) fs::remove(options.out);
    throw_failure("none of the ", pairs.size(), " pairs could be prepared");
  }
  writer.finish();
  if (options.json) {
    print_json({{"out", options.out}, {"cases", cases}, {"failures", failures}});
  } else {
    print_text(rows);
  }
  if (!failures.empty()) {
    throw Error(ErrorKind::kPartial, concat(failures.size(), " of ", pairs.size(),
                                            " pairs could not be prepared, the others are done"));
  }
}

void add_pairs_flags(CLI::App& command, Options& options) {
  command.add_option("--ct", options.ct, "CT as NIfTI, or a folder of them")->required();
  command
      .add_option("--labels", options.labels,
                  "Label map on the grid of the CT, or a folder of maps with the names of the CTs")
      ->required();
  command
      .add_option("--mapping", options.prepare.mapping,
                  "How label values map onto the vocabulary: totalsegmentator_v2, amos, kits, ...")
      ->required();
  command.add_option("--out", options.out, "Data set folder to make or add to")->required();
  command.add_option("--vocabulary", options.vocabulary, "Shipped vocabulary or JSON file")
      ->capture_default_str();
  command.add_option("--id", options.id, "Name of the case; default: that of the CT file");
  command.add_option("--spacing", options.spacing, "Resample to this voxel size, x y z in mm")
      ->expected(3)
      ->check(CLI::Range(0.1, 50.0));
  command.add_option("--size", options.size, "Crop or pad around the center to x y z voxels")
      ->expected(3)
      ->check(CLI::Range(int64_t{1}, int64_t{4096}));
  command.add_flag("--overwrite", options.overwrite, "Replace cases that are already there");
  command.add_flag("--json", options.json, "Print one JSON document with the label counts");
}

}  // namespace

void add_prepare_command(CLI::App& app) {
  CLI::App* prepare = app.add_subcommand("prepare", "Make a data set from images of your own");
  prepare->require_subcommand(1);
  auto options = std::make_shared<Options>();
  CLI::App* command =
      prepare->add_subcommand("pairs", "CT and label maps with a known label set -> data set");
  add_pairs_flags(*command, *options);
  const char* example =
      "Example:\n"
      "  guidegen prepare pairs --ct ct.nii.gz --labels segmentation.nii.gz \\\n"
      "    --mapping totalsegmentator_v2 --id patient-1 --out data/patients";
  command->footer(example);
  prepare->footer(example);
  command->callback([options] { run_pairs(*options); });
}

}  // namespace guidegen
