#pragma once

#include <string>
#include <vector>

namespace guidegen::language {

/// The phrases that a template of a language file stands for: "[number|no.] of tumors[:|]" is
/// "number of tumors:", "number of tumors", "no. of tumors:" and "no. of tumors". Brackets without
/// a bar are plain text. Alternatives do not nest.
std::vector<std::string> expand_template(const std::string& phrase);

}  // namespace guidegen::language
