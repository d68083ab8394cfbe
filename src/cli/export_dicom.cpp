#include "cli/export_dicom.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>

#include "cli/evaluate_words.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/data/export_cases.hpp"

namespace guidegen {
namespace {

struct Options {
  std::string cases;
  std::string out;
  std::string vocabulary;
  std::vector<std::string> only;
  bool segmentation = false;
  bool json = false;
};

std::string name_of(ExportState state) {
  if (state == ExportState::kWritten) return "written";
  return state == ExportState::kKept ? "kept" : "failed";
}

Json to_json(const std::vector<ExportedCase>& cases) {
  Json list = Json::array();
  for (const ExportedCase& exported : cases) {
    Json entry = {{"id", exported.id}, {"state", name_of(exported.state)}};
    if (exported.state == ExportState::kFailed) entry["error"] = exported.error;
    list.push_back(std::move(entry));
  }
  return list;
}

int64_t count(const std::vector<ExportedCase>& cases, ExportState state) {
  return std::count_if(cases.begin(), cases.end(),
                       [state](const ExportedCase& exported) { return exported.state == state; });
}

void run(const Options& options) {
  const Vocabulary vocabulary = vocabulary_for(options.vocabulary, options.cases);
  const ExportSource source = find_export_cases(options.cases, options.only);
  const std::vector<ExportedCase> cases =
      export_dicom(source, options.out, vocabulary, options.segmentation);
  const int64_t written = count(cases, ExportState::kWritten);
  const int64_t kept = count(cases, ExportState::kKept);
  const int64_t failed = count(cases, ExportState::kFailed);
  if (options.json) {
    print_json({{"out", options.out},
                {"written", written},
                {"kept", kept},
                {"failed", failed},
                {"cases", to_json(cases)}});
  } else {
    print_text(
        format_table({{"written", "kept", "failed"},
                      {std::to_string(written), std::to_string(kept), std::to_string(failed)}}));
  }
  if (failed > 0) {
    throw Error(ErrorKind::kPartial,
                concat(options.out, ": ", failed, " of ", cases.size(),
                       " cases could not be exported; the same command tries them again"));
  }
}

}  // namespace

void add_export_dicom(CLI::App& command) {
  auto options = std::make_shared<Options>();
  CLI::App* dicom = command.add_subcommand("dicom", "Cases as DICOM: CT series and segmentation");
  dicom->add_option("--cases", options->cases, "Output folder of generate, or a data set")
      ->required();
  dicom->add_option("--out", options->out, "Folder to write to; a started one is resumed")
      ->required();
  dicom->add_flag("--seg", options->segmentation, "Write the mask too, as DICOM Segmentation");
  dicom->add_option("--only", options->only, "Export this case only; may be repeated")
      ->expected(1)
      ->take_all();
  dicom->add_option("--vocabulary", options->vocabulary,
                    "Shipped vocabulary or JSON file; default: that of the folder, or torso");
  dicom->add_flag("--json", options->json, "Print one JSON document on stdout");
  dicom->footer(
      "Writes OUT/<id>/ct/0001.dcm and so on (one file a slice, inferior first) and, with --seg,\n"
      "OUT/<id>/seg.dcm. Equal cases give equal files. The patient is made up, and the files say\n"
      "so.\n\n"
      "Example:\n"
      "  guidegen export dicom --cases out --out out-dicom --seg");
  dicom->callback([options] { run(*options); });
}

}  // namespace guidegen
