#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>
#include <vector>

namespace guidegen {

/// Sums over the voxels of numbered regions, fed slab by slab.
class RegionSums {
 public:
  explicit RegionSums(int64_t regions) : regions_(regions) {}

  /// `index`: int64 region of each voxel, `values`: float64 of the same shape.
  void add(const std::string& name, const at::Tensor& index, const at::Tensor& values);
  /// Sum of `name` over some regions; 0 where nothing was added.
  double total(const std::string& name, const std::vector<int64_t>& regions) const;

 private:
  int64_t regions_;
  std::map<std::string, at::Tensor> sums_;  // float64 [regions]
};

/// Voxels of [D,H,W] with a face neighbor of another value, bool. Slabs need one more slice at each
/// end where the volume goes on.
at::Tensor beside_another(const at::Tensor& values);

/// |gradient| of [D,H,W] by central differences, one-sided at the ends, per mm; axes of one voxel
/// have none. `spacing_mm`: z, y, x.
at::Tensor gradient_magnitude(const at::Tensor& image, const std::vector<double>& spacing_mm);

}  // namespace guidegen
