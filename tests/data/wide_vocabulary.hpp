#pragma once

#include "guidegen/core/json.hpp"
#include "guidegen/data/dataset.hpp"

namespace guidegen {

/// 300 labels: background, body, fillers, and from 290 on those of the liver's neighborhood, with
/// the tumor last.
inline Vocabulary wide_vocabulary() {
  Json labels = Json::array();
  for (int id = 0; id < 300; ++id) {
    labels.push_back({{"id", id}, {"name", "organ_" + std::to_string(id)}});
    labels.back()["color"] = {id % 256, id / 256, 9};
  }
  labels[0]["name"] = "background";
  labels[1]["name"] = "body";
  labels[290]["name"] = "liver";
  labels[299]["name"] = "tumor";
  return Vocabulary::from_json({{"name", "wide"}, {"labels", labels}}, "wide");
}

/// A block of liver in a body, with a tumor of 4 x 4 x 4 voxels that starts at `tumor_at`.
inline Volume wide_mask(int64_t tumor_at = 10) {
  const ImageGeometry geometry = centered_geometry({24, 24, 24}, {4, 4, 4});
  Volume mask{at::zeros({1, 24, 24, 24}, at::kUInt16), geometry};
  const auto box = [&](int64_t from, int64_t to, int label) {
    mask.data.slice(1, from, to).slice(2, from, to).slice(3, from, to).fill_(label);
  };
  box(1, 23, 1);
  box(4, 20, 290);
  box(tumor_at, tumor_at + 4, 299);
  return mask;
}

}  // namespace guidegen
