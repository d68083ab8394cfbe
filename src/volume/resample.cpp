#include "guidegen/volume/resample.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/Parallel.h>

#include "guidegen/core/error.hpp"
#include "guidegen/volume/labels.hpp"

namespace guidegen {
namespace {

/// Weights of consecutive source voxels along one axis; empty where the centre lies outside.
struct Taps {
  int64_t first = 0;
  std::vector<double> weights;
};

/// How far a centre may lie beyond the outer face and still count as inside: rounding of affines
/// that were stored as float32.
constexpr double kFaceTolerance = 1e-4;
/// Grid steps and offsets this close to whole voxels are whole, so that aligned grids copy exactly.
constexpr double kSnapVoxels = 1e-3;

/// Share of a target voxel `width` source voxels wide (at least 1) centred on `center` that falls
/// on each source voxel: overlap of two boxes. At width 1 these are the weights of linear
/// interpolation. What lies beyond the image is left out and the rest scaled up.
void fill_taps(double center, double width, int64_t size, Taps& taps) {
  taps.weights.clear();
  const double last = static_cast<double>(size - 1);
  if (!(center >= -0.5 - kFaceTolerance && center <= last + 0.5 + kFaceTolerance)) return;
  // Within half a voxel of the faces a box of width 1 would see nothing outside to average with.
  center = std::clamp(center, width <= 1 ? 0.0 : -0.5, width <= 1 ? last : last + 0.5);
  const double low = center - width / 2;
  const double high = center + width / 2;
  const auto begin = std::max<int64_t>(0, static_cast<int64_t>(std::floor(low + 0.5)));
  const auto end = std::min<int64_t>(size, static_cast<int64_t>(std::ceil(high + 0.5)));
  taps.first = begin;
  double total = 0;
  for (int64_t k = begin; k < end; ++k) {
    const double cell = static_cast<double>(k);
    const double overlap = std::min(high, cell + 0.5) - std::max(low, cell - 0.5);
    taps.weights.push_back(std::max(0.0, overlap));
    total += taps.weights.back();
  }
  for (double& weight : taps.weights) weight /= total;
}

double snapped(double value) {
  const double whole = std::round(value);
  return std::abs(value - whole) < kSnapVoxels ? whole : value;
}

/// Where the voxels of `target` lie in the index space of `source`, and how wide they are there.
struct GridMap {
  Vec3 offset{};   ///< source index of target voxel (0,0,0)
  Matrix3 step{};  ///< [source axis][target axis]
  Vec3 width{};    ///< shadow of a target voxel on each source axis, at least 1
  bool aligned = true;

  GridMap(const ImageGeometry& source, const ImageGeometry& target) {
    offset = source.to_index(target.origin);
    for (size_t axis = 0; axis < 3; ++axis) {
      Vec3 one{};
      one[axis] = 1;
      const Vec3 next = source.to_index(target.to_world(one));
      for (size_t row = 0; row < 3; ++row) step[row][axis] = next[row] - offset[row];
    }
    for (size_t row = 0; row < 3; ++row) {
      double square = 0;
      for (size_t axis = 0; axis < 3; ++axis) {
        square += step[row][axis] * step[row][axis];
        const double drift = std::abs(step[row][axis]) * static_cast<double>(target.size[axis]);
        if (axis != row && drift > kSnapVoxels) aligned = false;
      }
      width[row] = std::max(1.0, std::sqrt(square));
    }
    if (!aligned) return;
    for (size_t row = 0; row < 3; ++row) {
      const double drift = std::abs(step[row][row] - 1) * static_cast<double>(target.size[row]);
      if (drift >= kSnapVoxels) continue;
      step[row][row] = 1;
      width[row] = 1;
      offset[row] = snapped(offset[row]);
    }
  }

