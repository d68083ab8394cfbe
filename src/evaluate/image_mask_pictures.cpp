#include "evaluate/image_mask_pictures.hpp"

#include "evaluate/picture_planes.hpp"
#include "guidegen/volume/preview.hpp"

namespace guidegen {
namespace {

constexpr int64_t kPanelPixels = 176;  // height of one plane

/// The row with the overlay of a preview that has CT and mask.
Picture lower_half(const Picture& picture) {
  const int64_t height = picture.height / 2;
  const auto skipped = static_cast<int64_t>(picture.rgb.size()) - height * picture.width * 3;
  return {picture.width, height, {picture.rgb.begin() + skipped, picture.rgb.end()}};
}

}  // namespace

ImageMaskPictures draw_image_mask(const Volume& ct, const Volume& mask, const Volume* segmentation,
                                  const Vocabulary& vocabulary) {
  PreviewOptions options;
  options.height = kPanelPixels;
  options.overlay_opacity = 0.3;
  options.planes = planes_of(&mask, vocabulary);
  const auto overlaid = [&](const Volume& labels) {
    return encode_png(lower_half(render_preview(&ct, &labels, vocabulary, options)));
  };
  return {encode_png(render_preview(&ct, nullptr, vocabulary, options)), overlaid(mask),
          segmentation ? overlaid(*segmentation) : std::string()};
}

}  // namespace guidegen
