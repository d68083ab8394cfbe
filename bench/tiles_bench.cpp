// Stage II in tiles against the whole volume at once: time, memory of tensors, and the largest
// difference in HU. Run as
//   guidegen_tiles_bench models/demo CT.nii.gz [MASK.nii.gz]
// Beside the plans of the program there is what is often done instead: tiles of 96 voxels with
// margins of 16, each normalized by its own statistics.
#include <torch/torch.h>

#include <chrono>
#include <cstdio>
#include <optional>

#include "allocation_peak.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/nn/blocks.hpp"
#include "guidegen/nn/module_io.hpp"
#include "guidegen/stages/model_directory.hpp"
#include "guidegen/stages/tiled_autoencoder.hpp"
#include "guidegen/volume/nifti.hpp"
#include "stages/tile_box.hpp"

namespace guidegen {
namespace {

struct Result {
  at::Tensor hu;  // [1,D,H,W]
  double seconds = 0, peak_mb = 0;
};

template <typename Work>
Result measured(const Work& work) {
  auto& peak = bench::AllocationPeak::instance();
  peak.reset();
  const auto start = std::chrono::steady_clock::now();
  Result result;
  result.hu = work();
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.peak_mb = static_cast<double>(peak.peak()) / 1e6;
  return result;
}

void report(const std::string& name, const Result& result, const at::Tensor& expected) {
  const auto off = (result.hu - expected).abs().flatten();
  const auto rank = static_cast<int64_t>(0.999 * static_cast<double>(off.numel()));
  std::printf("%-34s %8.1f s %8.0f MB   largest %9.5f HU   99.9 %% %9.5f HU\n", name.c_str(),
              result.seconds, result.peak_mb, off.max().item<double>(),
              std::get<0>(off.kthvalue(rank)).item<double>());
  std::fflush(stdout);
}

// Each tile as if it were a volume.
at::Tensor tile_by_tile(HdrAutoencoder& autoencoder, const Volume& ct, const Volume* mask) {
  constexpr int64_t kTile = 96, kMargin = 16;
  auto out = at::empty_like(ct.data);
  const auto size = to_dhw(ct.geometry.size);
  for (const Box& box : tiles_of(size, {kTile, kTile, kTile})) {
    const Box wide = grown(box, kMargin, size);
    const auto part = [&](const Volume& volume) {
      Volume piece{cut(volume.data, wide, whole(size)).contiguous(), {}};
      piece.geometry.size = to_xyz({wide.size(0), wide.size(1), wide.size(2)});
      return piece;
    };
    const auto guide = mask ? std::optional(part(*mask)) : std::nullopt;
    const auto made = reconstruct_ct(autoencoder, part(ct), guide ? &*guide : nullptr);
    cut(out, box, whole(size)).copy_(cut(made.data, box, wide));
  }
  return out;
}

void run(const std::string& model, const Volume& ct, const Volume* mask) {
  const torch::NoGradGuard no_grad;
  const auto description = read_model_description(model);
  const auto& entry = description.stages.at(2);
  const auto config = HdrAutoencoderConfig::from_json(JsonObject(entry.config, model, "config"));
  HdrAutoencoder autoencoder(config, description.vocabulary.size());
  load_module(model + "/" + entry.weights, *autoencoder);
  autoencoder->eval();

  const auto once = measured([&] { return reconstruct_ct(autoencoder, ct, mask).data; });
  report("at once", once, once.hu);
  const auto size = ct.geometry.size;
  auto plan = plan_tiles(config, size, TiledWork::kReconstruct, int64_t{1} << 50);
  bool kept = plan.keeps_half;
  std::array<int64_t, 3> last{};
  for (;;) {
    if (plan.tile != last || plan.keeps_half != kept) {
      last = plan.tile;
      kept = plan.keeps_half;
      const auto tiled = measured([&] {
        const auto mean = encode_tiled(autoencoder, ct, plan).mean;
        return decode_tiled(autoencoder, mean, mask, ct.geometry, plan).data;
      });
      report(concat("tiles of ", plan.tile[0], kept ? ", kept" : ", anew", ", stated ",
                    (plan.bytes - kProgramBytes) / 1000000, " MB"),
             tiled, once.hu);
    }
    try {
      plan = plan_tiles(config, size, TiledWork::kReconstruct, plan.bytes - 1);
    } catch (const Error&) {
      break;
    }
  }
  report("each tile by itself", measured([&] { return tile_by_tile(autoencoder, ct, mask); }),
         once.hu);
}

}  // namespace
}  // namespace guidegen

int main(int argc, char** argv) {
  using namespace guidegen;
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s MODEL CT [MASK]\n", argv[0]);
    return 2;
  }
  const Volume ct = read_ct(argv[2]);
  std::optional<Volume> mask;
  if (argc > 3) mask = read_mask(argv[3]);
  run(argv[1], ct, mask ? &*mask : nullptr);
  return 0;
}
