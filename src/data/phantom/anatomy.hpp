#pragma once

#include "data/phantom/painter.hpp"

namespace guidegen::phantom {

// Each paints one region. Order matters: what is painted first is in front.

void paint_body(Painter& painter);
void paint_spine(Painter& painter);
void paint_thoracic_bones(Painter& painter);
void paint_pelvic_bones(Painter& painter);
void paint_great_vessels(Painter& painter, RandomStream& stream);
void paint_airway_and_esophagus(Painter& painter);
void paint_heart(Painter& painter, RandomStream& stream);
void paint_lungs(Painter& painter, RandomStream& stream);
void paint_adrenals(Painter& painter, RandomStream& stream);
void paint_kidneys(Painter& painter, RandomStream& stream);
void paint_pancreas_region(Painter& painter, RandomStream& stream);
void paint_spleen_and_stomach(Painter& painter, RandomStream& stream);
void paint_liver(Painter& painter, RandomStream& stream);
void paint_pelvic_organs(Painter& painter, RandomStream& stream);
void paint_colon(Painter& painter, RandomStream& stream);
void paint_small_bowel(Painter& painter, RandomStream& stream);

/// All of the above, in order. The stream is consumed alike on every grid, so that a calibration
/// grid and the wanted grid show the same patient.
void paint_anatomy(Painter& painter, uint64_t seed, const std::string& case_id);

}  // namespace guidegen::phantom
