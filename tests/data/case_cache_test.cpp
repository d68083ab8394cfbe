#include "guidegen/data/case_cache.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "data/hand_made.hpp"
#include "data/small_dataset.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/nn/one_thread.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Every member but `mapped`.
void expect_same(const TrainingCase& a, const TrainingCase& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.prompt, b.prompt);
  EXPECT_TRUE(same_geometry(a.geometry, b.geometry, 0));
  EXPECT_EQ(a.mask.scalar_type(), b.mask.scalar_type());
  EXPECT_TRUE(a.mask.equal(b.mask));
  ASSERT_EQ(a.ct.defined(), b.ct.defined());
  if (a.ct.defined()) {
    EXPECT_TRUE(a.ct.equal(b.ct));
  }
  ASSERT_EQ(a.tumors.size(), b.tumors.size());
  for (size_t i = 0; i < a.tumors.size(); ++i) {
    const FoundTumor& x = a.tumors[i];
    const FoundTumor& y = b.tumors[i];
    EXPECT_EQ(x.organ, y.organ);
    EXPECT_EQ(x.position, y.position);
    EXPECT_EQ(x.component.voxels, y.component.voxels);
    EXPECT_EQ(x.component.volume_ml, y.component.volume_ml);
    EXPECT_EQ(x.component.diameter_mm, y.component.diameter_mm);
    EXPECT_EQ(x.component.centroid_index, y.component.centroid_index);
    EXPECT_EQ(x.component.centroid_mm, y.component.centroid_mm);
    EXPECT_EQ(x.component.bounds, y.component.bounds);
  }
}

std::string warnings_of(const std::function<void()>& work) {
  ::testing::internal::CaptureStderr();
  work();
  return ::testing::internal::GetCapturedStderr();
}

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

class CaseCacheTest : public ::testing::Test {
 protected:
  std::string bytes() const { return read_file(cache_.path_of(0, true)); }
  void damage(const std::function<void(std::string&)>& change) const {
    std::string changed = bytes();
    change(changed);
    write_file_atomic(cache_.path_of(0, true), changed);
  }

  TemporaryFolder folder_;
  Dataset dataset_ = write_small_dataset(folder_ / "data", 3);
  CaseCache cache_{dataset_, folder_ / "cache"};
};

TEST_F(CaseCacheTest, GivesWhatDecodingGives) {
  for (const bool with_ct : {false, true}) {
    const auto fresh = load_training_case(dataset_, 1, with_ct);
    EXPECT_FALSE(fresh->mapped);
    ASSERT_EQ(fresh->tumors.size(), 1U);
    for (int time = 0; time < 2; ++time) {
      const auto cached = cache_.load(1, with_ct);
      EXPECT_TRUE(cached->mapped);
      expect_same(*cached, *fresh);
    }
  }
}

TEST_F(CaseCacheTest, LaterRunsNeedTheImagesNoMore) {
  const auto before = cache_.load(0, true);
  const fs::path path = dataset_.cases()[0].mask_path();
  const std::string original = read_file(path);
  // Same size, time and last bytes, but no image: decoding it would fail.
  const auto time = fs::last_write_time(path);
  std::string spoiled = original;
  std::fill(spoiled.begin(), spoiled.end() - 8, 'x');
  write_file_atomic(path, spoiled);
  fs::last_write_time(path, time);
  EXPECT_THROW(load_training_case(dataset_, 0, true), Error);
  expect_same(*CaseCache(dataset_, folder_ / "cache").load(0, true), *before);
}

TEST_F(CaseCacheTest, AFileWithBothServesMaskAlone) {
  cache_.load(0, true);
  const auto files = [&] {
    return std::distance(fs::directory_iterator(folder_ / "cache"), fs::directory_iterator());
  };
  EXPECT_EQ(files(), 1);
  const auto alone = cache_.load(0, false);
  EXPECT_TRUE(alone->mapped);
  EXPECT_FALSE(alone->ct.defined());
  EXPECT_EQ(files(), 1);
}

