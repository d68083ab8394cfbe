#include "guidegen/data/phantom.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "guidegen/anatomy/organ_facts.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/data/tumor_census.hpp"
#include "guidegen/volume/components.hpp"

namespace guidegen {
namespace {

using ::testing::Ge;
using ::testing::Gt;
using ::testing::Le;
using ::testing::Lt;

const Vocabulary& torso() {
  static const Vocabulary vocabulary = Vocabulary::load("torso");
  return vocabulary;
}

PhantomRequest request_for(uint64_t seed) {
  PhantomRequest request;
  request.seed = seed;
  request.geometry = centered_geometry({64, 64, 80}, {6, 6, 6});
  return request;
}

TumorRequest ask(TumorPosition position, int count, double size_mm) {
  TumorRequest tumor;
  tumor.organ = organ_of(position);
  tumor.position = position;
  tumor.count = count;
  tumor.size_mm = size_mm;
  return tumor;
}

std::vector<int64_t> label_counts(const Volume& mask) {
  std::vector<int64_t> counts(static_cast<size_t>(torso().size()), 0);
  const auto* values = mask.data.data_ptr<uint8_t>();
  for (int64_t i = 0; i < mask.data.numel(); ++i) ++counts.at(values[i]);
  return counts;
}

/// Labels in the six neighbors of a component's voxels, tumor, body and background left out.
std::map<std::string, int64_t> neighbors_of_tumors(const Volume& mask) {
  std::map<std::string, int64_t> found;
  const at::Tensor data = mask.data[0];
  const auto v = data.accessor<uint8_t, 3>();
  for (int64_t z = 1; z + 1 < data.size(0); ++z) {
    for (int64_t y = 1; y + 1 < data.size(1); ++y) {
      for (int64_t x = 1; x + 1 < data.size(2); ++x) {
        if (v[z][y][x] != torso().tumor()) continue;
        for (const int n : {v[z - 1][y][x], v[z + 1][y][x], v[z][y - 1][x], v[z][y + 1][x],
                            v[z][y][x - 1], v[z][y][x + 1]}) {
          if (n > torso().body() && n != torso().tumor()) ++found[torso().label(n).name];
        }
      }
    }
  }
  return found;
}

TEST(Phantom, HoldsEveryOrganForBothSexesOverManySeeds) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    PhantomRequest request = request_for(seed);
    request.wish.sex = seed % 2 == 0 ? Sex::kFemale : Sex::kMale;
    request.wish.tumors = std::vector<TumorRequest>{};
    const Phantom phantom = make_phantom(request, torso());
    const std::vector<int64_t> counts = label_counts(phantom.mask);
    for (const LabelInfo& label : torso().labels()) {
      const int64_t count = counts[static_cast<size_t>(label.id)];
      if (label.id == torso().tumor()) {
        EXPECT_EQ(count, 0) << "seed " << seed;
      } else {
        EXPECT_THAT(count, Ge(3)) << label.name << ", seed " << seed;
      }
    }
  }
}

