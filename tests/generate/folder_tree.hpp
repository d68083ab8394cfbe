#pragma once

#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>

#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/json.hpp"

namespace guidegen::testing_support {

/// Every file below `root` by relative name; of manifest.jsonl what doesn't depend on the clock.
inline std::map<std::string, std::string> tree_of(const std::filesystem::path& root) {
  std::map<std::string, std::string> tree;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const std::string name = std::filesystem::relative(entry.path(), root).string();
    if (entry.is_directory()) {
      tree[name + "/"] = "";
      continue;
    }
    std::string bytes = read_file(entry.path());
    if (name == "manifest.jsonl") {
      std::istringstream lines(bytes);
      std::string line;
      bytes.clear();
      while (std::getline(lines, line)) {
        Json record = Json::parse(line);
        record.erase("seconds");
        bytes += record.dump() + "\n";
      }
    }
    tree[name] = std::move(bytes);
  }
  return tree;
}

inline std::vector<Json> manifest_of(const std::filesystem::path& out) {
  std::istringstream lines(read_file(out / "manifest.jsonl"));
  std::vector<Json> records;
  std::string line;
  while (std::getline(lines, line)) records.push_back(Json::parse(line));
  return records;
}

}  // namespace guidegen::testing_support
