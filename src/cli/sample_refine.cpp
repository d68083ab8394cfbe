#include "cli/sample_refine.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <memory>

#include "cli/output_file.hpp"
#include "cli/print.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/train/resource_usage.hpp"
#include "guidegen/volume/nifti.hpp"
#include "guidegen/volume/refine_labels.hpp"

namespace guidegen {
namespace {

struct Options {
  std::string mask;
  std::string out;
  Vec3 spacing{1.5, 1.5, 1.5};
  std::vector<int64_t> size;
  RefineOptions refine;
  bool memory = false;
  bool json = false;
};

Json to_json(const RefineReport& report) {
  Json changes = Json::array();
  for (const ComponentChange& change : report.changes) {
    changes.push_back(
        {{"label", change.label}, {"before", change.before}, {"after", change.after}});
  }
  return {{"moved_voxels", report.moved},
          {"held_back_voxels", report.held_back},
          {"passes", report.passes},
          {"component_changes", std::move(changes)}};
}

ImageGeometry wanted_grid(const ImageGeometry& geometry, const Options& options) {
  std::optional<std::array<int64_t, 3>> size;
  if (!options.size.empty()) size = {options.size[0], options.size[1], options.size[2]};
  const ImageGeometry target = recentered(geometry, options.spacing, size);
  double voxels = 1;
  for (const int64_t extent : target.size) voxels *= static_cast<double>(extent);
  if (voxels > static_cast<double>(kMaxVoxels)) {
    throw_usage("--spacing, --size: a mask of ", format_size(target.size),
                " voxels, expected 2^31 at most");
  }
  return target;
}

void run(const Options& options) {
  check_nifti_name("--out", options.out);
  const Volume mask = read_mask(options.mask);
  const ImageGeometry target = wanted_grid(mask.geometry, options);
  RefineReport report;
  const auto start = std::chrono::steady_clock::now();
  const Volume refined = refine_labels(mask, target, options.refine, &report);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  make_parent(options.out);
  write_mask(options.out, refined);
  Json document = {{"mask", options.mask},
                   {"out", options.out},
                   {"size", target.size},
                   {"spacing_mm", target.spacing}};
  document.update(to_json(report));
  document["seconds"] = seconds;
  if (options.memory) document["peak_memory_bytes"] = peak_resident_bytes();
  if (options.json) return print_json(document);
  print_text(format_document(document));
}

}  // namespace

void add_sample_refine(CLI::App& sample) {
  auto options = std::make_shared<Options>();
  CLI::App* command = sample.add_subcommand(
      "refine", "Mask -> the same mask on a finer grid, smooth, no piece lost, split or merged");
  command->add_option("--mask", options->mask, "Mask as NIfTI, any labels")->required();
  command->add_option("--spacing", options->spacing, "Voxel size along x, y, z in mm")
      ->type_name("X,Y,Z")
      ->delimiter(',')
      ->check(CLI::Range(0.05, 100.0))
      ->required();
  command
      ->add_option("--size", options->size,
                   "Voxels along x, y, z, around the same center; default: the mask's field of "
                   "view. What lies outside the mask is label 0")
      ->type_name("X,Y,Z")
      ->delimiter(',')
      ->expected(3)
      ->check(CLI::Range(1, 8192));
  command->add_option("--out", options->out, "Refined mask, .nii.gz")->required();
  command
      ->add_option("--tile", options->refine.tile,
                   "Voxels along each axis that a thread takes at a time; the mask does not depend "
                   "on it")
      ->check(CLI::Range(1, 8192))
      ->capture_default_str();
  command->add_flag("--memory", options->memory, "Also tell the most memory the program had");
  command->add_flag("--json", options->json, "Print one JSON document on stdout");
  command->callback([options] { run(*options); });
  command->footer(
      "Along an axis where the wanted spacing is coarser than the mask's, small pieces may merge "
      "or\n"
      "vanish; component_changes tells which.\n\n"
      "Example:\n"
      "  guidegen sample refine --mask mask.nii.gz --spacing 1.5,1.5,1.5 --out fine.nii.gz");
}

}  // namespace guidegen
