#pragma once

#include <vector>

#include "prompt/language/items.hpp"

namespace guidegen::language {

/// Decides of every relative whether the text is about him ("my mother has a mass: make her CT",
/// "an Asian grandmother, 79") or tells the patient's family history ("her father died of colon
/// cancer"): kRelative and kElder become kSex or kFamily. To be called before mark_scopes.
void resolve_relatives(std::vector<Item>& items);

}  // namespace guidegen::language
