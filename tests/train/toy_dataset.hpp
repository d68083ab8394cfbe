#pragma once

#include <torch/torch.h>

#include "guidegen/data/dataset.hpp"

namespace guidegen::toy {

/// Writes `count` small cases (16 x 16 x 16 voxels of 6 mm: a body with a liver) to `root`.
inline Dataset toy_dataset(const std::filesystem::path& root, int count) {
  const auto vocabulary = Vocabulary::load("torso");
  DatasetWriter writer(root, vocabulary);
  for (int i = 0; i < count; ++i) {
    const auto geometry = centered_geometry({16, 16, 16}, {6, 6, 6});
    Volume mask{torch::zeros({1, 16, 16, 16}, at::kByte), geometry};
    mask.data.slice(1, 1, 15).slice(2, 1, 15).slice(3, 1, 15).fill_(vocabulary.body());
    mask.data.slice(1, 4, 10 + i % 3).slice(2, 4, 10).slice(3, 4, 12).fill_(vocabulary.id("liver"));
    Volume ct{torch::full({1, 16, 16, 16}, -1000.0), geometry};
    ct.data.masked_fill_(mask.data > 0, 20.0 + i);
    Prompt prompt;
    prompt.id = "toy-" + std::to_string(i);
    prompt.age = 40 + i;
    prompt.tumors = std::vector<TumorRequest>{};
    writer.add(prompt, mask, ct);
  }
  writer.finish();
  return Dataset::open(root);
}

}  // namespace guidegen::toy
