#include "cli/evaluate_image_mask.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <optional>

#include "cli/evaluate_words.hpp"
#include "guidegen/evaluate/image_mask.hpp"
#include "guidegen/nn/accelerator.hpp"

namespace guidegen {
namespace {

struct Options {
  std::string data;
  std::string segmenter;
  std::string reference;
  int64_t reference_cases = ImageMaskOptions{}.reference_cases;
  double tolerance_mm = 0;
  std::string vocabulary;
  std::string device = "auto";
  int64_t pictures = 8;
  std::string out;
  std::string html;
  bool json = false;
};

void run(const Options& options) {
  std::optional<SegmenterModel> segmenter;
  if (!options.segmenter.empty()) {
    segmenter = SegmenterModel::load(options.segmenter, resolve_device(options.device));
  }
  const Vocabulary vocabulary = vocabulary_for(
      options.vocabulary, options.reference.empty() ? options.data : options.reference);
  ImageMaskOptions how;
  how.segmenter = segmenter ? &*segmenter : nullptr;
  how.reference = options.reference;
  how.reference_cases = options.reference_cases;
  how.tolerance_mm = options.tolerance_mm;
  how.pictures = options.html.empty() ? 0 : options.pictures;
  CaseBar bar;
  const ImageMaskReport report = evaluate_image_mask(options.data, vocabulary, how, bar.callback());
  if (!options.html.empty()) {
    write_file_atomic(options.html, to_page(report, "CTs against masks: " + options.data));
  }
  publish(report, options.out, options.json);
}

}  // namespace

void add_image_mask_command(CLI::App& evaluate) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = evaluate.add_subcommand(
      "image-mask", "Do CTs show what their masks say, and look like those of a reference?");
  command
      ->add_option("--data", options->data,
                   "Folder of cases (<id>/{prompt.json, mask.nii.gz, ct.nii.gz}): a data set, or "
                   "the output of guidegen generate")
      ->required();
  command->add_option("--segmenter", options->segmenter,
                      "Model directory of `guidegen train segmenter`, which labels the CTs anew");
  command->add_option("--reference", options->reference,
                      "Folder of cases that CTs should be like, by contrast phase");
  command
      ->add_option("--reference-cases", options->reference_cases,
                   "Cases of the reference to measure, evenly spread; 0: all")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  command
      ->add_option("--tolerance", options->tolerance_mm,
                   "Of surface Dice, mm; 0: the largest voxel spacing of each case")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  command->add_option("--vocabulary", options->vocabulary,
                      "Shipped vocabulary or JSON file; default: that of the reference or data "
                      "set, or torso");
  command->add_option("--device", options->device, "auto, cpu, cuda or cuda:N")
      ->capture_default_str();
  command->add_option("--html", options->html, "Write a page with the tables and pictures here");
  command->add_option("--pictures", options->pictures, "Cases that the page shows as images")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  command->add_option("--out", options->out, "Write the figures as JSON here");
  command->add_flag("--json", options->json, "Print that JSON on stdout instead of the table");
  command->callback([options] { run(*options); });
  command->footer(
      "Example:\n"
      "  guidegen evaluate image-mask --data out --segmenter runs/segmenter/model "
      "--reference phantoms \\\n"
      "    --html image-mask.html --out image-mask.json");
}

}  // namespace guidegen