TEST(Phantom, OrganVolumesFollowPublishedMeans) {
  constexpr int kPatients = 20;
  const std::vector<std::string> organs = {"spleen",
                                           "kidney_right",
                                           "kidney_left",
                                           "liver",
                                           "stomach",
                                           "pancreas",
                                           "heart",
                                           "lung_upper_left",
                                           "lung_lower_left",
                                           "lung_upper_right",
                                           "lung_lower_right",
                                           "small_bowel",
                                           "colon",
                                           "aorta"};
  for (const Sex sex : {Sex::kFemale, Sex::kMale}) {
    std::vector<double> sums(static_cast<size_t>(torso().size()), 0.0);
    std::vector<double> squares(sums.size(), 0.0);
    for (uint64_t seed = 0; seed < kPatients; ++seed) {
      PhantomRequest request = request_for(1000 + seed);
      request.wish.sex = sex;
      request.wish.tumors = std::vector<TumorRequest>{};
      const std::vector<int64_t> counts = label_counts(make_phantom(request, torso()).mask);
      for (size_t i = 0; i < counts.size(); ++i) {
        const double ml = static_cast<double>(counts[i]) * request.geometry.voxel_ml();
        sums[i] += ml;
        squares[i] += ml * ml;
      }
    }
    for (const std::string& organ : organs) {
      const auto id = static_cast<size_t>(torso().id(organ));
      const OrganFacts& facts = organ_facts(organ);
      const double mean = sums[id] / kPatients;
      const double published = sex == Sex::kMale ? facts.volume_ml_male : facts.volume_ml_female;
      const double deviation = std::sqrt(std::max(0.0, squares[id] / kPatients - mean * mean));
      EXPECT_NEAR(mean, published, 0.25 * published) << organ << ", " << name_of(sex);
      EXPECT_THAT(deviation, Gt(0.25 * facts.volume_spread * mean)) << organ;
      EXPECT_THAT(deviation, Lt(2.0 * facts.volume_spread * mean)) << organ;
    }
  }
}

TEST(Phantom, IsDeterministicInItsRequest) {
  const Phantom a = make_phantom(request_for(7), torso());
  const Phantom b = make_phantom(request_for(7), torso());
  EXPECT_TRUE(at::equal(a.mask.data, b.mask.data));
  EXPECT_TRUE(at::equal(a.ct.data, b.ct.data));
  EXPECT_EQ(to_json(a.prompt), to_json(b.prompt));
  PhantomRequest other = request_for(7);
  other.case_id = "another";
  EXPECT_FALSE(at::equal(a.mask.data, make_phantom(other, torso()).mask.data));
}

TEST(Phantom, ShowsTheSamePatientAtAnotherSpacing) {
  PhantomRequest request = request_for(11);
  request.wish.tumors = std::vector<TumorRequest>{};
  const Phantom coarse = make_phantom(request, torso());
  request.geometry = centered_geometry({96, 96, 120}, {4, 4, 4});
  const Phantom fine = make_phantom(request, torso());
  const std::vector<int64_t> a = label_counts(coarse.mask);
  const std::vector<int64_t> b = label_counts(fine.mask);
  for (const char* organ : {"liver", "spleen", "heart", "kidney_left", "lung_lower_right"}) {
    const auto id = static_cast<size_t>(torso().id(organ));
    const double ml = static_cast<double>(a[id]) * coarse.mask.geometry.voxel_ml();
    EXPECT_NEAR(static_cast<double>(b[id]) * fine.mask.geometry.voxel_ml(), ml, 0.06 * ml) << organ;
  }
}

TEST(Phantom, HasRightAndLeftFrontAndBackTheRightWayRound) {
  const Phantom phantom = make_phantom(request_for(3), torso());
  std::map<std::string, Vec3> centers;
  for (const LabelInfo& label : torso().labels()) {
    const std::vector<Component> parts = find_components(phantom.mask, label.id);
    if (!parts.empty()) centers[label.name] = parts.front().centroid_mm;
  }
  // RAS: x grows to the right, y to the front, z upwards.
  EXPECT_THAT(centers["liver"][0], Gt(centers["stomach"][0]));
  EXPECT_THAT(centers["kidney_right"][0], Gt(centers["kidney_left"][0]));
  EXPECT_THAT(centers["lung_lower_right"][0], Gt(centers["heart"][0]));
  EXPECT_THAT(centers["spine"][1], Lt(centers["bladder"][1]));
  EXPECT_THAT(centers["trachea"][2], Gt(centers["heart"][2]));
  EXPECT_THAT(centers["heart"][2], Gt(centers["liver"][2]));
  EXPECT_THAT(centers["liver"][2], Gt(centers["bladder"][2]));
}

