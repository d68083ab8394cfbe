#include "cli/sample_stage2.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

#include "cli/output_file.hpp"
#include "cli/print.hpp"
#include "cli/sample_parts.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/memory_size.hpp"
#include "guidegen/core/output_folder.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/data/dataset.hpp"
#include "guidegen/evaluate/hu_error.hpp"
#include "guidegen/stages/latent_file.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLatentsName = "latents.safetensors";
constexpr const char* kCtName = "ct.nii.gz";

struct Options {
  std::string model;
  std::string ct;
  std::string data;
  std::string decode;
  std::string mask;
  bool unguided = false;
  bool encode_only = false;
  std::string out;
  std::string memory = "8GiB";
  std::string device = "auto";
  bool json = false;
};

/// One volume to work on.
struct Job {
  std::string id;     ///< of a case of a folder; empty for a single file
  std::string input;  ///< CT, or latents to decode
  std::string mask;   ///< empty: no guidance
  std::string out;    ///< file
};

/// The model and how much memory it may take; what all jobs share.
struct Worker {
  const Options& options;
  Model model;
  int64_t memory;

  TilePlan plan(const ImageGeometry& grid, TiledWork work) const {
    const TilePlan chosen = model.plan_ct(grid, work, memory);
    log_info(concat(format_size(grid.size), " voxels take up to ",
                    format_memory_size(chosen.bytes, true), " of memory, in tiles of ",
                    format_size(to_xyz(chosen.tile)),
                    chosen.keeps_half ? "" : ", slowly; a larger --memory would help"));
    return chosen;
  }
  std::optional<Volume> mask_of(const Job& job, const ImageGeometry& grid) const {
    if (job.mask.empty()) return std::nullopt;
    Volume mask = read_mask(job.mask, model.vocabulary().size());
    if (!same_geometry(mask.geometry, grid)) {
      throw_usage(job.mask, ": its grid differs from that of ", job.input,
                  ", expected a mask of that CT");
    }
    return mask;
  }
};

std::string title_of(const Job& job, const char* verb) {
  return job.id.empty() ? verb : job.id + " " + verb;
}

/// Exposures of the model's autoencoder; the default ones where its configuration names none.
std::vector<Exposure> exposures_of(const Model& model, const std::string& source) {
  const auto pointer = Json::json_pointer("/stages/2/config/exposures");
  const Json& description = model.description();
  return description.contains(pointer) ? exposures_from_json(description[pointer], source)
                                       : default_exposures();
}

CtLatents encode(const Worker& worker, const Job& job, const Volume& ct, const TilePlan& plan) {
  StepBar bar(title_of(job, "encode"));
  return worker.model.encode(ct, plan, bar.callback());
}

Volume decode(const Worker& worker, const Job& job, const CtLatents& latents,
              const TilePlan& plan) {
  const auto mask = worker.mask_of(job, latents.geometry);
  StepBar bar(title_of(job, "decode"));
  return worker.model.decode(latents, mask ? &*mask : nullptr, plan, bar.callback());
}

Json run_encode(const Worker& worker, const Job& job) {
  const Volume ct = read_ct(job.input);
  const TilePlan plan = worker.plan(ct.geometry, TiledWork::kEncode);
  const CtLatents latents = encode(worker, job, ct, plan);
  make_parent(job.out);
  write_latents(job.out, latents);
  Json json = Json::object();
  json["shape"] = latents.mean.sizes().vec();
  return json;
}

Json run_decode(const Worker& worker, const Job& job) {
  const CtLatents latents = read_latents(job.input);
  worker.model.check_origin(latents, job.input);
  const TilePlan plan = worker.plan(latents.geometry, TiledWork::kDecode);
  const Volume made = decode(worker, job, latents, plan);
  make_parent(job.out);
  write_ct(job.out, made);
  return Json::object();
}

struct Reconstruction {
  Json json;
  HuErrorReport error;
};

