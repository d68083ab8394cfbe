#pragma once

#include <map>
#include <string>

#include "data/hand_made.hpp"
#include "guidegen/core/random_stream.hpp"

namespace guidegen {

/// A schematic patient with a liver tumor: HU by label, and noise that is the same every time.
struct MadeUpCt {
  Volume mask;
  Volume ct;
};

inline at::Tensor made_up_noise(const at::Tensor& like, const char* purpose) {
  at::Tensor noise = at::empty(like.sizes());
  RandomStream(7, "fidelity", purpose).fill_normal(noise.data_ptr<float>(), noise.numel());
  return noise;
}

inline MadeUpCt made_up_ct(const Vocabulary& vocabulary) {
  MadeUpCt made{schematic_patient(vocabulary), {}};
  // Big enough for patches of noise, which the schematic liver is not.
  draw(made.mask, vocabulary.id("liver"), {42, 32, 46}, {17, 13, 8});
  draw(made.mask, vocabulary.tumor(), {46, 40, 46}, {3, 3, 3});
  const std::map<std::string, float> known = {
      {"background", -1000}, {"body", -80}, {"liver", 100}, {"tumor", 60}};
  const at::Tensor labels = made.mask.data.to(at::kLong);
  at::Tensor hu = at::full({vocabulary.size()}, 40.0F);
  for (const auto& [name, value] : known) hu[vocabulary.id(name)] = value;
  for (const int lobe : vocabulary.group("lung")) hu[lobe] = -800;
  for (const int bone : vocabulary.group("bones")) hu[bone] = 700;
  made.ct = {hu.index({labels}) + 15 * made_up_noise(labels, "ct"), made.mask.geometry};
  made.ct.data[0][0].fill_(1500);  // some metal
  return made;
}

}  // namespace guidegen
