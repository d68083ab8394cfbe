#include "data/phantom/anatomy.hpp"

namespace guidegen::phantom {

void paint_adrenals(Painter& painter, RandomStream& stream) {
  for (const float side : {1.0F, -1.0F}) {
    const bool right = side > 0;
    const auto wander = [&stream](double mm) { return static_cast<float>(stream.normal(0.0, mm)); };
    DistanceField adrenal(painter.canvas, 7.0F);
    const Point top = painter.settle(
        {side * (right ? 35.0F : 38.0F), -38.0F, (right ? 276.0F : 276.0F) + wander(2)});
    const float r = painter.noise_free_radius(2.6F);
    adrenal.tube({{top + Point{0, 7, 4}, r}, {top, r}, {top + Point{side * 11, -12, -9}, r}});
    adrenal.tube({{top, r}, {top + Point{-side * 4, -13, -9}, r}});
    painter.paint_to_volume(right ? "adrenal_right" : "adrenal_left", adrenal, 6.5F);
  }
}

void paint_kidneys(Painter& painter, RandomStream& stream) {
  for (const float side : {1.0F, -1.0F}) {
    const bool right = side > 0;
    const SmoothNoise lumps(stream, 55, 6);
    const auto wander = [&stream](double mm) { return static_cast<float>(stream.normal(0.0, mm)); };
    const Point center = painter.settle(
        {side * (63.0F + wander(3)), -42.0F + wander(3), (right ? 224.0F : 234.0F) + wander(5)});
    const Rotation tilt = frame_along({-side * 0.27F, -0.2F, 1});
    DistanceField kidney(painter.canvas, 10.0F);
    kidney.ellipsoid(center, {25, 26, 43}, tilt);
    kidney.offset([&](Point p) { return 1.8F * lumps(p); });
    // Hilum: the renal sinus opens medially and forward.
    kidney.intersect([&](Point p) {
      const Point q = p - center - Point{-side * 25.0F, 9.0F, 0.0F};
      return 14.0F - std::sqrt(q.x * q.x * 0.7F + q.y * q.y + q.z * q.z * 0.45F);
    });
    kidney.restrict_to([&](Point p) { return painter.abdomen(p) + 1.0F; });
    painter.paint_to_volume(right ? "kidney_right" : "kidney_left", kidney, 9.0F);
  }
}

void paint_pancreas_region(Painter& painter, RandomStream& stream) {
  const SmoothNoise lumps(stream, 32, 6);
  const auto wander = [&stream](double mm) { return static_cast<float>(stream.normal(0.0, mm)); };
  const float lift = wander(4);
  const float vessel = painter.noise_free_radius(5.2F);
  // Splenic vein behind the pancreas, superior mesenteric vein, portal vein and its two branches.
  DistanceField veins(painter.canvas, 3.0F);
  veins.tube(painter.settle(smooth_course({{{-84, -38, 268 + lift}, vessel},
                                           {{-55, -28, 258 + lift}, vessel},
                                           {{-18, -4, 246 + lift}, vessel},
                                           {{8, 6, 238}, vessel + 1}})));
  veins.tube(painter.settle(smooth_course({{{8, 10, 190}, vessel},
                                           {{8, 6, 238}, vessel + 1},
                                           {{26, 4, 258}, vessel + 1.5F},
                                           {{44, 8, 276}, vessel + 1}})));
  veins.tube(painter.settle({{{44, 8, 276}, vessel}, {{72, -4, 288}, vessel - 0.5F}}));
  veins.tube(painter.settle({{{44, 8, 276}, vessel}, {{12, 32, 288}, vessel - 0.5F}}));
  painter.paint_to_volume("portal_splenic_veins", veins, 3.0F);

  painter.courses.pancreas = painter.settle(smooth_course({{{27, 6, 203}, 13},
                                                           {{22, 12, 220}, 14},
                                                           {{6, 20, 236}, 9},
                                                           {{-22, 10, 248 + lift}, 10},
                                                           {{-50, -12, 260 + lift}, 10},
                                                           {{-76, -28, 268 + lift}, 9}}));
  DistanceField pancreas(painter.canvas, 10.0F);
  pancreas.tube(painter.courses.pancreas);
  pancreas.offset([&](Point p) { return 1.8F * lumps(p); });
  painter.paint_to_volume("pancreas", pancreas, 7.0F);

  DistanceField duodenum(painter.canvas, 7.0F);
  duodenum.tube(painter.settle(smooth_course({{{16, 38, 232}, 12},
                                              {{36, 26, 236}, 12},
                                              {{46, 8, 222}, 11},
                                              {{46, 0, 192}, 11},
                                              {{28, -2, 176}, 10.5F},
                                              {{-6, 0, 176}, 9.5F},
                                              {{-28, 2, 190}, 11},
                                              {{-30, 12, 210}, 11}})));
  painter.paint_to_volume("duodenum", duodenum, 5.0F);

  DistanceField gallbladder(painter.canvas, 11.0F);
  const float swing = wander(4);
  gallbladder.tube(painter.settle(smooth_course(
      {{{44, 24, 258}, 5}, {{52 + 0.5F * swing, 40, 242}, 11}, {{58 + swing, 56, 222}, 13}})));
  gallbladder.restrict_to([&](Point p) { return painter.abdomen(p) + 1.0F; });
  painter.paint_to_volume("gallbladder", gallbladder, 10.0F);
}

void paint_spleen_and_stomach(Painter& painter, RandomStream& stream) {
  const SmoothNoise spleen_lumps(stream, 70, 6);
  const SmoothNoise stomach_lumps(stream, 80, 6);
  const auto wander = [&stream](double mm) { return static_cast<float>(stream.normal(0.0, mm)); };
  DistanceField spleen(painter.canvas, 20.0F);
  const Point center = painter.settle({-93.0F + wander(2), -44.0F + wander(4), 282.0F + wander(4)});
  spleen.ellipsoid(center, {30, 50, 46}, frame_along({-0.25F, -0.45F, 1}));
  spleen.offset([&](Point p) { return 3.0F * spleen_lumps(p); });
  spleen.intersect([&](Point p) {
    const Point q = p - center - Point{44, 18, -4};
    return 24.0F - length(q);  // hilum, facing the stomach
  });
  spleen.restrict_to([&](Point p) { return painter.abdomen(p); });
  painter.paint_to_volume("spleen", spleen, 19.0F);

  DistanceField stomach(painter.canvas, 14.0F);
  stomach.tube(painter.settle(smooth_course({{{-58, -16, 306 + wander(3)}, 30},
                                             {{-66, 8, 286}, 32},
                                             {{-64, 34, 256}, 27},
                                             {{-48 + wander(5), 52, 226 + wander(8)}, 23},
                                             {{-22, 56, 220}, 19},
                                             {{8, 44, 230}, 13}})));
  stomach.offset([&](Point p) { return 3.0F * stomach_lumps(p); });
  stomach.restrict_to([&](Point p) { return painter.abdomen(p) + 1.0F; });
  painter.paint_to_volume("stomach", stomach, 13.0F);
}

void paint_liver(Painter& painter, RandomStream& stream) {
  const SmoothNoise lumps(stream, 100, 6);
  const auto wander = [&stream](double mm) { return static_cast<float>(stream.normal(0.0, mm)); };
  DistanceField liver(painter.canvas, 32.0F);
  const float low = wander(5);
  liver.ellipsoid(painter.settle({68, -4, 280}), {66, 84, 56}, frame_along({0.15F, -0.1F, 1}));
  liver.ellipsoid(painter.settle({88, -6, 244 + low}), {36, 66, 46});  // lower right lobe
  liver.ellipsoid(painter.settle({-4 + wander(8), 46, 292}), {76, 46, 32},
                  frame_along({0.22F, -0.3F, 1}));  // left lobe
  liver.offset([&](Point p) { return 4.0F * lumps(p); });
  liver.restrict_to([&](Point p) {
    // Not into the space beside and behind the aorta.
    const float crus =
        painter.frame.spine_y(p.z) + 26.0F - 0.8F * std::max(0.0F, p.x - 12.0F) - p.y;
    return std::max(painter.abdomen(p), crus);
  });
  // Fat parts the liver from pancreas and colon.
  DistanceField neighbors(painter.canvas, 8.0F);
  neighbors.tube(painter.courses.pancreas);
  liver.keep_away(neighbors, 7.0F);
  neighbors.clear();
  neighbors.tube(painter.courses.colon);
  liver.keep_away(neighbors, 4.0F);
  painter.paint_to_volume("liver", liver, 30.0F);
}

}  // namespace guidegen::phantom
