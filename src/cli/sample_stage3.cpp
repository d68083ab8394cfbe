#include "cli/sample_stage3.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <memory>

#include "cli/ct_options.hpp"
#include "cli/encoder_option.hpp"
#include "cli/output_file.hpp"
#include "cli/print.hpp"
#include "cli/sample_parts.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/output_folder.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/data/own_mask.hpp"
#include "guidegen/data/without_tumors.hpp"
#include "guidegen/generate/case_plan.hpp"
#include "guidegen/generate/request_doubts.hpp"
#include "guidegen/prompt/free_text.hpp"
#include "guidegen/stages/model.hpp"
#include "guidegen/volume/labels.hpp"
#include "guidegen/volume/nifti.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string model;
  std::string mask;
  std::string mapping;
  std::string prompts;
  std::string encoder;
  std::string only;
  std::string coarse;
  std::string out;
  bool counterpart = false;
  bool overwrite = false;
  CtOptions ct;
  std::optional<uint64_t> seed;
  std::string device = "auto";
  bool json = false;
};

/// One mask to paint a CT onto. Without a mask the prompt's grid alone counts.
struct Job {
  Prompt prompt;  ///< its id names the case
  fs::path mask;
};

bool names_file(const std::string& out) {
  return out.ends_with(".nii.gz") || out.ends_with(".nii");
}

/// A mask to paint on, and what it is called.
struct MaskFile {
  std::string name;
  fs::path path;
  fs::path prompt;  ///< prompt.json beside it, in a case folder; else empty
};

std::string stem_of(const fs::path& file) {
  const std::string name = file.filename().string();
  return name.substr(0, name.find(".nii"));
}

/// The NIfTI files and case folders (<id>/mask.nii.gz) of a folder in the order of their names, or
/// the one file or case folder.
std::vector<MaskFile> masks_of(const std::string& path) {
  if (!fs::is_directory(path)) return {{stem_of(path), path, {}}};
  std::vector<MaskFile> files;
  const auto add_case = [&files](const fs::path& folder) {
    const fs::path prompt = folder / "prompt.json";
    files.push_back({folder.filename().string(), folder / "mask.nii.gz",
                     fs::exists(prompt) ? prompt : fs::path()});
  };
  if (fs::exists(fs::path(path) / "mask.nii.gz")) {
    add_case(fs::canonical(path));
    return files;
  }
  for (const auto& entry : fs::directory_iterator(path)) {
    const fs::path& found = entry.path();
    if (entry.is_regular_file() && names_file(found.string())) {
      files.push_back({stem_of(found), found, {}});
    } else if (entry.is_directory() && fs::exists(found / "mask.nii.gz")) {
      add_case(found);
    }
  }
  if (files.empty()) {
    throw_usage(path, ": neither a .nii or .nii.gz file nor a case folder, expected masks");
  }
  std::sort(files.begin(), files.end(),
            [](const MaskFile& a, const MaskFile& b) { return a.name < b.name; });
  return files;
}

std::vector<Prompt> prompts_of(const Options& options) {
  std::vector<Prompt> prompts;
  if (options.prompts.empty()) return prompts;
  CaseSelection selection;
  if (!options.only.empty()) selection.only = {options.only};
  for (const PlannedCase& planned :
       plan_cases(read_resolved(options.prompts, matcher_of(options.encoder)), selection,
                  options.prompts)) {
    if (planned.selected) prompts.push_back(planned.prompt);
  }
  return prompts;
}

/// The prompt that goes with a mask: the one of its name, the only one there is, that of its case
/// folder, or an open one.
Prompt prompt_for(const MaskFile& mask, const std::vector<Prompt>& prompts,
                  const std::string& source) {
  const auto named = std::find_if(prompts.begin(), prompts.end(),
                                  [&](const Prompt& prompt) { return prompt.id == mask.name; });
  if (named != prompts.end()) return *named;
  if (prompts.size() > 1) {
    throw_usage(source, ": none of its ", prompts.size(), " prompts has the id ", mask.name,
                ", expected one for ", mask.path.string(), ", or --only ID to choose one");
  }
  if (!prompts.empty()) return prompts.front();
  if (mask.prompt.empty()) return {};
  const auto read = read_prompts(mask.prompt);
  if (read.size() != 1) {
    throw_usage(mask.prompt.string(), ": ", read.size(), " prompts, expected one");
  }
  return read.front();
}

