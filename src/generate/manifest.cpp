#include "guidegen/generate/manifest.hpp"

#include <algorithm>
#include <set>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/sha256.hpp"

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

}  // namespace

Manifest::Manifest(fs::path out) : out_(std::move(out)), path_(out_ / "manifest.jsonl") {
  if (!fs::exists(path_)) return;
  std::istringstream lines(read_file(path_, kMaxManifestBytes));
  std::string line;
  for (int64_t number = 1; std::getline(lines, line); ++number) {
    if (line.empty()) continue;
    Json record = parse_record(line, concat(path_.string(), ": line ", number));
    if (record.is_null()) continue;
    const std::string id = record["id"];
    if (records_.count(id) == 0) seen_order_.push_back(id);
    records_[id].push_back(std::move(record));
  }
}

void Manifest::append(const Json& record) {
  append_line(path_, record.dump(), /*sync=*/true);
  const std::string id = record["id"];
  if (records_.count(id) == 0) seen_order_.push_back(id);
  records_[id].push_back(record);
}

void Manifest::mark_complete(const std::string& id) { verified_[id] = records_.at(id).size() - 1; }

bool Manifest::matches_files(const Json& record) const {
  const fs::path folder = out_ / record["id"].get<std::string>();
  for (const std::string& name : kCaseFiles) {
    std::error_code error;
    if (!fs::is_regular_file(folder / name, error)) return false;
  }
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

std::vector<Json> Manifest::write_ordered(const std::vector<std::string>& order) {
  std::vector<std::string> ids = order;
  const std::set<std::string> planned(order.begin(), order.end());
  std::copy_if(seen_order_.begin(), seen_order_.end(), std::back_inserter(ids),
               [&](const std::string& id) { return planned.count(id) == 0; });
  std::vector<Json> written;
  std::string text;
  for (const std::string& id : ids) {
    const Json* record = find_verified(id);
    if (record == nullptr) continue;
    written.push_back(*record);
    text += record->dump() + "\n";
  }
  if (!fs::exists(path_) || read_file(path_, kMaxManifestBytes) != text) {
    write_file_atomic(path_, text);
  }
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
  return "";
}

}  // namespace guidegen
