#pragma once

#include <string>
#include <vector>

#include "prompt/language/groups.hpp"

namespace guidegen::language {

/// What a text says of the patient and the scan.
struct Person {
  std::optional<Said<Sex>> sex;
  std::optional<Said<int>> age;
  std::optional<Said<Race>> race;
  std::optional<Said<ContrastPhase>> contrast;
  std::vector<Rejected> rejected;
};

Person person_of(const std::vector<Item>& items);

}  // namespace guidegen::language
