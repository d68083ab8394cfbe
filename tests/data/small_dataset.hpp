#pragma once

#include "guidegen/data/dataset.hpp"

namespace guidegen {

/// Writes cases "case-0", "case-1", … on a grid of 16 x 16 x 16: a body with a liver that holds a
/// tumor, in a CT of 10 HU times the number.
inline Dataset write_small_dataset(const std::filesystem::path& root, int count) {
  const auto vocabulary = Vocabulary::load("torso");
  const auto geometry = centered_geometry({16, 16, 16}, {6, 5, 7});
  DatasetWriter writer(root, vocabulary);
  for (int i = 0; i < count; ++i) {
    Volume mask{at::full({1, 16, 16, 16}, vocabulary.body(), at::kByte), geometry};
    mask.data.slice(1, 3, 13).slice(2, 3, 13).slice(3, 3, 13).fill_(vocabulary.id("liver"));
    mask.data.slice(1, 6, 9 + i % 3).slice(2, 6, 9).slice(3, 6, 9).fill_(vocabulary.tumor());
    Prompt prompt;
    prompt.id = "case-" + std::to_string(i);
    prompt.age = 20 + i;
    writer.add(prompt, mask, {at::full({1, 16, 16, 16}, 10.0 * i, at::kFloat), geometry});
  }
  writer.finish();
  return Dataset::open(root);
}

}  // namespace guidegen