TEST_F(CaseCacheTest, AChangedCaseIsDecodedAnew) {
  const auto old = cache_.load(0, true);
  Volume mask = dataset_.read_case_mask(0);
  Volume ct = dataset_.read_case_ct(0);
  const auto time = fs::last_write_time(dataset_.cases()[0].mask_path());
  mask.data.masked_fill_(mask.data.eq(dataset_.vocabulary().tumor()), dataset_.vocabulary().body());
  write_case_files(dataset_.cases()[0].folder, dataset_.cases()[0].prompt, mask, &ct);
  // The checksum in the .gz tells even when the time was set back.
  fs::last_write_time(dataset_.cases()[0].mask_path(), time);
  const auto changed = cache_.load(0, true);
  EXPECT_TRUE(changed->tumors.empty());
  expect_same(*changed, *load_training_case(dataset_, 0, true));
  EXPECT_EQ(old->tumors.size(), 1U) << "a case in use stays as it was";
  EXPECT_TRUE(old->mask.eq(dataset_.vocabulary().tumor()).any().item<bool>());
}

TEST_F(CaseCacheTest, AnotherVocabularyHasOtherFiles) {
  Json index = read_json_file(folder_ / "data" / "dataset.json");
  index["vocabulary"]["labels"].back()["display"] = "another word";
  write_file_atomic(folder_ / "data" / "dataset.json", dump_json(index));
  const Dataset other = Dataset::open(folder_ / "data");
  EXPECT_NE(CaseCache(other, folder_ / "cache").path_of(0, true), cache_.path_of(0, true));
  EXPECT_NE(cache_.path_of(1, true), cache_.path_of(0, true));
}

TEST_F(CaseCacheTest, DamageIsSeenAndMendedWithOneWarning) {
  const auto fresh = load_training_case(dataset_, 0, true);
  cache_.load(0, true);
  const std::string good = bytes();
  const size_t size = good.size();
  ASSERT_EQ(size % 64, 0U);
  const auto flip = [](size_t at) {
    return [at](std::string& text) { text[at] = static_cast<char>(text[at] ^ 16); };
  };
  const std::vector<std::function<void(std::string&)>> changes{
      flip(0),                            // magic
      flip(8),                            // version
      flip(13),                           // length of the head
      flip(20),                           // checksum of the head
      flip(70),                           // head
      flip(size - 1),                     // CT
      flip(size - 16 * 16 * 16 * 2 - 1),  // mask
      [](std::string& text) { text.resize(text.size() - 1); },
      [](std::string& text) { text.resize(300); },
      [](std::string& text) { text.resize(30); },
      [](std::string& text) { text.clear(); },
      [](std::string& text) { text += '\0'; },
      [](std::string& text) { text = "foreign"; },
      [](std::string& text) { std::fill(text.begin(), text.end(), '\0'); }};
  for (size_t i = 0; i < changes.size(); ++i) {
    SCOPED_TRACE(i);
    damage(changes[i]);
    CaseCache cache(dataset_, folder_ / "cache");
    std::shared_ptr<const TrainingCase> mended;
    const std::string warnings = warnings_of([&] { mended = cache.load(0, true); });
    EXPECT_EQ(count_of(warnings, "warning:"), 1U) << warnings;
    EXPECT_THAT(warnings, AllOf(HasSubstr(".case"), HasSubstr("made anew")));
    EXPECT_TRUE(mended->mapped);
    expect_same(*mended, *fresh);
    EXPECT_EQ(bytes(), good);
    EXPECT_THAT(warnings_of([&] { cache.load(0, true); }), IsEmpty());
  }
}

TEST_F(CaseCacheTest, AFileUnderTheKeyOfAnotherCaseIsNotBelieved) {
  cache_.load(1, true);
  fs::copy_file(cache_.path_of(1, true), cache_.path_of(0, true));
  std::shared_ptr<const TrainingCase> item;
  EXPECT_THAT(warnings_of([&] { item = cache_.load(0, true); }), HasSubstr("another case"));
  expect_same(*item, *load_training_case(dataset_, 0, true));
}