Reconstruction run_reconstruct(const Worker& worker, const Job& job) {
  const Volume ct = read_ct(job.input);
  const TilePlan plan = worker.plan(ct.geometry, TiledWork::kReconstruct);
  const CtLatents latents = encode(worker, job, ct, plan);
  const Volume made = decode(worker, job, latents, plan);
  make_parent(job.out);
  write_ct(job.out, made);
  const auto error = hu_error(ct.data, made.data, exposures_of(worker.model, worker.options.model));
  Json json = Json::object();
  json["error"] = to_json(error);
  return {std::move(json), error};
}

void check(const Options& options) {
  const int inputs = !options.ct.empty() + !options.data.empty() + !options.decode.empty();
  if (inputs != 1) throw_usage("expected one of --ct, --data and --decode");
  if (options.encode_only && !options.decode.empty()) {
    throw_usage("--encode-only: does not go with --decode, which starts from latents");
  }
  if (options.encode_only && !options.mask.empty()) {
    throw_usage("--mask: guides the decoder, which --encode-only leaves out");
  }
  if (!options.data.empty() && !options.mask.empty()) {
    throw_usage("--mask: --data has masks of its own; leave them out by --unguided");
  }
  if (options.unguided && options.data.empty()) {
    throw_usage(
        "--unguided: leaves out the masks of --data; without it there are only those of "
        "--mask");
  }
}

std::vector<Job> jobs_of_dataset(const Options& options) {
  std::vector<Job> jobs;
  const Dataset dataset = Dataset::open(options.data);
  for (const CaseEntry& entry : dataset.cases()) {
    const bool guided = !options.unguided && !options.encode_only;
    jobs.push_back({entry.id,
                    entry.ct_path().string(),
                    guided ? entry.mask_path().string() : std::string(),
                    {}});
  }
  return jobs;
}

/// Folders <id>/latents.safetensors, with masks FOLDER/<id>/mask.nii.gz where --mask names one.
std::vector<Job> jobs_of_latents(const Options& options) {
  std::vector<Job> jobs;
  for (const auto& entry : fs::directory_iterator(options.decode)) {
    const fs::path file = entry.path() / kLatentsName;
    const std::string id = entry.path().filename().string();
    if (id.starts_with(".") || !fs::exists(file)) continue;
    const fs::path mask = fs::path(options.mask) / id / "mask.nii.gz";
    jobs.push_back({id, file.string(), options.mask.empty() ? std::string() : mask.string(), {}});
  }
  if (jobs.empty()) {
    throw_usage(options.decode, ": holds no <id>/", kLatentsName,
                ", expected latents or a folder of `sample stage2 --encode-only --data`");
  }
  std::sort(jobs.begin(), jobs.end(), [](const Job& a, const Job& b) { return a.id < b.id; });
  return jobs;
}

Json run_job(const Worker& worker, const Job& job, std::vector<std::string>& row) {
  const Options& options = worker.options;
  if (options.encode_only) return run_encode(worker, job);
  if (!options.decode.empty()) return run_decode(worker, job);
  auto made = run_reconstruct(worker, job);
  row.push_back(format_fixed(made.error.overall.mae_hu, 2));
  row.push_back(format_fixed(made.error.overall.psnr_db, 2));
  return made.json;
}

void run_folder(const Options& options, int64_t memory) {
  const auto jobs = options.data.empty() ? jobs_of_latents(options) : jobs_of_dataset(options);
  const Worker worker{options, load_with_stages(options.model, options.device, {2}), memory};
  const OutputFolder folder(options.out);
  Json cases = Json::array();
  std::vector<std::vector<std::string>> rows = {{"case"}};
  if (!options.data.empty() && !options.encode_only) rows[0] = {"case", "MAE HU", "PSNR dB"};
  for (Job job : jobs) {
    throw_if_stopped();
    AtomicDirectory result(fs::path(options.out) / job.id);
    job.out = (result.staging() / (options.encode_only ? kLatentsName : kCtName)).string();
    std::vector<std::string> row = {job.id};
    Json done = Json::object();
    done["id"] = job.id;
    done.update(run_job(worker, job, row));
    result.commit();
    cases.push_back(std::move(done));
    rows.push_back(std::move(row));
  }
  if (options.json) return print_json({{"out", options.out}, {"cases", std::move(cases)}});
  print_text(format_table(rows));
}

