#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include <itkImageIORegion.h>
#include <itkNiftiImageIO.h>

#include "guidegen/core/error.hpp"
#include "guidegen/volume/labels.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

/// Voxels as ITK hands them out: byte order and scl_slope / scl_inter are dealt with.
struct RawVoxels {
  std::vector<char> bytes;
  itk::IOComponentEnum type;
  int64_t count;
};

/// Reads the voxels of a file that validate_nifti has passed. The image IO is used directly,
/// without ITK's object factories, because only NIfTI may be read and the geometry is already
/// known.
RawVoxels read_voxels(const std::string& name, const ImageGeometry& geometry) {
  try {
    const auto io = itk::NiftiImageIO::New();
    io->SetFileName(name);
    io->ReadImageInformation();
    // ITK leaves trailing dimensions of one voxel out.
    const unsigned rank = io->GetNumberOfDimensions();
    itk::ImageIORegion region(rank);
    int64_t count = 1;
    for (unsigned k = 0; k < rank; ++k) {
      region.SetSize(k, io->GetDimensions(k));
      count *= static_cast<int64_t>(io->GetDimensions(k));
    }
    if (count != geometry.voxels() || io->GetNumberOfComponents() != 1) {
      throw_failure(name, ": ITK sees ", count, " voxels of ", io->GetNumberOfComponents(),
                    " components, the header states ", geometry.voxels(), " of 1");
    }
    io->SetIORegion(region);
    RawVoxels raw{{}, io->GetComponentType(), count};
    raw.bytes.resize(static_cast<size_t>(io->GetImageSizeInBytes()));
    io->Read(raw.bytes.data());
    return raw;
  } catch (const itk::ExceptionObject& error) {
    throw_failure(name, ": cannot be read: ", error.GetDescription());
  }
}

/// Calls `use` with the voxels as a pointer to their C++ type.
template <typename Use>
void with_type(const RawVoxels& raw, const std::string& name, const Use& use) {
  using Component = itk::IOComponentEnum;
  const void* data = raw.bytes.data();
  switch (raw.type) {
    case Component::UCHAR:
      return use(static_cast<const uint8_t*>(data));
    case Component::CHAR:
      return use(static_cast<const int8_t*>(data));
    case Component::USHORT:
      return use(static_cast<const uint16_t*>(data));
    case Component::SHORT:
      return use(static_cast<const int16_t*>(data));
    case Component::UINT:
      return use(static_cast<const uint32_t*>(data));
    case Component::INT:
      return use(static_cast<const int32_t*>(data));
    case Component::ULONG:
    case Component::ULONGLONG:
      return use(static_cast<const uint64_t*>(data));
    case Component::LONG:
    case Component::LONGLONG:
      return use(static_cast<const int64_t*>(data));
    case Component::FLOAT:
      return use(static_cast<const float*>(data));
    case Component::DOUBLE:
      return use(static_cast<const double*>(data));
    default:
      throw_failure(name, ": ITK reads its voxels as an unknown type");
  }
}

/// Largest label; refuses what is no label.
template <typename T>
int64_t check_labels(const T* voxels, int64_t count, int64_t limit, const std::string& name) {
  int64_t largest = 0;
  for (int64_t k = 0; k < count; ++k) {
    const T value = voxels[k];
    if constexpr (std::is_floating_point_v<T>) {
      if (!(value >= 0 && value < static_cast<T>(limit)) || value != std::floor(value)) {
        throw_failure(name, ": holds the value ", value, ", expected whole labels from 0 to ",
                      limit - 1);
      }
    } else {
      if (value < T{0} || static_cast<uint64_t>(value) >= static_cast<uint64_t>(limit)) {
        throw_failure(name, ": holds label ", +value, ", expected labels from 0 to ", limit - 1);
      }
    }
    largest = std::max(largest, static_cast<int64_t>(value));
  }
  return largest;
}

std::vector<int64_t> shape_of(const ImageGeometry& geometry) {
  const auto dhw = to_dhw(geometry.size);
  return {1, dhw[0], dhw[1], dhw[2]};
}

}  // namespace

Volume read_ct(const std::filesystem::path& path) {
  const ImageGeometry geometry = validate_nifti(path);
  const RawVoxels raw = read_voxels(path.string(), geometry);
  const at::Tensor data = at::empty(shape_of(geometry), at::kFloat);
  float* out = data.data_ptr<float>();
  with_type(raw, path.string(), [&](const auto* voxels) {
    for (int64_t k = 0; k < raw.count; ++k) out[k] = static_cast<float>(voxels[k]);
  });
  // Finite voxels can still leave the range of float32 through the slope or as float64.
  if (!at::isfinite(data.sum(at::kDouble)).item<bool>()) {
    throw_failure(path.string(), ": holds values beyond the range of float32");
  }
  return reorient_ras({data, geometry});
}

Volume read_mask(const std::filesystem::path& path, int labels) {
  const ImageGeometry geometry = validate_nifti(path);
  const RawVoxels raw = read_voxels(path.string(), geometry);
  const int64_t limit = labels > 0 ? labels : int64_t{std::numeric_limits<uint16_t>::max()} + 1;
  at::Tensor data;
  with_type(raw, path.string(), [&](const auto* voxels) {
    const int64_t largest = check_labels(voxels, raw.count, limit, path.string());
    const auto fill = [&](auto* out) {
      using Out = std::remove_pointer_t<decltype(out)>;
      for (int64_t k = 0; k < raw.count; ++k) out[k] = static_cast<Out>(voxels[k]);
    };
    data = at::empty(shape_of(geometry), label_type(labels > 0 ? labels : largest + 1));
    if (data.scalar_type() == at::kByte) {
      fill(data.data_ptr<uint8_t>());
    } else {
      fill(data.data_ptr<uint16_t>());
    }
  });
  return reorient_ras({data, geometry});
}

}  // namespace guidegen