TEST_F(CaseCacheTest, ThreadsMayRace) {
  std::vector<std::shared_ptr<const TrainingCase>> items(8);
  std::vector<std::thread> threads;
  for (auto& item : items) threads.emplace_back([&] { item = cache_.load(2, true); });
  for (auto& thread : threads) thread.join();
  const auto fresh = load_training_case(dataset_, 2, true);
  for (const auto& item : items) expect_same(*item, *fresh);
}

TEST_F(CaseCacheTest, ProcessesMayRace) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      use_one_thread();  // OpenMP's threads do not live on in a fork
      bool good = true;
      for (size_t index = 0; index < 3; ++index) good &= cache_.load(index, true)->mapped;
      ::_exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  const std::string warnings = warnings_of([&] {
    for (size_t i = 0; i < 3; ++i) {
      expect_same(*cache_.load(i, true), *load_training_case(dataset_, i, true));
    }
  });
  EXPECT_THAT(warnings, IsEmpty());
  for (const auto& file : fs::directory_iterator(folder_ / "cache")) {
    EXPECT_EQ(file.path().extension(), ".case") << "nothing temporary is left";
  }
}

TEST_F(CaseCacheTest, AFolderThatCannotBeWrittenIsDoneWithout) {
  // Nobody, root included, can make files in /proc.
  for (const fs::path& folder : {fs::path("/proc/guidegen"), fs::path("/proc/self")}) {
    const std::string warnings = warnings_of([&] {
      CaseCache cache(dataset_, folder);
      for (size_t i = 0; i < 3; ++i) {
        const auto item = cache.load(i, true);
        EXPECT_FALSE(item->mapped);
        expect_same(*item, *load_training_case(dataset_, i, true));
      }
    });
    EXPECT_EQ(count_of(warnings, "warning:"), 1U) << warnings;
    EXPECT_THAT(warnings, HasSubstr(folder.string()));
  }
}

TEST_F(CaseCacheTest, AFullDiskIsDoneWithout) {
  cache_.load(0, true);
  // A limit on the size of files makes writing fail half-way, as a full disk does.
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit tight = before;
  tight.rlim_cur = 8000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  std::vector<std::shared_ptr<const TrainingCase>> items;
  ::testing::internal::CaptureStderr();
  for (size_t i = 0; i < 3; ++i) items.push_back(cache_.load(i, true));
  const std::string warnings = ::testing::internal::GetCapturedStderr();
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(count_of(warnings, "warning:"), 1U) << warnings;
  EXPECT_THAT(warnings, HasSubstr("no more decoded cases are cached"));
  EXPECT_TRUE(items[0]->mapped) << "what is there is still used";
  for (size_t i = 0; i < 3; ++i) expect_same(*items[i], *load_training_case(dataset_, i, true));
  const auto files =
      std::distance(fs::directory_iterator(folder_ / "cache"), fs::directory_iterator());
  EXPECT_EQ(files, 1) << "no half-written file is left";
}

TEST_F(CaseCacheTest, AFileInPlaceOfTheFolderIsAMistake) {
  write_file_atomic(folder_ / "file", "x");
  EXPECT_THAT([&] { CaseCache(dataset_, folder_ / "file"); },
              throws_usage(HasSubstr("expected a folder")));
}

TEST_F(CaseCacheTest, WhatKilledProcessesLeftGoesAfterADay) {
  write_file_atomic(folder_ / "cache/.guidegen-1-1.tmp", "x");
  write_file_atomic(folder_ / "cache/.guidegen-1-2.tmp", "x");
  fs::last_write_time(folder_ / "cache/.guidegen-1-1.tmp",
                      fs::file_time_type::clock::now() - std::chrono::hours(25));
  const CaseCache other(dataset_, folder_ / "cache");
  EXPECT_FALSE(fs::exists(folder_ / "cache/.guidegen-1-1.tmp"));
  EXPECT_TRUE(fs::exists(folder_ / "cache/.guidegen-1-2.tmp")) << "somebody may be writing it";
}

TEST_F(CaseCacheTest, MissingImagesAreNamed) {
  fs::remove(dataset_.cases()[1].ct_path());
  EXPECT_THAT([&] { cache_.load(1, true); }, throws_failure(HasSubstr("case-1/ct.nii.gz")));
}

}  // namespace
}  // namespace guidegen
