#include "evaluate/distance_transform.hpp"

#include <limits>
#include <vector>

namespace guidegen {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// One line of squared distances: at each place the least of `line[j] + (step (i - j))^2`.
class LowerEnvelope {
 public:
  explicit LowerEnvelope(size_t longest) : vertex_(longest), start_(longest + 1), out_(longest) {}

  void apply(double* line, int64_t count, int64_t stride, double step) {
    const double scale = step * step;
    const auto value = [&](int64_t i) { return line[i * stride]; };
    size_t parabolas = 0;
    for (int64_t q = 0; q < count; ++q) {
      if (value(q) == kInfinity) continue;
      double from = -kInfinity;
      while (parabolas > 0) {
        const int64_t v = vertex_[parabolas - 1];
        // Where the parabola of q begins to lie below that of v.
        from = ((value(q) - value(v)) / scale + static_cast<double>(q * q - v * v)) /
               (2 * static_cast<double>(q - v));
        if (from > start_[parabolas - 1]) break;
        --parabolas;
        from = -kInfinity;
      }
      vertex_[parabolas] = q;
      start_[parabolas] = from;
      ++parabolas;
    }
    if (parabolas == 0) return;
    start_[parabolas] = kInfinity;
    size_t k = 0;
    for (int64_t i = 0; i < count; ++i) {
      while (start_[k + 1] < static_cast<double>(i)) ++k;
      const auto away = static_cast<double>(i - vertex_[k]);
      out_[static_cast<size_t>(i)] = value(vertex_[k]) + scale * away * away;
    }
    for (int64_t i = 0; i < count; ++i) line[i * stride] = out_[static_cast<size_t>(i)];
  }

 private:
  std::vector<int64_t> vertex_;
  std::vector<double> start_, out_;
};

}  // namespace

at::Tensor distance_to(const at::Tensor& where, const Vec3& spacing_mm) {
  at::Tensor squares =
      at::zeros(where.sizes(), at::kDouble).masked_fill_(where.logical_not(), kInfinity);
  auto* data = squares.mutable_data_ptr<double>();
  const int64_t depth = where.size(0), height = where.size(1), width = where.size(2);
  LowerEnvelope envelope(static_cast<size_t>(std::max({depth, height, width})));
  for (int64_t z = 0; z < depth; ++z) {
    double* slice = data + z * height * width;
    for (int64_t y = 0; y < height; ++y) {
      envelope.apply(slice + y * width, width, 1, spacing_mm[0]);
    }
    for (int64_t x = 0; x < width; ++x) envelope.apply(slice + x, height, width, spacing_mm[1]);
  }
  for (int64_t i = 0; i < height * width; ++i) {
    envelope.apply(data + i, depth, height * width, spacing_mm[2]);
  }
  return squares.sqrt_();
}

}  // namespace guidegen
