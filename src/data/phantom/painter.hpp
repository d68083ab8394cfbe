#pragma once

#include <functional>
#include <map>
#include <string>

#include "data/phantom/canvas.hpp"
#include "data/phantom/distance_field.hpp"
#include "data/phantom/patient.hpp"
#include "data/phantom/torso_frame.hpp"
#include "guidegen/anatomy/vocabulary.hpp"

namespace guidegen::phantom {

/// Offsets that give each structure the volume drawn for the patient. Found once on a calibration
/// grid that holds the whole torso, then used on the wanted grid, however small or fine that is.
using Thresholds = std::map<std::string, float>;

/// Organ centerlines that tumors and texture refer to later.
struct Courses {
  std::vector<TubeNode> colon;
  /// Index into `colon` where the descending, transverse and ascending parts begin (from the anus).
  size_t descending = 0, transverse = 0, ascending = 0;
  size_t step = 1;                 ///< nodes between two landmarks
  std::vector<TubeNode> pancreas;  ///< head to tail
};

/// Draws labels onto a canvas. Structures are painted in order of priority: a voxel, once given to
/// a structure, is kept; only body (soft tissue without a name) may be painted over.
class Painter {
 public:
  /// With `calibrate`, thresholds are solved and stored; otherwise they are only read.
  Painter(Canvas& canvas, const Patient& patient, const TorsoFrame& frame,
          const Vocabulary& vocabulary, Thresholds& thresholds, bool calibrate);

  const Vocabulary& vocabulary() const { return vocabulary_; }
  uint8_t id(const std::string& label) const { return static_cast<uint8_t>(vocabulary_.id(label)); }

  /// Threshold t so that the free voxels with field < t that pass `where` make up `volume_ml`,
  /// within [low, high].
  float solve(const std::string& name, const DistanceField& field, double volume_ml, float low,
              float high, const std::function<bool(int64_t)>& where = {});
  /// Gives free voxels with field < threshold to `label`; at least one voxel where the field
  /// reaches.
  void paint(const std::string& label, const DistanceField& field, float threshold = 0.0F);
  /// paint with the threshold that yields the patient's volume for the label, at most `slack` mm
  /// from the shape as drawn.
  void paint_to_volume(const std::string& label, const DistanceField& field, float slack);

  bool free(int64_t i) const { return canvas.labels[static_cast<size_t>(i)] == body_; }
  float noise_free_radius(float radius) const { return std::max(radius, canvas.thin_radius()); }

  Canvas& canvas;
  const Patient& patient;
  const TorsoFrame& frame;
  Courses courses;
  float diaphragm_shift = 0;  ///< what the lungs' volume moved the diaphragm by, mm

  /// Below the diaphragm and within the abdominal wall: distance, negative inside.
  float abdomen(Point p) const;
  /// Moves a canonical landmark of the upper abdomen along with the diaphragm.
  Point settle(Point p) const;
  std::vector<TubeNode> settle(std::vector<TubeNode> nodes) const;

 private:
  const Vocabulary& vocabulary_;
  Thresholds& thresholds_;
  bool calibrate_;
  uint8_t body_;
};

}  // namespace guidegen::phantom
