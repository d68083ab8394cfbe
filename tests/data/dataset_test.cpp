#include "guidegen/data/dataset.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <functional>

#include "data/hand_made.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DatasetTest : public ::testing::Test {
 protected:
  DatasetTest()
      : root_(fs::path(::testing::TempDir()) /
              ("guidegen_dataset_" +
               std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()))) {
    fs::remove_all(root_);
  }
  ~DatasetTest() override { fs::remove_all(root_); }

  static Volume small_mask(int label) {
    const ImageGeometry geometry = centered_geometry({5, 4, 3}, {2, 3, 4});
    return {at::full({1, 3, 4, 5}, label, at::kByte), geometry};
  }
  static Volume small_ct(float hu) {
    return {at::full({1, 3, 4, 5}, hu), centered_geometry({5, 4, 3}, {2, 3, 4})};
  }
  static Prompt prompt(const std::string& id, int age) {
    Prompt result;
    result.id = id;
    result.age = age;
    return result;
  }
  static std::string error_of(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  void write_two() {
    DatasetWriter writer(root_, vocabulary_);
    writer.add(prompt("b", 40), small_mask(3), small_ct(-50));
    writer.add(prompt("a", 30), small_mask(29), small_ct(1500));
    writer.finish();
  }

  fs::path root_;
  Vocabulary vocabulary_ = Vocabulary::load("torso");
};

TEST_F(DatasetTest, ComesBackAsWritten) {
  write_two();
  const Dataset dataset = Dataset::open(root_);
  ASSERT_EQ(dataset.size(), 2U);
  EXPECT_EQ(dataset.cases()[0].prompt, prompt("a", 30));
  EXPECT_EQ(dataset.cases()[1].prompt, prompt("b", 40));
  EXPECT_EQ(dataset.vocabulary().size(), vocabulary_.size());
  EXPECT_THAT(dataset.spacing_mm().value(), ElementsAre(2, 3, 4));
  EXPECT_THAT(dataset.grid_size().value(), ElementsAre(5, 4, 3));
  const CaseImages images = dataset.read_case(0);
  EXPECT_TRUE(images.mask.data.equal(small_mask(29).data));
  EXPECT_TRUE(images.ct.data.equal(small_ct(1500).data));
}

TEST_F(DatasetTest, WritingGoesOnWhereItStopped) {
  {
    DatasetWriter writer(root_, vocabulary_);
    writer.add(prompt("a", 30), small_mask(1), small_ct(0));
  }  // stopped before finish
  DatasetWriter writer(root_, vocabulary_);
  EXPECT_TRUE(writer.has_case("a"));
  EXPECT_FALSE(writer.has_case("b"));
  writer.add(prompt("b", 31), small_mask(2), small_ct(0));
  writer.finish();
  EXPECT_EQ(Dataset::open(root_).size(), 2U);
}

TEST_F(DatasetTest, BadCasesLeaveNothingBehind) {
  DatasetWriter writer(root_, vocabulary_);
  EXPECT_THAT(error_of([&] { writer.add(prompt("../x", 1), small_mask(1), small_ct(0)); }),
              HasSubstr("id"));
  EXPECT_THAT(error_of([&] { writer.add(prompt("x", 1), small_mask(30), small_ct(0)); }),
              HasSubstr("mask value 30"));
  Volume moved = small_ct(0);
  moved.geometry.origin[1] += 1;
  EXPECT_THAT(error_of([&] { writer.add(prompt("x", 1), small_mask(1), moved); }),
              HasSubstr("grids"));
  EXPECT_TRUE(fs::is_empty(root_));
  EXPECT_THAT(error_of([&] { writer.finish(); }), HasSubstr("no complete case"));
}

TEST_F(DatasetTest, ForeignFoldersAreNotWrittenTo) {
  fs::create_directories(root_);
  std::ofstream(root_ / "thesis.tex") << "x";
  EXPECT_THAT(error_of([&] { DatasetWriter writer(root_, vocabulary_); }), HasSubstr("thesis.tex"));
}

TEST_F(DatasetTest, MalformedDataSetsAreRefused) {
  EXPECT_THAT(error_of([&] { Dataset::open(root_); }), HasSubstr("no such folder"));
  fs::create_directories(root_);
  EXPECT_THAT(error_of([&] { Dataset::open(root_); }), HasSubstr("dataset.json"));
  write_two();
  const Json good = read_json_file(root_ / "dataset.json");
  const auto with = [&](const std::string& key, const Json& value) {
    Json changed = good;
    changed[key] = value;
    write_file_atomic(root_ / "dataset.json", dump_json(changed));
    return error_of([&] { Dataset::open(root_); });
  };
  EXPECT_THAT(with("format", "other"), HasSubstr("format"));
  EXPECT_THAT(with("version", 2), HasSubstr("version"));
  EXPECT_THAT(with("cases", Json::array()), HasSubstr("cases"));
  EXPECT_THAT(with("cases", {"a", "../b"}), HasSubstr("cases[1]"));
  EXPECT_THAT(with("cases", {"a", "gone"}), HasSubstr("gone"));
  EXPECT_THAT(with("size", {1, 2}), HasSubstr("size"));
  EXPECT_THAT(with("colour", 1), HasSubstr("colour"));
  write_file_atomic(root_ / "dataset.json", dump_json(good));
  fs::remove(root_ / "a" / "ct.nii.gz");
  EXPECT_THAT(error_of([&] { Dataset::open(root_); }), HasSubstr("ct.nii.gz: missing"));
}

TEST(DatasetSplit, DependsOnTheIdAloneAndKeepsTheShare) {
  int validation = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::string id = "case-" + std::to_string(i);
    EXPECT_EQ(is_validation_case(id, 0.1), is_validation_case(id, 0.1));
    if (is_validation_case(id, 0.1)) {
      ++validation;
      EXPECT_TRUE(is_validation_case(id, 0.2)) << "a larger share keeps the smaller one's cases";
    }
    EXPECT_FALSE(is_validation_case(id, 0));
    EXPECT_TRUE(is_validation_case(id, 1));
    EXPECT_EQ(is_validation_case(id + "-without-tumors", 0.1), is_validation_case(id, 0.1));
  }
  EXPECT_NEAR(validation, 400, 80);  // four standard deviations
}

}  // namespace
}  // namespace guidegen
