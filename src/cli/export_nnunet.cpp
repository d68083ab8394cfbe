#include "cli/export_nnunet.hpp"

#include <CLI/CLI.hpp>

#include <memory>

#include "cli/evaluate_words.hpp"
#include "guidegen/data/export_cases.hpp"

namespace guidegen {
namespace {

struct Options {
  std::string cases;
  std::string out;
  std::string vocabulary;
  NnunetOptions nnunet;
  bool json = false;
};

void run(const Options& options) {
  const Vocabulary vocabulary = vocabulary_for(options.vocabulary, options.cases);
  const NnunetSummary summary =
      export_nnunet(find_export_cases(options.cases), options.out, vocabulary, options.nnunet);
  if (options.json) {
    print_json({{"out", options.out},
                {"labels", summary.classes},
                {"training", summary.training},
                {"test", summary.test}});
  } else {
    print_text(
        format_table({{"training", "test", "labels"},
                      {std::to_string(summary.training.size()), std::to_string(summary.test.size()),
                       std::to_string(summary.classes.size())}}));
  }
}

}  // namespace

void add_export_nnunet(CLI::App& command) {
  auto options = std::make_shared<Options>();
  CLI::App* nnunet = command.add_subcommand("nnunet", "Cases as a raw data set of nnU-Net v2");
  nnunet->add_option("--cases", options->cases, "Output folder of generate, or a data set")
      ->required();
  nnunet->add_option("--out", options->out, "New folder, named like Dataset123_Guidegen")
      ->required();
  nnunet
      ->add_option("--labels", options->nnunet.labels,
                   "Labels or groups to segment, with commas between; others become background "
                   "(default: all labels)")
      ->delimiter(',');
  nnunet
      ->add_option("--test-share", options->nnunet.test_share,
                   "Share of the cases that go to imagesTs and labelsTs")
      ->check(CLI::Range(0.0, 0.9))
      ->capture_default_str();
  nnunet->add_option("--vocabulary", options->vocabulary,
                     "Shipped vocabulary or JSON file; default: that of the folder, or torso");
  nnunet->add_flag("--json", options->json, "Print one JSON document on stdout");
  nnunet->footer(
      "Images are hard links where the file system has them, so the data set takes little room.\n\n"
      "Example:\n"
      "  guidegen export nnunet --cases out --out nnUNet_raw/Dataset123_Guidegen \\\n"
      "    --labels tumor,liver,kidneys --test-share 0.2");
  nnunet->callback([options] { run(*options); });
}

}  // namespace guidegen