  Vec3 source_index(int64_t x, int64_t y, int64_t z) const {
    Vec3 index = offset;
    for (size_t row = 0; row < 3; ++row) {
      index[row] += step[row][0] * static_cast<double>(x) + step[row][1] * static_cast<double>(y) +
                    step[row][2] * static_cast<double>(z);
    }
    return index;
  }
};

/// Calls `make(x_taps, y_taps, z_taps)` for every target voxel and stores the result, or `outside`.
/// `make` is copied for every stretch of slices, so it may keep scratch memory.
template <typename Out, typename Make>
void for_each_voxel(const ImageGeometry& source, const ImageGeometry& target, Out outside, Out* out,
                    const Make& make) {
  const GridMap map(source, target);
  std::array<std::vector<Taps>, 3> table;  // for aligned grids, once per row, column and slice
  if (map.aligned) {
    for (size_t axis = 0; axis < 3; ++axis) {
      table[axis].resize(static_cast<size_t>(target.size[axis]));
      for (size_t k = 0; k < table[axis].size(); ++k) {
        fill_taps(map.offset[axis] + map.step[axis][axis] * static_cast<double>(k), map.width[axis],
                  source.size[axis], table[axis][k]);
      }
    }
  }
  at::parallel_for(0, target.size[2], 1, [&](int64_t z_begin, int64_t z_end) {
    Make local = make;
    std::array<Taps, 3> own;
    Out* voxel = out + z_begin * target.size[1] * target.size[0];
    for (int64_t z = z_begin; z < z_end; ++z) {
      for (int64_t y = 0; y < target.size[1]; ++y) {
        for (int64_t x = 0; x < target.size[0]; ++x, ++voxel) {
          std::array<const Taps*, 3> taps;
          if (map.aligned) {
            taps = {&table[0][static_cast<size_t>(x)], &table[1][static_cast<size_t>(y)],
                    &table[2][static_cast<size_t>(z)]};
          } else {
            const Vec3 index = map.source_index(x, y, z);
            for (size_t axis = 0; axis < 3; ++axis) {
              fill_taps(index[axis], map.width[axis], source.size[axis], own[axis]);
              taps[axis] = &own[axis];
            }
          }
          const bool inside =
              !taps[0]->weights.empty() && !taps[1]->weights.empty() && !taps[2]->weights.empty();
          *voxel = inside ? local(*taps[0], *taps[1], *taps[2]) : outside;
        }
      }
    }
  });
}

/// Calls `visit(value, weight)` for the source voxels under the taps.
template <typename T, typename Visit>
void visit_taps(const T* data, const ImageGeometry& source, const Taps& x, const Taps& y,
                const Taps& z, const Visit& visit) {
  for (size_t k = 0; k < z.weights.size(); ++k) {
    for (size_t j = 0; j < y.weights.size(); ++j) {
      const double plane = z.weights[k] * y.weights[j];
      if (plane == 0) continue;
      const T* row = data +
                     ((z.first + static_cast<int64_t>(k)) * source.size[1] + y.first +
                      static_cast<int64_t>(j)) *
                         source.size[0] +
                     x.first;
      for (size_t i = 0; i < x.weights.size(); ++i) visit(row[i], plane * x.weights[i]);
    }
  }
}

/// Adds up weights per label and names the heaviest; remembers which it touched, so that the cost
/// is that of the voxels seen, not of the vocabulary.
template <typename T>
class Ballot {
 public:
  explicit Ballot(size_t labels) : weights_(labels, 0.0) {}

  void add(T label, double weight) {
    double& sum = weights_[static_cast<size_t>(label)];
    if (sum == 0 && weight > 0) touched_.push_back(label);
    sum += weight;
  }

  T winner() {
    T best = touched_.front();
    for (const T label : touched_) {
      const double lead = weight(label) - weight(best);
      // Sums in another order differ in the last digits; equal shares go to the smaller label.
      if (lead > 1e-9 || (lead > -1e-9 && label < best)) best = label;
    }
    for (const T label : touched_) weights_[static_cast<size_t>(label)] = 0;
    touched_.clear();
    return best;
  }

