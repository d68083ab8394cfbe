#include "guidegen/generate/manifest.hpp"

#include <algorithm>
#include <cstdio>
#include <regex>
#include <set>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/core/stop_signal.hpp"

namespace guidegen {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kMaxManifestBytes = uint64_t{1} << 30;

/// A line as a record, or null with a warning when it isn't one.
Json parse_record(const std::string& line, const std::string& where) {
  try {
    Json record = parse_json(line, where);
    JsonObject object(record, where);
    check_file_name(object.text("id"), where + ": id");
    return record;
  } catch (const Error& error) {
    log_warning(concat("skipped a damaged line: ", error.what()));
    return {};
  }
}

/// Whether the case passed its gates so early that `retries` would have given the same.
bool passed_within(const Json& record, int retries) {
  return record.value("gates_passed", false) && record.value("attempt", 0) <= retries &&
         record.value("ct_attempt", 0) <= retries;
}

}  // namespace

fs::path manifest_path(const fs::path& out, int rank) {
  if (rank == 0) return out / "manifest.jsonl";
  char name[32];
  std::snprintf(name, sizeof name, "manifest-%05d.jsonl", rank);
  return out / name;
}

Manifest::Manifest(fs::path out) : out_(std::move(out)) {
  std::error_code error;
  if (!fs::is_directory(out_, error)) return;
  if (fs::exists(manifest_path(out_))) read(manifest_path(out_));
  static const std::regex of_a_rank("manifest-[0-9]{5,}\\.jsonl");
  for (const auto& entry : fs::directory_iterator(out_)) {
    if (std::regex_match(entry.path().filename().string(), of_a_rank)) {
      other_ranks_.push_back(entry.path());
    }
  }
  std::sort(other_ranks_.begin(), other_ranks_.end());
  for (const fs::path& path : other_ranks_) read(path);
}

void Manifest::read(const fs::path& path) {
  std::istringstream lines(read_file(path, kMaxManifestBytes));
  std::string line;
  for (int64_t number = 1; std::getline(lines, line); ++number) {
    if (line.empty()) continue;
    Json record = parse_record(line, concat(path.string(), ": line ", number));
    if (record.is_null()) continue;
    const std::string id = record["id"];
    if (records_.count(id) == 0) seen_order_.push_back(id);
    records_[id].push_back(std::move(record));
  }
}

void Manifest::mark_complete(const std::string& id, const Recipe& recipe) {
  const auto records = records_.find(id);
  if (records == records_.end()) return;
  std::optional<size_t> newest;
  for (size_t i = records->second.size(); i-- > 0;) {
    if (!recipe_difference(records->second[i], recipe).empty()) continue;
    if (!newest) {
      newest = i;
    } else if (records->second[i]["files"] != records->second[*newest]["files"]) {
      return;  // which of them is on disk only find_verified() can tell
    }
  }
  if (newest) verified_[id] = *newest;
}

bool Manifest::has_files(const Json& record) const {
  const fs::path folder = out_ / record["id"].get<std::string>();
  std::error_code error;
  for (const std::string& name : kCaseFiles) {
    if (!fs::is_regular_file(folder / name, error)) return false;
  }
  const std::string dicom = record.value("dicom", "");
  if (dicom.empty()) return true;
  return fs::is_directory(folder / "dicom" / "ct", error) &&
         (dicom == "ct" || fs::is_regular_file(folder / "dicom" / "seg.dcm", error));
}

bool Manifest::matches_files(const Json& record) const {
  const fs::path folder = out_ / record["id"].get<std::string>();
  if (!has_files(record)) return false;
  const auto files = record.find("files");
  if (files == record.end() || !files->is_object()) return false;
  for (const char* name : {"mask.nii.gz", "ct.nii.gz"}) {
    const auto hash = files->find(name);
    if (hash == files->end() || *hash != sha256_file(folder / name)) return false;
  }
  const auto prompt = record.find("prompt_sha256");
  return prompt != record.end() && *prompt == sha256_file(folder / "prompt.json");
}

const Json* Manifest::find_verified(const std::string& id) {
  const auto records = records_.find(id);
  if (records == records_.end()) return nullptr;
  if (const auto known = verified_.find(id); known != verified_.end()) {
    return &records->second[known->second];
  }
  for (size_t i = records->second.size(); i-- > 0;) {
    if (!matches_files(records->second[i])) continue;
    verified_[id] = i;
    return &records->second[i];
  }
  return nullptr;
}

const Json* Manifest::find_present(const std::string& id) {
  const auto& records = records_.at(id);
  const auto alike = [&records](const Json& record) {
    return record.value("files", Json()) == records.back().value("files", Json());
  };
  if (verified_.count(id) != 0 || !std::all_of(records.begin(), records.end(), alike)) {
    return find_verified(id);
  }
  return has_files(records.back()) ? &records.back() : nullptr;
}

std::vector<Json> Manifest::write_ordered(const std::vector<std::string>& order) {
  std::vector<std::string> ids = order;
  const std::set<std::string> planned(order.begin(), order.end());
  std::copy_if(seen_order_.begin(), seen_order_.end(), std::back_inserter(ids),
               [&](const std::string& id) { return planned.count(id) == 0; });
  std::vector<Json> written;
  std::string text;
  for (const std::string& id : ids) {
    throw_if_stopped();
    if (!has_record(id)) continue;
    const Json* record = find_present(id);
    if (record == nullptr) {
      std::error_code error;
      if (fs::exists(out_ / id, error)) {
        log_warning(concat((out_ / id).string(),
                           ": was changed since it was made; its line leaves ",
                           manifest_path(out_).filename().string()));
      }
      continue;
    }
    written.push_back(*record);
    text += record->dump() + "\n";
  }
  const fs::path path = manifest_path(out_);
  if (!fs::exists(path) || read_file(path, kMaxManifestBytes) != text) {
    write_file_atomic(path, text);
  }
  std::error_code gone;
  for (const fs::path& other : other_ranks_) fs::remove(other, gone);
  return written;
}

std::string recipe_difference(const Json& record, const Recipe& recipe) {
  const auto differs = [&record](const char* key, const Json& wanted) {
    const auto found = record.find(key);
    return found == record.end() || *found != wanted;
  };
  if (differs("prompt_sha256", recipe.prompt_sha256)) return "another prompt";
  if (differs("weights", recipe.weights)) return "other weights";
  if (differs("settings", recipe.settings)) return "other sampling settings";
  if (differs("gate_settings", recipe.gates)) return "other gates";
  if (record.value("dicom", "") != recipe.dicom) return "another --format";
  if (differs("retries", recipe.retries) && !passed_within(record, recipe.retries)) {
    return "another number of --retries";
  }
  return "";
}

}  // namespace guidegen
