#include "cli/evaluate_words.hpp"

#include <filesystem>

namespace guidegen {

Vocabulary vocabulary_for(const std::string& name, const std::string& data) {
  if (!name.empty()) return Vocabulary::load(name);
  const std::filesystem::path index = std::filesystem::path(data) / "dataset.json";
  const std::filesystem::path own = std::filesystem::path(data) / "vocabulary.json";
  if (!std::filesystem::exists(index)) {
    return Vocabulary::load(std::filesystem::exists(own) ? own.string() : "torso");
  }
  const Json document = read_json_file(index);
  JsonObject object(document, index.string());
  return Vocabulary::from_json(object.raw("vocabulary"), index.string());
}

}  // namespace guidegen
