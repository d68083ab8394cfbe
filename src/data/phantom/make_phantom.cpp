#include <cstring>

#include "data/phantom/anatomy.hpp"
#include "data/phantom/ct_renderer.hpp"
#include "data/phantom/tumors.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/data/phantom.hpp"

namespace guidegen {
namespace {

// The grid on which organ volumes are solved holds the whole torso, whatever part is asked for.
ImageGeometry calibration_grid() { return centered_geometry({64, 64, 80}, {6, 6, 6}); }

Prompt describe_patient(const PhantomRequest& request, const phantom::Patient& patient) {
  Prompt prompt = request.wish;
  prompt.id = request.case_id;
  prompt.text.reset();
  prompt.sex = patient.sex;
  prompt.age = patient.age;
  prompt.race = patient.race;
  prompt.contrast = patient.contrast;
  prompt.spacing_mm = request.geometry.spacing;
  prompt.size = request.geometry.size;
  prompt.seed = request.seed;
  prompt.samples = 1;
  return prompt;
}

template <typename T>
Volume to_volume(const std::vector<T>& values, const ImageGeometry& geometry,
                 at::ScalarType dtype) {
  const std::array<int64_t, 3> dhw = to_dhw(geometry.size);
  at::Tensor data = at::empty({1, dhw[0], dhw[1], dhw[2]}, at::TensorOptions().dtype(dtype));
  std::memcpy(data.data_ptr(), values.data(), values.size() * sizeof(T));
  return {data, geometry};
}

}  // namespace

Phantom make_phantom(const PhantomRequest& request, const Vocabulary& vocabulary) {
  if (!request.geometry.is_ras()) throw_usage("phantom: the grid must run along R, A and S");
  if (vocabulary.size() > 256) throw_usage("phantom: a vocabulary of at most 256 labels is needed");
  const uint64_t seed = request.seed;
  const std::string& case_id = request.case_id;
  RandomStream patient_stream(seed, case_id, "phantom/patient");
  const phantom::Patient patient = phantom::draw_patient(request.wish, patient_stream);
  const phantom::TorsoFrame frame(patient);
  RandomStream warp_stream(seed, case_id, "phantom/warp");
  const phantom::Warp warp(patient.scale, warp_stream);

  phantom::Thresholds thresholds;
  {
    phantom::Canvas coarse(calibration_grid(), warp);
    phantom::Painter painter(coarse, patient, frame, vocabulary, thresholds, true);
    phantom::paint_anatomy(painter, seed, case_id);
  }
  phantom::Canvas canvas(request.geometry, warp);
  phantom::Painter painter(canvas, patient, frame, vocabulary, thresholds, false);
  phantom::paint_anatomy(painter, seed, case_id);

  RandomStream plan_stream(seed, case_id, "phantom/tumor-plan");
  const std::vector<phantom::TumorPlan> plans = phantom::plan_tumors(request.wish, plan_stream);
  const std::vector<phantom::PlacedTumor> tumors =
      phantom::place_tumors(painter, plans, seed, case_id);
  const std::vector<float> hu =
      phantom::render_ct(painter, tumors, request.implants, seed, case_id);

  Phantom out;
  out.mask = to_volume(canvas.labels, request.geometry, at::kByte);
  out.ct = to_volume(hu, request.geometry, at::kFloat);
  out.prompt = describe_patient(request, patient);
  out.prompt.tumors = phantom::describe_tumors(tumors, plans);
  return out;
}

}  // namespace guidegen
