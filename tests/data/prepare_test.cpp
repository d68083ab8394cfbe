#include "guidegen/data/prepare.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <functional>

#include "data/hand_made.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string error_of(ErrorKind kind, const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "no error";
}

/// A trunk of fat on a table, with an air-filled cavity, 48 x 40 x 12 voxels of 4 mm.
Volume trunk_on_table() {
  Volume ct{at::full({1, 12, 40, 48}, -1000.0F), centered_geometry({48, 40, 12}, {4, 4, 4})};
  ct.data.slice(2, 10, 34).slice(3, 8, 40).fill_(-80);    // trunk: y 10…33, x 8…39
  ct.data.slice(2, 16, 26).slice(3, 14, 24).fill_(-900);  // cavity
  ct.data.slice(2, 8, 9).fill_(100);                      // table top, apart by a gap …
  ct.data.slice(2, 9, 10).slice(3, 20, 22).fill_(0);      // … that a thin bridge closes
  return ct;
}

class Prepare : public ::testing::Test {
 protected:
  Prepare()
      : folder_(fs::path(::testing::TempDir()) /
                ("guidegen_prepare_" +
                 std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~Prepare() override { fs::remove_all(folder_); }

  PairFiles write(const Volume& ct, const Volume& labels) const {
    write_ct(folder_ / "ct.nii.gz", ct);
    write_mask(folder_ / "labels.nii.gz", labels);
    return {"one", folder_ / "ct.nii.gz", folder_ / "labels.nii.gz"};
  }
  static Volume labels_like(const Volume& ct) {
    return {at::zeros_like(ct.data, at::kByte), ct.geometry};
  }
  static int64_t count(const Volume& mask, int label) {
    return mask.data.eq(label).sum().item<int64_t>();
  }

  fs::path folder_;
  Vocabulary vocabulary_ = Vocabulary::load("torso");
};

TEST_F(Prepare, EnvelopeIsTheTrunkWithItsCavityAndWithoutTheTable) {
  const at::Tensor envelope = body_envelope(trunk_on_table());
  at::Tensor expected = at::zeros({12, 40, 48}, at::kBool);
  expected.slice(1, 10, 34).slice(2, 8, 40).fill_(true);
  EXPECT_TRUE(envelope.equal(expected))
      << envelope.logical_xor(expected).sum().item<int64_t>() << " voxels differ";
}

TEST_F(Prepare, EnvelopeOfAirIsEmpty) {
  Volume air = trunk_on_table();
  air.data.fill_(-1000);
  EXPECT_EQ(body_envelope(air).sum().item<int64_t>(), 0);
}

TEST_F(Prepare, MappedOrgansKeepTheirCountsAndTheRestOfTheBodyIsBody) {
  const Volume ct = trunk_on_table();
  Volume labels = labels_like(ct);
  labels.data.slice(1, 2, 5).slice(2, 28, 32).slice(3, 30, 35).fill_(5);  // liver
  labels.data.slice(1, 6, 8).slice(2, 28, 30).slice(3, 10, 13).fill_(1);  // spleen
  labels.data.slice(2, 11, 13).slice(3, 20, 22).fill_(27);                // vertebra L5
  labels.data.slice(2, 13, 14).slice(3, 20, 22).fill_(28);                // vertebra L4
  const PreparedCase prepared =
      prepare_pair(write(ct, labels), vocabulary_, {"totalsegmentator_v2", {}, {}});
  EXPECT_EQ(count(prepared.mask, vocabulary_.id("liver")), 3 * 4 * 5);
  EXPECT_EQ(count(prepared.mask, vocabulary_.id("spleen")), 2 * 2 * 3);
  EXPECT_EQ(count(prepared.mask, vocabulary_.id("spine")), 12 * 3 * 2);
  const int64_t organs = 60 + 12 + 72;
  EXPECT_EQ(count(prepared.mask, vocabulary_.body()), 12 * 24 * 32 - organs);
  EXPECT_EQ(count(prepared.mask, vocabulary_.background()), 12 * 40 * 48 - 12 * 24 * 32);
  EXPECT_TRUE(prepared.ct.data.equal(ct.data));
  EXPECT_EQ(prepared.prompt.id, "one");
  EXPECT_FALSE(prepared.prompt.tumors.has_value()) << "TotalSegmentator does not label tumors";
  EXPECT_FALSE(prepared.prompt.sex.has_value());
}

TEST_F(Prepare, AProstateTellsTheSex) {
  const Volume ct = trunk_on_table();
  Volume labels = labels_like(ct);
  labels.data.slice(1, 2, 8).slice(2, 28, 32).slice(3, 30, 35).fill_(22);
  const PreparedCase prepared =
      prepare_pair(write(ct, labels), vocabulary_, {"totalsegmentator_v2", {}, {}});
  EXPECT_EQ(prepared.prompt.sex, Sex::kMale);
}

TEST_F(Prepare, KidneysLabeledAsAWholeArePartedAndTumorsFound) {
  const Volume ct = trunk_on_table();
  Volume labels = labels_like(ct);
  labels.data.slice(1, 2, 9).slice(2, 28, 33).slice(3, 10, 15).fill_(1);
  labels.data.slice(1, 2, 9).slice(2, 28, 33).slice(3, 32, 37).fill_(1);
  labels.data.slice(1, 4, 6).slice(2, 30, 32).slice(3, 33, 36).fill_(2);
  const PreparedCase prepared = prepare_pair(write(ct, labels), vocabulary_, {"kits", {}, {}});
  EXPECT_EQ(count(prepared.mask, vocabulary_.id("kidney_left")), 7 * 5 * 5);
  EXPECT_EQ(count(prepared.mask, vocabulary_.id("kidney_right")), 7 * 5 * 5 - 12);
  ASSERT_EQ(prepared.prompt.tumors->size(), 1U);
  EXPECT_EQ(prepared.prompt.tumors->front().position, TumorPosition::kKidneyRight);
  EXPECT_EQ(prepared.prompt.tumors->front().count, 1);
}

TEST_F(Prepare, AKidneyGoesToOneSideAsAWhole) {
  const Volume ct = trunk_on_table();
  Volume labels = labels_like(ct);
  labels.data.slice(1, 2, 9).slice(2, 28, 33).slice(3, 18, 26).fill_(1);  // a quarter across
  const PreparedCase prepared = prepare_pair(write(ct, labels), vocabulary_, {"kits", {}, {}});
  const int64_t left = count(prepared.mask, vocabulary_.id("kidney_left"));
  const int64_t right = count(prepared.mask, vocabulary_.id("kidney_right"));
  EXPECT_EQ(std::max(left, right), 7 * 5 * 8);
  EXPECT_EQ(std::min(left, right), 0);
}

TEST_F(Prepare, SpacingAndSizeAreApplied) {
  const Volume ct = trunk_on_table();
  PrepareOptions options{"totalsegmentator_v2", Vec3{8, 8, 8}, std::array<int64_t, 3>{32, 16, 16}};
  const PreparedCase prepared = prepare_pair(write(ct, labels_like(ct)), vocabulary_, options);
  EXPECT_EQ(prepared.mask.geometry.size, (std::array<int64_t, 3>{32, 16, 16}));
  EXPECT_EQ(prepared.ct.geometry.spacing, (Vec3{8, 8, 8}));
  EXPECT_TRUE(same_geometry(prepared.mask.geometry, prepared.ct.geometry));
}

TEST_F(Prepare, UnknownLabelValueIsRefusedNamingValueAndFile) {
  const Volume ct = trunk_on_table();
  Volume labels = labels_like(ct);
  labels.data[0][3][20][20] = 201;
  const PairFiles files = write(ct, labels);
  const std::string message = error_of(ErrorKind::kFailure, [&] {
    prepare_pair(files, vocabulary_, {"totalsegmentator_v2", {}, {}});
  });
  EXPECT_THAT(message, HasSubstr("labels.nii.gz: label value 201 (1 voxels)"));
}

TEST_F(Prepare, DifferingGridsAreRefusedNamingTheDifference) {
  const Volume ct = trunk_on_table();
  const auto message_for = [&](const Volume& labels) {
    const PairFiles files = write(ct, labels);
    return error_of(ErrorKind::kFailure, [&] {
      prepare_pair(files, vocabulary_, {"totalsegmentator_v2", {}, {}});
    });
  };
  Volume labels = labels_like(ct);
  labels.geometry.spacing[2] = 5;
  EXPECT_THAT(message_for(labels), HasSubstr("spacing [4, 4, 5] mm against [4, 4, 4] mm"));
  labels = labels_like(ct);
  labels.geometry.origin[0] += 2;
  EXPECT_THAT(message_for(labels), HasSubstr("origin"));
  labels = {at::zeros({1, 11, 40, 48}, at::kByte), centered_geometry({48, 40, 11}, {4, 4, 4})};
  EXPECT_THAT(message_for(labels), HasSubstr("size [48, 40, 11] against [48, 40, 12]"));
}

TEST_F(Prepare, UnknownMappingIsRefused) {
  const Volume ct = trunk_on_table();
  const PairFiles files = write(ct, labels_like(ct));
  EXPECT_THAT(error_of(ErrorKind::kUsage,
                       [&] {
                         prepare_pair(files, vocabulary_, {"totalsegmentator", {}, {}});
                       }),
              HasSubstr("totalsegmentator"));
}

TEST_F(Prepare, FoldersArePairedByName) {
  const auto touch = [&](const char* name) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << "x";
  };
  touch("ct/a_0000.nii.gz");
  touch("ct/b.nii");
  touch("labels/a.nii.gz");
  touch("labels/b.nii.gz");
  const auto pairs = find_pairs(folder_ / "ct", folder_ / "labels");
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs[0].id, "a");
  EXPECT_EQ(pairs[0].ct, folder_ / "ct/a_0000.nii.gz");
  EXPECT_EQ(pairs[1].labels, folder_ / "labels/b.nii.gz");
  EXPECT_EQ(find_pairs(folder_ / "ct/b.nii", folder_ / "labels/b.nii.gz", "p1")[0].id, "p1");
  touch("labels/c.nii.gz");
  const auto failing = [&](const fs::path& ct, const fs::path& labels,
                           std::optional<std::string> id = {}) {
    return error_of(ErrorKind::kUsage, [&] { find_pairs(ct, labels, id); });
  };
  EXPECT_THAT(failing(folder_ / "ct", folder_ / "labels"), HasSubstr("c.nii.gz: no CT"));
  EXPECT_THAT(failing(folder_ / "ct", folder_ / "labels/a.nii.gz"), HasSubstr("two files"));
  EXPECT_THAT(failing(folder_ / "none", folder_ / "labels"), HasSubstr("no such"));
  EXPECT_THAT(failing(folder_ / "ct/b.nii", folder_ / "labels/b.nii.gz", "../x"),
              HasSubstr("--id"));
}

}  // namespace
}  // namespace guidegen