 private:
  double weight(T label) const { return weights_[static_cast<size_t>(label)]; }
  std::vector<double> weights_;
  std::vector<T> touched_;
};

template <typename T>
void resample_labels(const at::Tensor& source_data, const ImageGeometry& source,
                     const ImageGeometry& target, at::Tensor& result) {
  const T* data = source_data.const_data_ptr<T>();
  const auto labels = label_range(source_data).largest + 1;
  const auto make = [&source, data, ballot = Ballot<T>(static_cast<size_t>(labels))](
                        const Taps& x, const Taps& y, const Taps& z) mutable {
    visit_taps(data, source, x, y, z, [&](T label, double weight) { ballot.add(label, weight); });
    return ballot.winner();
  };
  for_each_voxel<T>(source, target, T{0}, result.data_ptr<T>(), make);
}

void check_one_channel(const Volume& volume, const std::string& what) {
  check_volume(volume, what);
  if (volume.data.size(0) != 1) {
    throw_failure(what, ": expected 1 channel, got ", volume.data.size(0));
  }
}

at::Tensor empty_like(const ImageGeometry& target, at::ScalarType type) {
  const auto dhw = to_dhw(target.size);
  return at::empty({1, dhw[0], dhw[1], dhw[2]}, type);
}

}  // namespace

Volume resample_ct(const Volume& ct, const ImageGeometry& target, float outside) {
  check_one_channel(ct, "resample_ct");
  const at::Tensor source_data = ct.data.to(at::kFloat).contiguous();
  const float* data = source_data.const_data_ptr<float>();
  Volume result{empty_like(target, at::kFloat), target};
  const auto make = [&ct, data](const Taps& x, const Taps& y, const Taps& z) {
    double sum = 0;
    visit_taps(data, ct.geometry, x, y, z, [&](float hu, double weight) { sum += weight * hu; });
    return static_cast<float>(sum);
  };
  for_each_voxel<float>(ct.geometry, target, outside, result.data.data_ptr<float>(), make);
  return result;
}

Volume resample_mask(const Volume& mask, const ImageGeometry& target) {
  check_one_channel(mask, "resample_mask");
  const at::ScalarType type = mask.data.scalar_type();
  if (type != at::kByte && type != at::kUInt16 && type != at::kInt) {
    throw_failure("resample_mask: expected uint8, uint16 or int32 labels, got ", type);
  }
  const at::Tensor source_data = mask.data.contiguous();
  if (label_range(source_data).smallest < 0) {
    throw_failure("resample_mask: expected labels of 0 and above, got negative ones");
  }
  Volume result{empty_like(target, type), target};
  if (type == at::kByte) {
    resample_labels<uint8_t>(source_data, mask.geometry, target, result.data);
  } else if (type == at::kUInt16) {
    resample_labels<uint16_t>(source_data, mask.geometry, target, result.data);
  } else {
    resample_labels<int32_t>(source_data, mask.geometry, target, result.data);
  }
  return result;
}

ImageGeometry respaced(const ImageGeometry& geometry, const Vec3& spacing) {
  ImageGeometry result = geometry;
  result.spacing = spacing;
  Vec3 first{};  // index in `geometry` of the new first voxel: the outer corners coincide
  for (size_t axis = 0; axis < 3; ++axis) {
    const double ratio = spacing[axis] / geometry.spacing[axis];
    const double exact = static_cast<double>(geometry.size[axis]) / ratio;
    // The margin keeps a field of view that divides evenly from gaining a voxel by rounding.
    result.size[axis] = std::max<int64_t>(1, static_cast<int64_t>(std::ceil(exact - 1e-4)));
    first[axis] = 0.5 * ratio - 0.5;
  }
  result.origin = geometry.to_world(first);
  return result;
}

ImageGeometry center_cropped_or_padded(const ImageGeometry& geometry,
                                       const std::array<int64_t, 3>& size) {
  ImageGeometry result = geometry;
  result.size = size;
  Vec3 first{};
  for (size_t axis = 0; axis < 3; ++axis) {
    const int64_t difference = geometry.size[axis] - size[axis];
    // Toward zero for both signs: cropping and padding by the same amount undo each other.
    first[axis] = static_cast<double>(difference / 2);
  }
  result.origin = geometry.to_world(first);
  return result;
}

Volume coarsened(const Volume& ct, int64_t factor) {
  Vec3 spacing = ct.geometry.spacing;
  for (double& step : spacing) step *= static_cast<double>(factor);
  return resample_ct(resample_ct(ct, respaced(ct.geometry, spacing)), ct.geometry);
}

}  // namespace guidegen
