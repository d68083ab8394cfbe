#include "guidegen/train/run_directory.hpp"

#include <sstream>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/train/checkpoint.hpp"

namespace guidegen {

namespace fs = std::filesystem;

namespace {

// What must stay the same when a run is resumed: all but its length, what it leaves on the way and
// how the work is laid out, none of which changes what a step computes.
Json fixed_part(Json config) {
  for (const auto* key :
       {"steps", "log_every", "checkpoint_every", "keep_checkpoints", "preview_every",
        "validation_cases", "micro_batch", "activation_checkpointing", "workers", "cache"}) {
    config["training"].erase(key);
  }
  return config;
}

fs::path made(fs::path path) {
  make_directories(path);
  return path;
}

}  // namespace

RunDirectory::RunDirectory(fs::path path, const Json& config, bool resume)
    : path_(made(std::move(path))), config_(config), folder_(path_) {
  check(resume);
}

void RunDirectory::check(bool resume) const {
  const auto checkpoints = path_ / "checkpoints";
  if (fs::is_directory(checkpoints)) remove_leftovers(checkpoints);
  if (!resume) {
    if (!CheckpointStore(path_, 1).empty()) {
      throw_usage(path_.string(),
                  ": holds checkpoints of a run already; give --resume or another --out");
    }
    return;
  }
  const auto config = path_ / "config.json";
  if (fs::exists(config) && fixed_part(read_json_file(config)) != fixed_part(config_)) {
    throw_usage(config.string(),
                ": the run was started with another configuration; "
                "resume with the same one or give another --out");
  }
}

// Lines that a killed run wrote past its last checkpoint would appear twice.
void RunDirectory::drop_metrics_after(int64_t step) const {
  const auto path = path_ / "metrics.jsonl";
  if (!fs::exists(path)) return;
  std::istringstream lines(read_file(path));
  std::string kept, line;
  while (std::getline(lines, line)) {
    try {
      if (parse_json(line, path.string()).value("step", int64_t{0}) <= step) kept += line + "\n";
    } catch (const Error&) {
      break;  // a line cut off by the kill
    }
  }
  write_file_atomic(path, kept);
}

void RunDirectory::begin(int64_t steps_done) {
  write_file_atomic(path_ / "config.json", dump_json(config_));
  drop_metrics_after(steps_done);
  events_.emplace(path_, steps_done);
}

void RunDirectory::add_metrics(const Json& line) {
  append_line(path_ / "metrics.jsonl", line.dump());
  const auto step = line.at("step").get<int64_t>();
  for (const auto& [name, value] : line.items()) {
    if (name != "step" && value.is_number()) events_->scalar(name, value.get<double>(), step);
  }
  events_->flush();
}

void RunDirectory::add_preview(const Picture& picture, int64_t step) {
  make_directories(path_ / "previews");
  write_png(path_ / "previews" / concat("step-", step, ".png"), picture);
  events_->image("preview", picture, step);
  events_->flush();
}

}  // namespace guidegen