std::vector<Job> plan_jobs(const Options& options) {
  const auto prompts = prompts_of(options);
  std::vector<Job> jobs;
  if (options.mask.empty()) {
    if (prompts.empty()) throw_usage("--mask: missing; without one, give --prompts");
    for (const Prompt& prompt : prompts) jobs.push_back({prompt, {}});
  } else {
    const bool folder = fs::is_directory(options.mask);
    for (const MaskFile& mask : masks_of(options.mask)) {
      Job job{prompt_for(mask, prompts, options.prompts), mask.path};
      if (folder || job.prompt.id.empty()) job.prompt.id = mask.name;
      jobs.push_back(std::move(job));
    }
  }
  for (Job& job : jobs) {
    if (options.seed) job.prompt.seed = *options.seed;
    check_file_name(job.prompt.id, "the name of a case");
  }
  if (!options.coarse.empty() && jobs.size() != 1) {
    throw_usage("--coarse ", options.coarse, ": one CT for ", jobs.size(), " cases, expected one");
  }
  if (names_file(options.out) && (jobs.size() != 1 || options.counterpart)) {
    throw_usage("--out ", options.out, ": ", jobs.size() != 1 ? "several masks" : "a pair of CTs",
                " for one file, expected a folder");
  }
  return jobs;
}

void report(const OwnMask& own, const Job& job, const Vocabulary& vocabulary) {
  const std::string name = job.mask.string();
  if (!own.unknown.empty()) {
    std::string values;
    for (const auto& [value, voxels] : own.unknown) {
      values += concat(values.empty() ? "" : ", ", value, " (", voxels, " voxels)");
    }
    log_warning(concat(name, ": labels without a meaning here: ", values, "; painted as ",
                       vocabulary.label(vocabulary.body()).display));
  }
  if (own.body_added) {
    log_warning(concat(name, ": it has no body around its organs; one was put around them"));
  }
}

Volume mask_for(const Job& job, const Options& options, const Model& model) {
  if (job.mask.empty()) return {at::Tensor(), model.geometry_for(job.prompt)};
  const Vocabulary& vocabulary = model.vocabulary();
  const LabelMapping* mapping =
      options.mapping.empty() ? nullptr : &vocabulary.mapping(options.mapping);
  const OwnMask own = take_mask(read_mask(job.mask), vocabulary, mapping, job.mask.string());
  report(own, job, vocabulary);
  return own.mask;
}

/// A case folder, or the CT alone where --out names a file.
void write_case(const Options& options, const Model& model, const Prompt& prompt,
                const Volume& mask, const Volume& ct) {
  if (names_file(options.out)) {
    make_parent(options.out);
    return write_ct(options.out, ct);
  }
  const Volume* drawn = mask.data.defined() ? &mask : nullptr;
  AtomicDirectory folder(fs::path(options.out) / prompt.id);
  write_file_atomic(folder.staging() / "prompt.json", dump_json(to_json(prompt)));
  if (drawn) write_mask(folder.staging() / "mask.nii.gz", mask);
  write_ct(folder.staging() / "ct.nii.gz", ct);
  write_png(folder.staging() / "preview.png", render_preview(&ct, drawn, model.vocabulary()));
  folder.commit();
}

Json make_pair(const Options& options, const Model& model, const Job& job, const Volume& mask) {
  const Volume healthy = without_tumors(mask, model.vocabulary());
  Prompt healthy_prompt = job.prompt;
  healthy_prompt.id += kWithoutTumors;
  healthy_prompt.text.reset();
  healthy_prompt.tumors.emplace();
  StepBar bar(job.prompt.id);
  const auto [ct, healthy_ct] =
      model.sample_ct_pair(job.prompt, mask, healthy_prompt, healthy, job.prompt.id,
                           job.prompt.seed, options.ct.sampling, bar.callback());
  throw_if_stopped();
  write_case(options, model, healthy_prompt, healthy, healthy_ct);
  write_case(options, model, job.prompt, mask, ct);
  const auto changed = (ct.data - healthy_ct.data).ne(0);
  return {
      {"counterpart", healthy_prompt.id},
      {"voxels_changed", changed.sum().item<int64_t>()},
      {"voxels_of_tumor", voxels_of(mask.data, model.vocabulary().tumor()).sum().item<int64_t>()}};
}

/// Whether there is a tumor to leave out. Among several masks one without is painted by itself.
bool wants_pair(const Options& options, const Model& model, const Job& job, const Volume& mask) {
  if (!options.counterpart) return false;
  if (voxels_of(mask.data, model.vocabulary().tumor()).any().item<bool>()) return true;
  const std::string problem = concat(job.mask.string(), ": no tumor to leave out");
  if (!fs::is_directory(options.mask)) throw_usage(problem, " for --without-tumors");
  log_warning(problem);
  return false;
}

