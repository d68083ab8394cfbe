#include <map>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/prompt/prompt.hpp"

namespace guidegen {
namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr uint64_t kMaxPromptFileBytes = uint64_t{64} << 20;

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// Length of the JSON object that `text` starts with: up to the brace that closes the first one,
/// or all of it when none does (the parser then says what is wrong).
size_t first_object_length(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return text.size();
}

/// More than one object, the first of which fills its line: JSON Lines.
bool is_json_lines(std::string_view text) {
  if (text.front() != '{') return false;
  const size_t length = first_object_length(text);
  const size_t line = text.find('\n');
  return line != std::string_view::npos && length <= line && length < text.size();
}

struct Placed {
  Prompt prompt;
  std::string place;  // how messages name it
};

std::vector<Placed> read_lines(std::string_view text, const std::string& source) {
  std::vector<Placed> prompts;
  int number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty()) continue;
    const std::string place = concat(source, ": line ", number);
    prompts.push_back({prompt_from_json(parse_json(line, place), place), place});
  }
  return prompts;
}

std::vector<Placed> read_document(std::string_view text, const std::string& source) {
  const Json document = parse_json(text, source);
  std::vector<Placed> prompts;
  if (document.is_object()) {
    prompts.push_back({prompt_from_json(document, source), source});
  } else if (document.is_array()) {
    for (size_t i = 0; i < document.size(); ++i) {
      const std::string path = concat("[", i, "]");
      prompts.push_back({prompt_from_json(document[i], source, path), concat(source, ": ", path)});
    }
  } else {
    throw_usage(source, ": ", document.type_name(),
                " at the top, expected an array of prompts, one prompt or JSON Lines");
  }
  return prompts;
}

void give_ids(std::vector<Placed>& prompts) {
  std::map<std::string, std::string> place_of_id;
  for (size_t i = 0; i < prompts.size(); ++i) {
    auto& [prompt, place] = prompts[i];
    if (prompt.id.empty()) {
      const std::string number = std::to_string(i + 1);
      prompt.id = "case-" + std::string(number.size() < 4 ? 4 - number.size() : 0, '0') + number;
    }
    const auto [other, inserted] = place_of_id.emplace(prompt.id, place);
    if (!inserted) {
      throw_usage(place, ".id: '", prompt.id, "' is taken by ", other->second,
                  ", expected each id once");
    }
  }
}

}  // namespace

std::vector<Prompt> parse_prompts(std::string_view text, const std::string& source) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    text.remove_prefix(kByteOrderMark.size());
  }
  // Only the end is cut: line numbers in messages count from the top of the file.
  const std::string_view content = trimmed(text);
  if (content.empty()) throw_usage(source, ": empty, expected at least one prompt");
  std::vector<Placed> placed =
      is_json_lines(content) ? read_lines(text, source) : read_document(text, source);
  if (placed.empty()) throw_usage(source, ": no prompts, expected at least one");
  give_ids(placed);
  std::vector<Prompt> prompts;
  for (Placed& one : placed) prompts.push_back(std::move(one.prompt));
  return prompts;
}

std::vector<Prompt> read_prompts(const std::filesystem::path& path) {
  return parse_prompts(read_file(path, kMaxPromptFileBytes), path.string());
}

}  // namespace guidegen
