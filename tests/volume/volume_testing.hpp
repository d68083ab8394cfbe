#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/temporary_folder.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/volume/volume.hpp"

namespace guidegen::volume_testing {

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void spill(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// Rotation by Euler angles (radians) about x, then y, then z.
inline Matrix3 rotation(double a, double b, double c) {
  const double ca = std::cos(a), sa = std::sin(a), cb = std::cos(b), sb = std::sin(b);
  const double cc = std::cos(c), sc = std::sin(c);
  return {{{cc * cb, cc * sb * sa - sc * ca, cc * sb * ca + sc * sa},
           {sc * cb, sc * sb * sa + cc * ca, sc * sb * ca - cc * sa},
           {-sb, cb * sa, cb * ca}}};
}

/// Anisotropic grid, rotated by `angle` about all axes and away from the origin.
inline ImageGeometry oblique_geometry(double angle) {
  ImageGeometry geometry;
  geometry.size = {7, 9, 5};
  geometry.spacing = {0.8, 1.25, 3.0};
  geometry.origin = {-31.5, 12.25, 104.75};
  geometry.direction = rotation(angle, -0.7 * angle, 1.3 * angle);
  return geometry;
}

/// Volume whose voxels count up in memory order, from 0.
inline Volume counting_volume(const ImageGeometry& geometry, at::ScalarType type = at::kFloat) {
  const auto dhw = to_dhw(geometry.size);
  return {at::arange(geometry.voxels(), type).view({1, dhw[0], dhw[1], dhw[2]}), geometry};
}

/// The message of the Error that `action` throws, or "" when it throws none.
template <typename Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace guidegen::volume_testing
