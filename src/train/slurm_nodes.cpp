#include "guidegen/train/slurm_nodes.hpp"

#include <algorithm>
#include <cctype>

#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

[[noreturn]] void fail(const std::string& nodelist, const char* problem) {
  throw_usage("Slurm node list '", nodelist, "': ", problem,
              ", expected names and ranges such as node[003-007,012],gpu1");
}

/// First number of a bracket's content: "003" of "003-007,012". Zeros in front belong to the name.
std::string first_number(const std::string& content, const std::string& nodelist) {
  const std::string number = content.substr(0, content.find_first_of("-,"));
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  if (number.empty() || !std::all_of(number.begin(), number.end(), is_digit)) {
    fail(nodelist, "a bracket does not begin with a number");
  }
  return number;
}

}  // namespace

std::string first_host(const std::string& nodelist) {
  std::string host;
  for (size_t at = 0; at < nodelist.size() && nodelist[at] != ','; ++at) {
    if (nodelist[at] == ']') fail(nodelist, "']' without '['");
    if (nodelist[at] != '[') {
      host += nodelist[at];
      continue;
    }
    const size_t end = nodelist.find_first_of("[]", at + 1);
    if (end == std::string::npos || nodelist[end] == '[') fail(nodelist, "'[' without ']'");
    host += first_number(nodelist.substr(at + 1, end - at - 1), nodelist);
    at = end;
  }
  if (host.empty()) fail(nodelist, "it names no machine");
  return host;
}

}  // namespace guidegen
