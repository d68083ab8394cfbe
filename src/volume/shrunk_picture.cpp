#include <algorithm>
#include <cmath>

#include "guidegen/core/error.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {
namespace {

/// The pixels of one axis that a pixel of the smaller picture covers, with their shares.
struct Cover {
  int64_t first = 0;
  std::vector<double> shares;  ///< of pixels first, first + 1, …; they add up to 1
};

std::vector<Cover> covers(int64_t from, int64_t to) {
  const double step = static_cast<double>(from) / static_cast<double>(to);
  std::vector<Cover> all(static_cast<size_t>(to));
  for (int64_t i = 0; i < to; ++i) {
    const double low = static_cast<double>(i) * step, high = low + step;
    Cover& cover = all[static_cast<size_t>(i)];
    cover.first = static_cast<int64_t>(low);
    for (int64_t k = cover.first; k < from && static_cast<double>(k) < high; ++k) {
      const double part =
          std::min(high, static_cast<double>(k + 1)) - std::max(low, static_cast<double>(k));
      cover.shares.push_back(part / step);
    }
  }
  return all;
}

uint8_t mean_of(const Picture& picture, const Cover& rows, const Cover& columns, int64_t part) {
  double sum = 0;
  for (size_t y = 0; y < rows.shares.size(); ++y) {
    const int64_t row = rows.first + static_cast<int64_t>(y);
    const uint8_t* pixels = picture.rgb.data() + 3 * (row * picture.width + columns.first) + part;
    for (size_t x = 0; x < columns.shares.size(); ++x) {
      sum += rows.shares[y] * columns.shares[x] * pixels[3 * x];
    }
  }
  return static_cast<uint8_t>(std::clamp(std::lround(sum), 0L, 255L));
}

}  // namespace

Picture shrunk(const Picture& picture, int64_t height) {
  if (height < 1 || height > picture.height) {
    throw_failure("a picture of ", picture.height, " rows cannot shrink to ", height);
  }
  if (height == picture.height) return picture;
  const int64_t width =
      std::max<int64_t>(1, std::llround(static_cast<double>(picture.width * height) /
                                        static_cast<double>(picture.height)));
  const std::vector<Cover> rows = covers(picture.height, height);
  const std::vector<Cover> columns = covers(picture.width, width);
  Picture small{width, height, {}};
  small.rgb.reserve(static_cast<size_t>(3 * width * height));
  for (const Cover& row : rows) {
    for (const Cover& column : columns) {
      for (const int64_t part : {0, 1, 2}) small.rgb.push_back(mean_of(picture, row, column, part));
    }
  }
  return small;
}

}  // namespace guidegen