TEST(Phantom, HonorsEveryTumorPosition) {
  const std::map<TumorOrgan, std::string> hosts = {{TumorOrgan::kLung, "lung"},
                                                   {TumorOrgan::kLiver, "liver"},
                                                   {TumorOrgan::kKidney, "kidney"},
                                                   {TumorOrgan::kColon, "colon"},
                                                   {TumorOrgan::kPancreas, "pancreas"}};
  for (int p = 0; p < kTumorPositionCount; ++p) {
    const auto position = static_cast<TumorPosition>(p);
    PhantomRequest request = request_for(200 + static_cast<uint64_t>(p));
    const double size = organ_of(position) == TumorOrgan::kPancreas ? 22 : 30;
    request.wish.tumors = {ask(position, 1, size)};
    const Phantom phantom = make_phantom(request, torso());
    ASSERT_EQ(phantom.prompt.tumors->size(), 1U) << name_of(position);
    const TumorRequest& recorded = phantom.prompt.tumors->front();
    EXPECT_EQ(recorded.position, position);
    EXPECT_EQ(recorded.count, 1);
    EXPECT_NEAR(*recorded.size_mm, size, 0.2 * size) << name_of(position);
    const std::vector<Component> found = find_components(phantom.mask, torso().tumor());
    ASSERT_EQ(found.size(), 1U) << name_of(position);
    EXPECT_NEAR(found.front().diameter_mm, *recorded.size_mm, 0.06);
    int64_t host = 0;
    for (const auto& [name, contacts] : neighbors_of_tumors(phantom.mask)) {
      if (name.starts_with(hosts.at(organ_of(position)))) host += contacts;
    }
    EXPECT_THAT(host, Ge(3)) << name_of(organ_of(position)) << " " << name_of(position);
  }
}

TEST(Phantom, KeepsTumorsApartAndCountsThem) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    PhantomRequest request = request_for(400 + seed);
    request.wish.tumors = {ask(TumorPosition::kLiverRight, 5, 24),
                           ask(TumorPosition::kLungLeftLower, 4, 26),
                           ask(TumorPosition::kLiverRight, 1, 24)};
    const Phantom phantom = make_phantom(request, torso());
    at::Tensor ids;
    const std::vector<Component> found = find_components(phantom.mask, torso().tumor(), &ids);
    int recorded = 0;
    for (const TumorRequest& group : *phantom.prompt.tumors) recorded += *group.count;
    EXPECT_EQ(static_cast<int>(found.size()), recorded) << "seed " << seed;
    EXPECT_THAT(recorded, Ge(8)) << "seed " << seed;
    // Brute force: voxels of two tumors lie more than two and a half voxels apart.
    struct TumorVoxel {
      int64_t x, y, z;
      int tumor;
    };
    std::vector<TumorVoxel> voxels;
    const auto id = ids.accessor<int, 3>();
    for (int64_t z = 0; z < ids.size(0); ++z) {
      for (int64_t y = 0; y < ids.size(1); ++y) {
        for (int64_t x = 0; x < ids.size(2); ++x) {
          if (id[z][y][x] != 0) voxels.push_back({x, y, z, id[z][y][x]});
        }
      }
    }
    int64_t nearest = 1000000;
    for (const TumorVoxel& a : voxels) {
      for (const TumorVoxel& b : voxels) {
        if (a.tumor == b.tumor) continue;
        const int64_t dx = a.x - b.x;
        const int64_t dy = a.y - b.y;
        const int64_t dz = a.z - b.z;
        nearest = std::min(nearest, dx * dx + dy * dy + dz * dz);
      }
    }
    EXPECT_THAT(nearest, Gt(6)) << "seed " << seed;
  }
}