Json make_case(const Options& options, const Model& model, const Job& job) {
  const Volume mask = mask_for(job, options, model);
  for (const std::string& doubt : doubts_about(job.prompt, mask.geometry, model.geometry())) {
    log_warning(concat(job.prompt.id, ": ", doubt));
  }
  Json entry = Json::object();
  if (wants_pair(options, model, job, mask)) {
    entry = make_pair(options, model, job, mask);
  } else {
    StepBar bar(job.prompt.id);
    const Volume ct = model.sample_ct(job.prompt, mask, job.prompt.id, job.prompt.seed,
                                      options.ct.sampling, bar.callback());
    throw_if_stopped();
    write_case(options, model, job.prompt, mask, ct);
  }
  entry["id"] = job.prompt.id;
  entry["prompt"] = to_json(job.prompt);
  entry["size"] = mask.geometry.size;
  entry["spacing_mm"] = mask.geometry.spacing;
  return entry;
}

bool is_there(const Options& options, const Model& model, const Job& job) {
  if (names_file(options.out)) return false;
  const fs::path folder = fs::path(options.out) / job.prompt.id;
  if (!fs::exists(folder / "ct.nii.gz")) return false;
  if (read_json_file(folder / "prompt.json") != to_json(job.prompt)) {
    throw_usage(folder.string(), ": was made from another prompt or seed, expected --overwrite, ",
                "or another --out");
  }
  // A case that was painted by itself lacks its twin, unless there is no tumor to leave out.
  if (!options.counterpart || fs::exists(folder.string().append(kWithoutTumors))) return true;
  const Volume mask = read_mask(folder / "mask.nii.gz");
  return !voxels_of(mask.data, model.vocabulary().tumor()).any().item<bool>();
}

void run(const Options& flags) {
  Options options = flags;
  finish_ct_options(options.ct);
  const std::vector<Job> jobs = plan_jobs(options);
  for (const Job& job : jobs) {
    if (!job.mask.empty()) validate_nifti(job.mask);
  }
  const Model model = load_with_stages(options.model, options.device, {3});
  if (!options.coarse.empty()) options.ct.sampling.coarse = read_ct(options.coarse);
  std::optional<OutputFolder> folder;
  if (!names_file(options.out)) folder.emplace(options.out);
  Json cases = Json::array();
  int64_t kept = 0;
  for (const Job& job : jobs) {
    throw_if_stopped();
    if (!options.overwrite && is_there(options, model, job)) {
      ++kept;
      continue;
    }
    cases.push_back(make_case(options, model, job));
  }
  if (kept > 0) log_info(concat(kept, " cases were there already; --overwrite makes them anew"));
  if (options.json) print_json({{"out", options.out}, {"kept", kept}, {"cases", std::move(cases)}});
}

}  // namespace

void add_sample_stage3(CLI::App& parent) {
  auto options = std::make_shared<Options>();
  CLI::App* command = parent.add_subcommand("stage3", "Mask and prompt -> CT");
  command->add_option("--model", options->model, "Model directory")->required();
  command->add_option("--mask", options->mask,
                      "Mask as NIfTI, or a folder of masks or of case folders; without one the "
                      "prompt alone counts");
  command->add_option("--mapping", options->mapping,
                      "What its labels mean, for instance totalsegmentator_v2 (default: they are "
                      "the model's)");
  command->add_option("--prompts", options->prompts,
                      "Prompt file; masks of a folder take the prompt of their name. Without it "
                      "all is left open");
  add_encoder_option(*command, options->encoder);
  command->add_option("--only", options->only, "The prompt to use of several");
  command
      ->add_option("--out", options->out,
                   "CT, .nii.gz; or a folder, for OUT/<name>/{prompt.json, mask.nii.gz, "
                   "ct.nii.gz, preview.png}")
      ->required();
  command->add_flag("--without-tumors", options->counterpart,
                    "A second CT of each patient without the tumors, in OUT/<name>-without-tumors");
  command->add_option("--coarse", options->coarse,
                      "CT of coarse voxels to refine, for models of low_resolution");
  add_ct_options(*command, options->ct, "");
  command->add_option("--seed", options->seed, "Seed, instead of the prompt's");
  command->add_option("--device", options->device, "auto, cpu, cuda or cuda:N")
      ->capture_default_str();
  command->add_flag("--overwrite", options->overwrite, "Make cases anew that are there already");
  command->add_flag("--json", options->json, "Print one JSON document on stdout");
  command->footer(
      "The CT is written in RAS orientation on the grid of the mask. Labels that the vocabulary "
      "or\n"
      "the mapping lacks are reported and painted as other tissue; where there is no body around\n"
      "the organs, one is computed.\n\n"
      "Examples:\n"
      "  guidegen sample stage3 --model models/demo --mask mask.nii.gz --out ct.nii.gz --seed 7\n"
      "  guidegen sample stage3 --model models/demo --mask totalsegmentator.nii.gz \\\n"
      "    --mapping totalsegmentator_v2 --out painted");
  command->callback([options] { run(*options); });
}

}  // namespace guidegen
