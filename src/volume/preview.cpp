#include "guidegen/volume/preview.hpp"

#include <algorithm>
#include <cmath>

#include "guidegen/core/error.hpp"
#include "guidegen/volume/components.hpp"
#include "guidegen/volume/labels.hpp"
#include "guidegen/volume/resample.hpp"

namespace guidegen {
namespace {

constexpr int64_t kGap = 4;            // black pixels between panels
constexpr double kBodyOpacity = 0.25;  // of the overlay's own: the rest of the body is context
constexpr double kContourOpacity = 0.9;
constexpr int64_t kMinHeight = 16;
constexpr int64_t kMaxHeight = 4096;

/// A plane through a volume as it is displayed. Columns run along index axis `across`, rows along
/// `down`, both from the high end to the low: x grows to the patient's right, which is on the
/// picture's left, y to anterior (up in axial, left in sagittal planes) and z to the head.
struct Plane {
  size_t across, down, through;
};
constexpr Plane kAxial{0, 1, 2};
constexpr Plane kCoronal{0, 2, 1};
constexpr Plane kSagittal{1, 2, 0};

double extent(const ImageGeometry& geometry, size_t axis) {
  return static_cast<double>(geometry.size[axis]) * geometry.spacing[axis];
}

/// Grid of square pixels of `pixel_mm` that covers one plane of `geometry`.
ImageGeometry plane_grid(const ImageGeometry& geometry, const Plane& plane, int64_t index,
                         double pixel_mm) {
  ImageGeometry cut = geometry;
  cut.size[plane.through] = 1;
  Vec3 first{};
  first[plane.through] = static_cast<double>(index);
  cut.origin = geometry.to_world(first);
  Vec3 spacing = cut.spacing;
  spacing[plane.across] = pixel_mm;
  spacing[plane.down] = pixel_mm;
  ImageGeometry grid = respaced(cut, spacing);
  // Rounding up would add a strip of half-empty pixels; the nearest count keeps within the image.
  for (const size_t axis : {plane.across, plane.down}) {
    grid.size[axis] = std::max<int64_t>(1, std::lround(extent(cut, axis) / pixel_mm));
  }
  return grid;
}

Picture black(int64_t width, int64_t height) {
  return {width, height, std::vector<uint8_t>(static_cast<size_t>(3 * width * height), 0)};
}

uint8_t to_byte(double value) {
  return static_cast<uint8_t>(std::clamp(std::lround(value), 0L, 255L));
}

/// Pixels of one resampled plane by display position (row 0 on top, column 0 on the left).
template <typename T>
class PlaneView {
 public:
  PlaneView(at::Tensor data, const Plane& plane, const ImageGeometry& grid)
      : data_(std::move(data)), width_(grid.size[plane.across]), height_(grid.size[plane.down]) {}

  int64_t width() const { return width_; }
  int64_t height() const { return height_; }
  // With one index along `through`, memory runs along `across` first and `down` second.
  T at(int64_t row, int64_t column) const {
    return data_.const_data_ptr<T>()[(height_ - 1 - row) * width_ + (width_ - 1 - column)];
  }

