#include "evaluate/region_sums.hpp"

namespace guidegen {

void RegionSums::add(const std::string& name, const at::Tensor& index, const at::Tensor& values) {
  // Of no voxel at all, bincount makes integers whatever the weights are.
  const at::Tensor sums = at::bincount(index.flatten(), values.flatten(), regions_).to(at::kDouble);
  const auto [place, fresh] = sums_.try_emplace(name, sums);
  if (!fresh) place->second += sums;
}

double RegionSums::total(const std::string& name, const std::vector<int64_t>& regions) const {
  const auto found = sums_.find(name);
  if (found == sums_.end()) return 0;
  const double* sums = found->second.const_data_ptr<double>();
  double total = 0;
  for (const int64_t region : regions) total += sums[region];
  return total;
}

at::Tensor beside_another(const at::Tensor& values) {
  at::Tensor beside = at::zeros(values.sizes(), at::kBool);
  for (int64_t axis = 0; axis < values.dim(); ++axis) {
    const int64_t pairs = values.size(axis) - 1;
    const at::Tensor differ = values.narrow(axis, 0, pairs).ne(values.narrow(axis, 1, pairs));
    beside.narrow(axis, 0, pairs).logical_or_(differ);
    beside.narrow(axis, 1, pairs).logical_or_(differ);
  }
  return beside;
}

at::Tensor gradient_magnitude(const at::Tensor& image, const std::vector<double>& spacing_mm) {
  at::Tensor squares = at::zeros_like(image);
  for (int64_t axis = 0; axis < image.dim(); ++axis) {
    if (image.size(axis) < 2) continue;
    const std::vector<at::Tensor> along =
        at::gradient(image, at::Scalar(spacing_mm[static_cast<size_t>(axis)]), axis);
    squares += along.front().square();
  }
  return squares.sqrt_();
}

}  // namespace guidegen