TEST(Phantom, MeasuresWhatFoundNoRoom) {
  PhantomRequest request = request_for(9);
  request.wish.tumors = {ask(TumorPosition::kKidneyLeft, 12, 60)};
  const Phantom phantom = make_phantom(request, torso());
  ASSERT_EQ(phantom.prompt.tumors->size(), 1U);
  const size_t found = find_components(phantom.mask, torso().tumor()).size();
  EXPECT_EQ(static_cast<size_t>(*phantom.prompt.tumors->front().count), found);
  EXPECT_THAT(found, Lt(12U));
}

TEST(Phantom, UsesTheHounsfieldRange) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const Phantom phantom = make_phantom(request_for(seed), torso());
    EXPECT_EQ(phantom.ct.data.min().item<float>(), -1024.0F);
    EXPECT_THAT(phantom.ct.data.max().item<float>(), Gt(1100.0F));
    EXPECT_THAT(phantom.ct.data.max().item<float>(), Le(3071.0F));
    const auto mean_of = [&](const char* organ) {
      return phantom.ct.data.masked_select(phantom.mask.data == torso().id(organ))
          .mean()
          .item<float>();
    };
    EXPECT_THAT(mean_of("lung_lower_left"), Lt(-650.0F));
    EXPECT_THAT(mean_of("liver"), Gt(20.0F));
    EXPECT_THAT(mean_of("liver"), Lt(150.0F));
    EXPECT_THAT(mean_of("bone"), Gt(250.0F));
    EXPECT_THAT(mean_of("background"), Lt(-940.0F));
  }
}

TEST(Phantom, ContrastPhaseBrightensTheAorta) {
  PhantomRequest request = request_for(5);
  std::map<ContrastPhase, float> aorta;
  for (const ContrastPhase phase : {ContrastPhase::kNone, ContrastPhase::kArterial,
                                    ContrastPhase::kPortalVenous, ContrastPhase::kDelayed}) {
    request.wish.contrast = phase;
    const Phantom phantom = make_phantom(request, torso());
    EXPECT_EQ(phantom.prompt.contrast, phase);
    aorta[phase] = phantom.ct.data.masked_select(phantom.mask.data == torso().id("aorta"))
                       .mean()
                       .item<float>();
  }
  EXPECT_THAT(aorta[ContrastPhase::kArterial], Gt(aorta[ContrastPhase::kPortalVenous] + 60.0F));
  EXPECT_THAT(aorta[ContrastPhase::kPortalVenous], Gt(aorta[ContrastPhase::kDelayed]));
  EXPECT_THAT(aorta[ContrastPhase::kDelayed], Gt(aorta[ContrastPhase::kNone] + 20.0F));
}

TEST(Phantom, WritesThePromptThatDescribesIt) {
  PhantomRequest request = request_for(21);
  request.case_id = "case-a";
  request.wish.sex = Sex::kFemale;
  request.wish.age = 71;
  request.wish.race = Race::kAsian;
  const Prompt prompt = make_phantom(request, torso()).prompt;
  EXPECT_EQ(prompt.id, "case-a");
  EXPECT_EQ(prompt.sex, Sex::kFemale);
  EXPECT_EQ(prompt.age, 71);
  EXPECT_EQ(prompt.race, Race::kAsian);
  EXPECT_TRUE(prompt.contrast && prompt.tumors && prompt.spacing_mm && prompt.size);
  EXPECT_EQ(to_json(prompt_from_json(to_json(prompt), "test")), to_json(prompt));
}

TEST(Phantom, AgreesWithTheTumorCensus) {
  int tumors = 0;
  int agree = 0;
  for (int p = 0; p < 3 * kTumorPositionCount; ++p) {
    const auto position = static_cast<TumorPosition>(p % kTumorPositionCount);
    PhantomRequest request = request_for(600 + static_cast<uint64_t>(p));
    TumorRequest tumor;
    tumor.organ = organ_of(position);
    tumor.position = position;
    request.wish.tumors = {tumor};
    const Phantom phantom = make_phantom(request, torso());
    ASSERT_EQ(phantom.prompt.tumors->size(), 1U) << name_of(position);
    const std::vector<FoundTumor> found = find_tumors(phantom.mask, torso());
    EXPECT_EQ(static_cast<int>(found.size()), *phantom.prompt.tumors->front().count);
    for (const FoundTumor& one : found) {
      ++tumors;
      agree += one.organ == organ_of(position) && one.position == position ? 1 : 0;
    }
  }
  EXPECT_THAT(agree, Ge(tumors * 9 / 10)) << "of " << tumors;
}

