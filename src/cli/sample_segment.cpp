#include "cli/sample_segment.hpp"

#include <CLI/CLI.hpp>

#include <memory>

#include "cli/output_file.hpp"
#include "cli/print.hpp"
#include "cli/sample_parts.hpp"
#include "guidegen/nn/accelerator.hpp"
#include "guidegen/stages/segment_ct.hpp"
#include "guidegen/volume/labels.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

struct Options {
  std::string model;
  std::string ct;
  std::string out;
  WindowOptions windows;
  std::string device = "auto";
  bool json = false;
};

void run(const Options& options) {
  check_nifti_name("--out", options.out);
  validate_nifti(options.ct);
  const SegmenterModel model = SegmenterModel::load(options.model, resolve_device(options.device));
  const Volume ct = read_ct(options.ct);
  StepBar bar("segment");
  const Volume mask = model.segment(ct, options.windows, bar.callback());
  make_parent(options.out);
  write_mask(options.out, mask);
  if (!options.json) return;
  Json voxels = Json::object();
  const at::Tensor counts = count_labels(mask.data, model.vocabulary().size());
  for (const LabelInfo& label : model.vocabulary().labels()) {
    voxels[label.name] = counts[label.id].item<int64_t>();
  }
  print_json({{"ct", options.ct},
              {"out", options.out},
              {"size", mask.geometry.size},
              {"spacing_mm", mask.geometry.spacing},
              {"weights_sha256", model.weights_sha256()},
              {"voxels", std::move(voxels)}});
}

}  // namespace

void add_sample_segment(CLI::App& sample) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      sample.add_subcommand("segment", "CT -> mask, by a segmenter (guidegen train segmenter)");
  command->add_option("--model", options->model, "Model directory that holds a segmenter")
      ->required();
  command->add_option("--ct", options->ct, "CT as NIfTI")->required();
  command->add_option("--out", options->out, "Mask, .nii.gz")->required();
  command
      ->add_option("--window", options->windows.window,
                   "Voxels along each axis that are seen at once (default: the segmenter's)")
      ->check(CLI::Range(16, 512));
  command
      ->add_option("--overlap", options->windows.overlap, "Least share that windows have in common")
      ->check(CLI::Range(0.0, 0.9))
      ->capture_default_str();
  command->add_option("--device", options->device, "auto, cpu, cuda or cuda:N")
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print one JSON document on stdout");
  command->callback([options] { run(*options); });
  command->footer(
      "The mask is written in RAS orientation on the grid of the CT.\n\n"
      "Example:\n"
      "  guidegen sample segment --model runs/segmenter/model --ct ct.nii.gz --out mask.nii.gz");
}

}  // namespace guidegen
