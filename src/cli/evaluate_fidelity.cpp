#include "cli/evaluate_fidelity.hpp"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>

#include "cli/evaluate_words.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/evaluate/fidelity.hpp"

namespace guidegen {
namespace {

struct Options {
  std::string reference;
  std::string reconstruction;
  std::string mask;
  std::string vocabulary;
  std::vector<std::string> windows;
  std::vector<std::string> homogeneous;
  int64_t pictures = 8;
  std::string out;
  std::string html;
  bool json = false;
};

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "soft_tissue=40/400".
Exposure window_of(const std::string& text) {
  const size_t equals = text.find('=');
  const size_t slash = text.find('/', equals == std::string::npos ? 0 : equals);
  std::optional<double> center, width;
  if (equals != std::string::npos && slash != std::string::npos) {
    center = number_of(std::string_view(text).substr(equals + 1, slash - equals - 1));
    width = number_of(std::string_view(text).substr(slash + 1));
  }
  if (!center || !width || !(std::abs(*center) <= 10000) || !(*width >= 1) || *width > 20000) {
    throw_usage("--windows ", text, ": expected NAME=CENTER/WIDTH in HU, such as brain=40/80");
  }
  const std::string name = text.substr(0, equals);
  check_file_name(name, "--windows " + text + ": name");  // it becomes a key
  return {name, *center, *width};
}

std::vector<Exposure> windows_of(const std::vector<std::string>& texts) {
  std::vector<Exposure> windows;
  std::set<std::string> names = {"overall"};
  for (const std::string& text : texts) {
    windows.push_back(window_of(text));
    if (!names.insert(windows.back().name).second) {
      throw_usage("--windows ", text, ": ", windows.back().name,
                  " is taken, expected another name");
    }
  }
  return windows;
}

void run(const Options& options) {
  FidelityOptions how;
  if (!options.windows.empty()) how.windows = windows_of(options.windows);
  const auto pairs = find_fidelity_pairs(options.reference, options.reconstruction, options.mask);
  const bool mask_says =
      std::filesystem::exists(std::filesystem::path(options.mask) / "dataset.json");
  const Vocabulary vocabulary =
      vocabulary_for(options.vocabulary, mask_says ? options.mask : options.reference);
  if (!options.homogeneous.empty()) {
    for (const std::string& name : options.homogeneous) vocabulary.id(name);  // or throws
    how.homogeneous = options.homogeneous;
  }
  how.pictures = options.html.empty() ? 0 : options.pictures;
  CaseBar bar;
  const FidelityReport report = evaluate_fidelity(pairs, vocabulary, how, bar.callback());
  if (!options.html.empty()) {
    write_file_atomic(options.html, to_page(report, "Fidelity: " + options.reconstruction +
                                                        " against " + options.reference));
  }
  publish(report, options.out, options.json);
}

}  // namespace

void add_fidelity_command(CLI::App& evaluate) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = evaluate.add_subcommand(
      "fidelity", "How true are reconstructed or generated CTs to their references?");
  command
      ->add_option("--reference", options->reference,
                   "CT as NIfTI, or a folder of cases (<id>/ct.nii.gz or <id>.nii.gz)")
      ->required();
  command
      ->add_option("--reconstruction", options->reconstruction,
                   "CT or folder to judge: the same cases on the same grids")
      ->required();
  command->add_option("--mask", options->mask,
                      "Mask or folder of masks (<id>/mask.nii.gz or <id>.nii.gz) for figures by "
                      "organ; default: those beside the CTs of a reference folder");
  command->add_option("--vocabulary", options->vocabulary,
                      "Shipped vocabulary or JSON file; default: that of the data set, or torso");
  command
      ->add_option("--windows", options->windows,
                   "Exposure windows NAME=CENTER/WIDTH in HU, several with commas; default: "
                   "lung=-600/1500,soft_tissue=40/400,bone=500/1800,full=1024/4096")
      ->delimiter(',');
  command
      ->add_option("--noise-in", options->homogeneous,
                   "Labels whose inside is homogeneous, for noise power; default: "
                   "liver,spleen,bladder")
      ->delimiter(',');
  command->add_option("--html", options->html,
                      "Write a page with the tables and difference images here");
  command->add_option("--pictures", options->pictures, "Cases that the page shows as images")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  command->add_option("--out", options->out, "Write the figures as JSON here");
  command->add_flag("--json", options->json, "Print that JSON on stdout instead of the table");
  command->callback([options] { run(*options); });
  command->footer(
      "Example:\n"
      "  guidegen evaluate fidelity --reference ct.nii.gz --reconstruction made.nii.gz "
      "--mask mask.nii.gz\n"
      "  guidegen evaluate fidelity --reference data/phantoms --reconstruction out "
      "--html fidelity.html --out fidelity.json");
}

}  // namespace guidegen