void check_latents_name(const std::string& path) {
  if (!fs::path(path).filename().string().ends_with(".safetensors")) {
    throw_usage("--out ", path, ": expected a name that ends in .safetensors");
  }
}

void run_file(const Options& options, int64_t memory) {
  const bool decodes = !options.decode.empty();
  if (options.encode_only) {
    check_latents_name(options.out);
  } else {
    check_nifti_name("--out", options.out);
  }
  const Job job{{}, decodes ? options.decode : options.ct, options.mask, options.out};
  if (!decodes) validate_nifti(options.ct);
  const Worker worker{options, load_with_stages(options.model, options.device, {2}), memory};
  Json document = {{decodes ? "latents" : "ct", job.input}, {"out", options.out}};
  if (options.encode_only) {
    document.update(run_encode(worker, job));
  } else if (decodes) {
    document.update(run_decode(worker, job));
  } else {
    const auto made = run_reconstruct(worker, job);
    document.update(made.json);
    if (!options.json) print_text(to_table(made.error));
  }
  if (options.json) print_json(document);
}

void run(const Options& options) {
  check(options);
  const int64_t memory = parse_memory_size(options.memory, "--memory");
  const bool folder = !options.data.empty() || fs::is_directory(options.decode);
  folder ? run_folder(options, memory) : run_file(options, memory);
}

}  // namespace

void add_sample_stage2(CLI::App& sample) {
  auto options = std::make_shared<Options>();
  CLI::App* command = sample.add_subcommand(
      "stage2", "CT -> latents -> CT by the autoencoder, or one half of it, at any size");
  command->add_option("--model", options->model, "Model directory")->required();
  command->add_option("--ct", options->ct, "CT as NIfTI");
  command->add_option("--data", options->data, "Instead of --ct: all cases of a data set");
  command->add_option(
      "--decode", options->decode,
      "Instead of --ct: latents to decode, or a folder of <id>/latents.safetensors");
  command->add_option("--mask", options->mask,
                      "Mask of the CT in the model's labels, to guide the decoder; for a folder "
                      "of latents a folder of <id>/mask.nii.gz");
  command->add_flag("--unguided", options->unguided, "Leave out the masks of --data");
  command->add_flag("--encode-only", options->encode_only, "Write the latents, decode nothing");
  command
      ->add_option("--out", options->out,
                   "Reconstruction, .nii.gz, or latents, .safetensors; a folder for many cases")
      ->required();
  command
      ->add_option("--memory", options->memory,
                   "Most memory to take, such as 8GiB or 500MB; of the GPU where --device is one")
      ->capture_default_str();
  command->add_option("--device", options->device, "auto, cpu, cuda or cuda:N")
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print one JSON document on stdout");
  command->callback([options] { run(*options); });
  command->footer(
      "Prints PSNR and mean absolute HU error through each exposure. The reconstruction is\n"
      "written in RAS orientation: a CT in RAS keeps its affine, others keep the world\n"
      "position of every voxel. Of many cases, each gets a folder OUT/<id>.\n\n"
      "Volumes are taken tile by tile, as large as --memory allows, with the same result as\n"
      "at once up to rounding. What will be taken is said beforehand. Latents hold mean and\n"
      "log-variance, the grid of the CT, and the hash of the weights that they fit.\n\n"
      "Examples:\n"
      "  guidegen sample stage2 --model models/demo --ct ct.nii.gz --out rebuilt.nii.gz\n"
      "  guidegen sample stage2 --model models/demo --ct ct.nii.gz --encode-only --out "
      "ct.safetensors\n"
      "  guidegen sample stage2 --model models/demo --decode ct.safetensors --mask mask.nii.gz\\\n"
      "    --out rebuilt.nii.gz --memory 2GiB");
}

}  // namespace guidegen
