#include "evaluate/picture_planes.hpp"
#include "guidegen/evaluate/fidelity.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {
namespace {

constexpr int64_t kPanelPixels = 176;  // height of one plane
/// Differences are drawn over +- this share of the window's width: +-50 HU of soft tissue.
constexpr double kDifferenceShare = 0.125;

}  // namespace

std::vector<FidelityPictures> draw_fidelity(const Volume& reference, const Volume& reconstruction,
                                            const Volume* mask, const Vocabulary& vocabulary,
                                            const std::vector<Exposure>& windows) {
  const Volume difference{reconstruction.data - reference.data, reference.geometry};
  PreviewOptions options;
  options.height = kPanelPixels;
  options.planes = planes_of(mask, vocabulary);
  const auto draw = [&](const Volume& volume, double center, double width) {
    options.window_center = center;
    options.window_width = width;
    return encode_png(render_preview(&volume, nullptr, vocabulary, options));
  };
  std::vector<FidelityPictures> pictures;
  for (const Exposure& window : windows) {
    const double reach = kDifferenceShare * window.width;
    pictures.push_back({window.name, reach, draw(reference, window.center, window.width),
                        draw(reconstruction, window.center, window.width),
                        draw(difference, 0, 2 * reach)});
  }
  return pictures;
}

}  // namespace guidegen
