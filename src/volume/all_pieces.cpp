#include "guidegen/volume/all_pieces.hpp"

#include <algorithm>

namespace guidegen {
namespace {

struct Index {
  int32_t x, y, z;
};

template <typename Label>
class Flood {
 public:
  Flood(const Label* labels, const std::array<int64_t, 3>& size, Pieces& pieces)
      : labels_(labels), size_(size), pieces_(pieces) {}

  void fill_all() {
    int64_t at = 0;
    for (int32_t z = 0; z < size_[2]; ++z) {
      for (int32_t y = 0; y < size_[1]; ++y) {
        for (int32_t x = 0; x < size_[0]; ++x, ++at) {
          if (pieces_.ids[static_cast<size_t>(at)] < 0) fill_from({x, y, z}, labels_[at]);
        }
      }
    }
  }

 private:
  int64_t offset(const Index& i) const { return (i.z * size_[1] + i.y) * size_[0] + i.x; }

  void claim(const Index& index) {
    pieces_.ids[static_cast<size_t>(offset(index))] =
        static_cast<int32_t>(pieces_.label.size()) - 1;
    ++pieces_.voxels.back();
    open_.push_back(index);
  }

  void fill_from(const Index& seed, Label label) {
    pieces_.label.push_back(label);
    pieces_.voxels.push_back(0);
    claim(seed);
    while (!open_.empty()) {
      const Index center = open_.back();
      open_.pop_back();
      claim_neighbors(center, label);
    }
  }

  void claim_neighbors(const Index& center, Label label) {
    for (int32_t z = std::max(0, center.z - 1); z <= center.z + 1 && z < size_[2]; ++z) {
      for (int32_t y = std::max(0, center.y - 1); y <= center.y + 1 && y < size_[1]; ++y) {
        for (int32_t x = std::max(0, center.x - 1); x <= center.x + 1 && x < size_[0]; ++x) {
          const int64_t at = offset({x, y, z});
          if (labels_[at] == label && pieces_.ids[static_cast<size_t>(at)] < 0) claim({x, y, z});
        }
      }
    }
  }

  const Label* labels_;
  std::array<int64_t, 3> size_;
  Pieces& pieces_;
  std::vector<Index> open_;
};

}  // namespace

Pieces find_all_pieces(const Volume& mask) {
  Pieces pieces;
  pieces.ids.assign(static_cast<size_t>(mask.geometry.voxels()), -1);
  const at::Tensor data = mask.data.contiguous();
  if (data.scalar_type() == at::kByte) {
    Flood(data.const_data_ptr<uint8_t>(), mask.geometry.size, pieces).fill_all();
  } else {
    Flood(data.const_data_ptr<uint16_t>(), mask.geometry.size, pieces).fill_all();
  }
  return pieces;
}

}  // namespace guidegen