 private:
  at::Tensor data_;
  int64_t width_, height_;
};

using CtView = PlaneView<float>;
using MaskView = PlaneView<int32_t>;

bool on_contour(const MaskView& mask, int64_t row, int64_t column) {
  const int32_t own = mask.at(row, column);
  return (row > 0 && mask.at(row - 1, column) != own) ||
         (column > 0 && mask.at(row, column - 1) != own);
}

Picture draw_ct(const CtView& ct, const PreviewOptions& options) {
  Picture picture = black(ct.width(), ct.height());
  const double low = options.window_center - options.window_width / 2;
  auto pixel = picture.rgb.begin();
  for (int64_t row = 0; row < ct.height(); ++row) {
    for (int64_t column = 0; column < ct.width(); ++column, pixel += 3) {
      std::fill_n(pixel, 3, to_byte(255 * (ct.at(row, column) - low) / options.window_width));
    }
  }
  return picture;
}

void draw_overlay(const MaskView& mask, const Vocabulary& vocabulary, double opacity,
                  Picture& picture) {
  auto pixel = picture.rgb.begin();
  for (int64_t row = 0; row < mask.height(); ++row) {
    for (int64_t column = 0; column < mask.width(); ++column, pixel += 3) {
      const int label = mask.at(row, column);
      if (label == vocabulary.background()) continue;
      double share = opacity;
      if (label == vocabulary.body()) {
        share *= kBodyOpacity;
      } else if (on_contour(mask, row, column)) {
        share = std::max(share, kContourOpacity);
      }
      const auto& color = vocabulary.label(label).color;
      for (std::ptrdiff_t k = 0; k < 3; ++k) {
        pixel[k] = to_byte((1 - share) * pixel[k] + share * color[static_cast<size_t>(k)]);
      }
    }
  }
}

Picture draw_mask(const MaskView& mask, const Vocabulary& vocabulary) {
  Picture picture = black(mask.width(), mask.height());
  auto pixel = picture.rgb.begin();
  for (int64_t row = 0; row < mask.height(); ++row) {
    for (int64_t column = 0; column < mask.width(); ++column, pixel += 3) {
      const int label = mask.at(row, column);
      // Background is black whatever its color, like the padding around the panels.
      if (label == vocabulary.background()) continue;
      std::copy_n(vocabulary.label(label).color.begin(), 3, pixel);
    }
  }
  return picture;
}

/// Panels side by side, centred in height.
Picture side_by_side(const std::vector<Picture>& panels, int64_t height) {
  int64_t width = -kGap;
  for (const Picture& panel : panels) width += panel.width + kGap;
  Picture row = black(width, height);
  int64_t left = 0;
  for (const Picture& panel : panels) {
    const int64_t top = (height - panel.height) / 2;
    for (int64_t y = 0; y < panel.height; ++y) {
      std::copy_n(panel.rgb.begin() + 3 * y * panel.width, 3 * panel.width,
                  row.rgb.begin() + 3 * ((top + y) * width + left));
    }
    left += panel.width + kGap;
  }
  return row;
}

Picture stacked(const Picture& top, const Picture& bottom) {
  Picture both = top;
  both.height += kGap + bottom.height;
  both.rgb.resize(top.rgb.size() + static_cast<size_t>(3 * kGap * top.width), 0);
  both.rgb.insert(both.rgb.end(), bottom.rgb.begin(), bottom.rgb.end());
  return both;
}

/// Planes through the largest tumor if there is one, else the middle; explicit choices win.
std::array<int64_t, 3> choose_planes(const ImageGeometry& geometry, const Volume* mask,
                                     const Vocabulary& vocabulary, const PreviewOptions& options) {
  std::array<int64_t, 3> planes = options.planes;
  const bool open = std::find(planes.begin(), planes.end(), -1) != planes.end();
  std::vector<Component> tumors;
  if (mask && open) tumors = find_components(*mask, vocabulary.tumor());
  for (size_t axis = 0; axis < 3; ++axis) {
    const int64_t size = geometry.size[axis];
    if (planes[axis] == -1) {
      planes[axis] = tumors.empty() ? size / 2 : std::lround(tumors.front().centroid_index[axis]);
    }
    if (planes[axis] < 0 || planes[axis] >= size) {
      throw_failure("preview: plane ", planes[axis], " of axis ", "xyz"[axis],
                    " is outside the volume, expected 0 to ", size - 1, " or -1");
    }
  }
  return planes;
}

/// RAS copy, its axes straightened: a preview shows index planes.
Volume for_display(const Volume& volume) {
  Volume ras = reorient_ras(volume);
  ras.geometry.direction = ImageGeometry{}.direction;
  ras.geometry.origin = {0, 0, 0};
  return ras;
}

void check_mask(const Volume& mask, const Vocabulary& vocabulary) {
  const auto [smallest, largest] = label_range(mask.data);
  if (smallest >= 0 && largest < vocabulary.size()) return;
  throw_failure("preview: the mask holds labels from ", smallest, " to ", largest,
                ", expected 0 to ", vocabulary.size() - 1);
}

void check_options(const PreviewOptions& options) {
  if (options.height < kMinHeight || options.height > kMaxHeight) {
    throw_failure("preview: height of ", options.height, " pixels, expected ", kMinHeight, " to ",
                  kMaxHeight);
  }
  if (!(options.window_width > 0)) {
    throw_failure("preview: window width ", options.window_width, " HU, expected more than 0");
  }
}

}  // namespace

Picture render_preview(const Volume* ct, const Volume* mask, const Vocabulary& vocabulary,
                       const PreviewOptions& options) {
  check_options(options);
  if (!ct && !mask) throw_failure("preview: neither a CT nor a mask to draw");
  if (ct && mask && !same_geometry(ct->geometry, mask->geometry)) {
    throw_failure("preview: CT and mask lie on different grids");
  }
  Volume shown_ct;
  Volume shown_mask;
  if (ct) shown_ct = for_display(*ct);
  if (mask) {
    shown_mask = for_display(*mask);
    check_mask(shown_mask, vocabulary);
    shown_mask.data = shown_mask.data.to(at::kInt);
  }
  const ImageGeometry& geometry = ct ? shown_ct.geometry : shown_mask.geometry;
  const auto planes = choose_planes(geometry, mask ? &shown_mask : nullptr, vocabulary, options);
  // One scale for all panels: the taller of the two vertical axes fills the height.
  const double pixel_mm =
      std::max(extent(geometry, 1), extent(geometry, 2)) / static_cast<double>(options.height);

  std::vector<Picture> plain;
  std::vector<Picture> overlaid;
  for (const Plane& plane : {kAxial, kCoronal, kSagittal}) {
    const ImageGeometry grid = plane_grid(geometry, plane, planes[plane.through], pixel_mm);
    Picture panel;
    if (ct) {
      panel = draw_ct(CtView(resample_ct(shown_ct, grid).data, plane, grid), options);
      plain.push_back(panel);
    }
    if (mask) {
      const MaskView view(resample_mask(shown_mask, grid).data, plane, grid);
      if (ct) {
        draw_overlay(view, vocabulary, options.overlay_opacity, panel);
        overlaid.push_back(panel);
      } else {
        plain.push_back(draw_mask(view, vocabulary));
      }
    }
  }
  const Picture first = side_by_side(plain, options.height);
  return overlaid.empty() ? first : stacked(first, side_by_side(overlaid, options.height));
}

}  // namespace guidegen
