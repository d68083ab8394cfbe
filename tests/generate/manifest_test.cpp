#include "guidegen/generate/manifest.hpp"

#include <gtest/gtest.h>

#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/sha256.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

class ManifestTest : public ::testing::Test {
 protected:
  ManifestTest() {
    for (const std::string& name : kCaseFiles) write_file_atomic(folder("a") / name, name);
  }

  fs::path folder(const std::string& id) const {
    make_directories(scratch_.path() / id);
    return scratch_.path() / id;
  }
  static Recipe recipe() {
    Recipe recipe;
    recipe.prompt_sha256 = sha256_hex("prompt.json");
    recipe.settings = Json::object();
    recipe.gates = Json::object();
    return recipe;
  }
  /// A line about case "a" whose CT was `ct`.
  static std::string line(const std::string& ct, const std::string& dicom = "") {
    Json record = {
        {"id", "a"},
        {"files", {{"mask.nii.gz", sha256_hex("mask.nii.gz")}, {"ct.nii.gz", sha256_hex(ct)}}},
        {"prompt_sha256", recipe().prompt_sha256},
        {"weights", recipe().weights},
        {"settings", recipe().settings},
        {"gate_settings", recipe().gates},
        {"retries", 0}};
    if (!dicom.empty()) record["dicom"] = dicom;
    return record.dump() + "\n";
  }
  void write(int rank, const std::string& text) const {
    write_file_atomic(manifest_path(scratch_.path(), rank), text);
  }

  TemporaryFolder scratch_;
};

TEST_F(ManifestTest, FilesDecideBetweenRecordsOfSeveralProcesses) {
  // Process 1 noted the case and died before its folder appeared; process 0 made it then.
  write(0, line("ct.nii.gz"));
  write(1, line("what another GPU makes"));
  Manifest manifest(scratch_.path());
  manifest.mark_complete("a", recipe());
  const auto written = manifest.write_ordered({"a"});
  ASSERT_EQ(written.size(), 1U);
  EXPECT_EQ(written[0]["files"]["ct.nii.gz"], sha256_hex("ct.nii.gz"));
  EXPECT_EQ(read_file(manifest_path(scratch_.path())), line("ct.nii.gz"));
  EXPECT_FALSE(fs::exists(manifest_path(scratch_.path(), 1)));
}

TEST_F(ManifestTest, CasesThatTheRunIsNotAboutStay) {
  write(0, line("ct.nii.gz"));
  make_directories(folder("b"));
  Manifest manifest(scratch_.path());
  EXPECT_EQ(manifest.write_ordered({"b"}).size(), 1U);
  fs::remove_all(folder("a"));
  EXPECT_TRUE(Manifest(scratch_.path()).write_ordered({"b"}).empty());
}

TEST_F(ManifestTest, DicomFilesBelongToACase) {
  write(0, line("ct.nii.gz", "ct+seg"));
  EXPECT_EQ(Manifest(scratch_.path()).find_verified("a"), nullptr);
  make_directories(folder("a") / "dicom" / "ct");
  EXPECT_EQ(Manifest(scratch_.path()).find_verified("a"), nullptr);
  write_file_atomic(folder("a") / "dicom" / "seg.dcm", "x");
  EXPECT_NE(Manifest(scratch_.path()).find_verified("a"), nullptr);
}

}  // namespace
}  // namespace guidegen