TEST(Phantom, SizesATumorByItsStage) {
  PhantomRequest request = request_for(33);
  TumorRequest tumor;
  tumor.organ = TumorOrgan::kKidney;
  tumor.position = TumorPosition::kKidneyRight;
  tumor.count = 1;
  tumor.stage = "T1b";
  request.wish.tumors = {tumor};
  const Prompt prompt = make_phantom(request, torso()).prompt;
  ASSERT_EQ(prompt.tumors->size(), 1U);
  EXPECT_THAT(*prompt.tumors->front().size_mm, Gt(40.0));
  EXPECT_THAT(*prompt.tumors->front().size_mm, Le(70.0));
  EXPECT_EQ(prompt.tumors->front().stage, "T1b");
}

TEST(Phantom, DrawsSmallAnisotropicAndCroppedGrids) {
  PhantomRequest request = request_for(2);
  request.geometry = centered_geometry({40, 36, 16}, {8, 9, 12});
  const Phantom cropped = make_phantom(request, torso());
  EXPECT_EQ(cropped.mask.data.sizes(), (std::vector<int64_t>{1, 16, 36, 40}));
  EXPECT_THAT((cropped.mask.data == torso().id("liver")).sum().item<int64_t>(), Gt(100));
}

TEST(Phantom, ImplantsAreMetalInBonesAndChangeNothingElse) {
  int hips = 0, spines = 0;
  for (uint64_t seed = 50; seed < 58; ++seed) {
    PhantomRequest request = request_for(seed);
    const Phantom without = make_phantom(request, torso());
    request.implants = 1;
    const Phantom with = make_phantom(request, torso());
    EXPECT_TRUE(at::equal(with.mask.data, without.mask.data));
    EXPECT_EQ(with.prompt, without.prompt);
    EXPECT_TRUE((with.ct.data >= without.ct.data).all().item<bool>());
    EXPECT_EQ(with.ct.data.max().item<float>(), 3071);
    const auto changed = with.ct.data != without.ct.data;
    // Voxels next to metal, whose blur reaches two voxels, are all that may differ.
    const auto metal = at::max_pool3d((with.ct.data > 2500).to(at::kFloat), 5, 1, 2) > 0;
    EXPECT_THAT((changed & ~metal).sum().item<int64_t>(), Le(changed.sum().item<int64_t>() / 20));
    const auto in = [&](const char* label) {
      // Heads of screws and a joint lie against the bone, so its neighbors count.
      const auto bone = (with.mask.data == torso().id(label)).to(at::kFloat);
      return ((with.ct.data > 2500) & (at::max_pool3d(bone, 3, 1, 1) > 0)).sum().item<int64_t>();
    };
    const auto all = (with.ct.data > 2500).sum().item<int64_t>();
    EXPECT_THAT(all, Gt(20));
    EXPECT_THAT(all, Lt(1500));
    EXPECT_THAT(in("bone") + in("spine"), Gt(all * 3 / 4)) << "seed " << seed;
    ++(in("spine") > in("bone") ? spines : hips);
  }
  EXPECT_THAT(hips, Gt(0));
  EXPECT_THAT(spines, Gt(0));
}

TEST(Phantom, RefusesAGridThatIsNotRas) {
  PhantomRequest request = request_for(2);
  request.geometry.direction[0][0] = -1;
  EXPECT_THROW(make_phantom(request, torso()), Error);
}

}  // namespace
}  // namespace guidegen
