#include "guidegen/generate/pipeline.hpp"

#include <gmock/gmock.h>
#include <sys/file.h>

#include "generate/fake_sampler.hpp"
#include "generate/folder_tree.hpp"
#include "guidegen/core/error.hpp"
#include "guidegen/core/output_folder.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::FakeSampler;
using testing_support::manifest_of;
using testing_support::prompt_named;
using testing_support::tree_of;
using testing_support::tumor_in;

class Pipeline : public testing::Test {
 protected:
  Pipeline() {
    options_.out = scratch_.path() / "out";
    options_.gates = testing_support::fake_gates();
    Prompt kidney = prompt_named("kidney", 11);
    kidney.tumors = {{tumor_in(TumorOrgan::kKidney, TumorPosition::kKidneyLeft, 1)}};
    Prompt open = prompt_named("open", 12);
    open.samples = 2;
    prompts_ = {kidney, open};
  }
  GenerateSummary run(const CaseSelection& selection = {}) {
    return run(plan_cases(prompts_, selection, "p.json"));
  }
  GenerateSummary run(const std::vector<PlannedCase>& plan) {
    Crew alone;
    return run_generate(plan, sampler_, options_, alone);
  }
  std::string refusal() {
    try {
      run();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      return error.what();
    }
    return "";
  }
  std::vector<std::string> manifest_ids() {
    std::vector<std::string> ids;
    for (const Json& record : manifest_of(options_.out)) ids.push_back(record["id"]);
    return ids;
  }

  TemporaryFolder scratch_;
  GenerateOptions options_;
  std::vector<Prompt> prompts_;
  FakeSampler sampler_;
};

TEST_F(Pipeline, WritesCasesManifestAndPictures) {
  const GenerateSummary summary = run();
  EXPECT_EQ(summary.count(CaseState::kDone), 3);
  EXPECT_EQ(summary.gates_failed(), 0);
  const fs::path folder = options_.out / "kidney";
  for (const char* name : {"prompt.json", "mask.nii.gz", "ct.nii.gz", "preview.png"}) {
    EXPECT_TRUE(fs::is_regular_file(folder / name)) << name;
  }
  EXPECT_TRUE(fs::exists(options_.out / "contact_sheet.png"));
  EXPECT_TRUE(fs::exists(options_.out / "index.html"));
  const Volume mask = read_mask(folder / "mask.nii.gz", sampler_.vocabulary().size());
  EXPECT_TRUE(mask.data.equal(sampler_.sample_mask(prompts_[0], "kidney", 11, {}).data));

  const std::vector<Json> records = manifest_of(options_.out);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0]["id"], "kidney");
  EXPECT_EQ(records[0]["seed"], 11);
  EXPECT_EQ(records[0]["gates_passed"], true);
  EXPECT_EQ(records[0]["tumors_found"][0]["position"], "left");
  EXPECT_EQ(records[0]["files"]["ct.nii.gz"], sha256_file(folder / "ct.nii.gz"));
  EXPECT_EQ(records[0]["weights"]["stage1.safetensors"], "aa");
  EXPECT_EQ(prompt_from_json(read_json_file(folder / "prompt.json"), "x").seed, 11U);
}

TEST_F(Pipeline, WritesDicomBesideNiftiWhenAsked) {
  options_.dicom = "ct+seg";
  EXPECT_EQ(run().count(CaseState::kDone), 3);
  const fs::path dicom = options_.out / "kidney" / "dicom";
  EXPECT_TRUE(fs::is_regular_file(dicom / "seg.dcm"));
  const auto slices = std::distance(fs::directory_iterator(dicom / "ct"), fs::directory_iterator());
  EXPECT_EQ(slices, read_ct(options_.out / "kidney" / "ct.nii.gz").geometry.size[2]);
  EXPECT_EQ(manifest_of(options_.out)[0]["dicom"], "ct+seg");
  const auto before = tree_of(options_.out);
  EXPECT_EQ(run().count(CaseState::kKept), 3);
  EXPECT_EQ(tree_of(options_.out), before);
  options_.dicom = "";
  EXPECT_THAT(refusal(), HasSubstr("was made from another --format"));
}

TEST_F(Pipeline, ThePlanSaysWhatIsUnreasonable) {
  prompts_[0].tumors->front().size_mm = 1;
  const Json plan = describe_plan(plan_cases(prompts_, {}, "p.json"), sampler_, options_);
  EXPECT_THAT(plan["cases"][0]["doubts"].dump(), HasSubstr("smaller than two voxels"));
}

TEST_F(Pipeline, RecordsWhereTheTextSaidSomethingElse) {
  std::vector<PlannedCase> plan = plan_cases(prompts_, {}, "p.json");
  plan[0].contradictions = {"age: the text says 64, the field 70"};
  run(plan);
  const std::vector<Json> records = manifest_of(options_.out);
  EXPECT_EQ(records[0]["contradictions"], Json::array({"age: the text says 64, the field 70"}));
  EXPECT_FALSE(records[1].contains("contradictions"));
}

TEST_F(Pipeline, EqualInputsGiveEqualBytes) {
  run();
  const auto first = tree_of(options_.out);
  options_.out = scratch_.path() / "again" / "out";
  run();
  EXPECT_EQ(first, tree_of(options_.out));
}

TEST_F(Pipeline, CompleteCasesAreKept) {
  run();
  const auto before = tree_of(options_.out);
  const std::string manifest = read_file(options_.out / "manifest.jsonl");
  sampler_.masks_made = sampler_.cts_made = 0;
  const GenerateSummary summary = run();
  EXPECT_EQ(summary.count(CaseState::kKept), 3);
  EXPECT_EQ(sampler_.masks_made + sampler_.cts_made, 0);
  EXPECT_EQ(before, tree_of(options_.out));
  EXPECT_EQ(manifest, read_file(options_.out / "manifest.jsonl"));
}

TEST_F(Pipeline, PiecesInAnyOrderGiveTheWhole) {
  run();
  const auto whole = tree_of(options_.out);
  options_.out = scratch_.path() / "pieces" / "out";
  CaseSelection selection;
  selection.only = {"open-s02"};
  run(selection);
  EXPECT_THAT(manifest_ids(), ElementsAre("open-s02"));
  selection.only = {"kidney"};
  run(selection);
  EXPECT_THAT(manifest_ids(), ElementsAre("kidney", "open-s02"));
  run();
  EXPECT_THAT(manifest_ids(), ElementsAre("kidney", "open-s01", "open-s02"));
  EXPECT_EQ(whole, tree_of(options_.out));
}

TEST_F(Pipeline, RetriesWithDerivedSeedsUntilGatesPass) {
  const auto plan = plan_cases(prompts_, {}, "p.json");
  const uint64_t good = attempt_seed(plan[0], 2);
  sampler_.tumor_count = [good](const std::string&, uint64_t seed, int wanted) {
    return seed == good ? wanted : 0;
  };
  const GenerateSummary summary = run();
  EXPECT_EQ(summary.cases[0].attempts, 3);
  EXPECT_TRUE(summary.cases[0].gates_passed);
  EXPECT_EQ(summary.retried(), 1);
  const Json record = manifest_of(options_.out)[0];
  EXPECT_EQ(record["attempt"], 2);
  EXPECT_EQ(record["seed"], good);
  EXPECT_EQ(sampler_.cts_made, 3) << "a rejected mask costs no CT";
}

TEST_F(Pipeline, KeepsTheBestAttemptAndSaysSo) {
  const auto plan = plan_cases(prompts_, {}, "p.json");
  // No attempt is right; the second, with two tumors instead of one, is nearer than those with
  // none.
  const uint64_t best = attempt_seed(plan[0], 1);
  sampler_.tumor_count = [best](const std::string&, uint64_t seed, int) {
    return seed == best ? 2 : 0;
  };
  const GenerateSummary summary = run();
  EXPECT_EQ(summary.cases[0].attempts, 4);
  EXPECT_FALSE(summary.cases[0].gates_passed);
  EXPECT_EQ(summary.gates_failed(), 1);
  const Json record = manifest_of(options_.out)[0];
  EXPECT_EQ(record["gates_passed"], false);
  EXPECT_EQ(record["attempt"], 1);
  EXPECT_EQ(record["attempts"], 4);
  EXPECT_EQ(run().gates_failed(), 1) << "a kept case stays marked";
}

TEST_F(Pipeline, RetriesTheNoiseOfACtThatFailsItsGates) {
  options_.gates.tumor_visible = {GateAction::kRetry, 1, 100};
  const auto plan = plan_cases(prompts_, {}, "p.json");
  const uint64_t good = ct_attempt_seed(plan[0], 11, 1);
  sampler_.tumor_hu = [good](const std::string&, uint64_t seed) { return seed == good ? 900 : 0; };
  const GenerateSummary summary = run();
  EXPECT_EQ(summary.cases[0].attempts, 1);
  EXPECT_EQ(summary.cases[0].ct_attempts, 2);
  EXPECT_TRUE(summary.cases[0].gates_passed);
  EXPECT_EQ(summary.retried(), 1);
  const Json record = manifest_of(options_.out)[0];
  EXPECT_EQ(record["seed"], 11);
  EXPECT_EQ(record["ct_seed"], good);
  EXPECT_EQ(record["ct_attempt"], 1);
  EXPECT_EQ(sampler_.masks_made, 3) << "a mask that passed is not made again";
}

TEST_F(Pipeline, AGateThatOnlyReportsChangesNothing) {
  run();
  const std::string ct = sha256_file(options_.out / "kidney" / "ct.nii.gz");
  options_.out = scratch_.path() / "reported";
  options_.gates.tumor_visible = {GateAction::kReport, 1, 2000};
  const GenerateSummary summary = run();
  EXPECT_TRUE(summary.cases[0].gates_passed);
  EXPECT_EQ(summary.cases[0].ct_attempts, 1);
  const Json record = manifest_of(options_.out)[0];
  const Json& gate = record["gates"].back();
  EXPECT_EQ(gate["name"], "tumor_visible");
  EXPECT_EQ(gate["passed"], false);
  EXPECT_EQ(record["files"]["ct.nii.gz"], ct);
}

TEST_F(Pipeline, OtherGatesAreAnotherRecipe) {
  run();
  options_.gates.organ_hu.deviations += 1;
  EXPECT_THAT(refusal(), HasSubstr("other gates"));
}

TEST_F(Pipeline, OnlyCasesThatNeededMoreDependOnTheRetries) {
  const auto plan = plan_cases(prompts_, {}, "p.json");
  sampler_.tumor_count = [](const std::string&, uint64_t, int) { return 0; };
  options_.retries = 1;
  run();
  options_.retries = 2;
  EXPECT_THAT(refusal(), testing::AllOf(HasSubstr("out/kidney"), HasSubstr("--retries")));
  options_.overwrite = true;
  EXPECT_EQ(run().count(CaseState::kDone), 1) << "the others passed at once";
}

TEST_F(Pipeline, AWriterThatCannotWriteFailsItsCaseAlone) {
  sampler_.on_ct = [this](const std::string& id, uint64_t) {
    // Where the folder should appear there is a file all of a sudden.
    if (id == "kidney") write_file_atomic(options_.out / id, "in the way");
  };
  const GenerateSummary summary = run();
  EXPECT_EQ(summary.count(CaseState::kFailed), 1);
  EXPECT_EQ(summary.count(CaseState::kDone), 2);
  EXPECT_THAT(summary.cases[0].error, HasSubstr("is a file"));
  EXPECT_THAT(manifest_ids(), ElementsAre("open-s01", "open-s02"));
}

TEST_F(Pipeline, AFailedCaseLeavesTheOthers) {
  sampler_.on_ct = [](const std::string& id, uint64_t) {
    if (id == "open-s01") throw_failure("no luck");
  };
  const GenerateSummary summary = run();
  EXPECT_EQ(summary.count(CaseState::kFailed), 1);
  EXPECT_EQ(summary.cases[1].error, "no luck");
  EXPECT_FALSE(fs::exists(options_.out / "open-s01"));
  EXPECT_THAT(manifest_ids(), ElementsAre("kidney", "open-s02"));
  sampler_.on_ct = nullptr;
  EXPECT_EQ(run().count(CaseState::kDone), 1);
  EXPECT_THAT(manifest_ids(), ElementsAre("kidney", "open-s01", "open-s02"));
}

TEST_F(Pipeline, RefusesCasesOfAnotherRecipe) {
  run();
  const auto before = tree_of(options_.out);
  sampler_.weights["stage1.safetensors"] = "bb";
  EXPECT_THAT(refusal(), testing::AllOf(HasSubstr("out/kidney"), HasSubstr("other weights")));
  sampler_.weights["stage1.safetensors"] = "aa";
  sampler_.options["steps"] = 4;
  EXPECT_THAT(refusal(), HasSubstr("other sampling settings"));
  sampler_.options["steps"] = 3;
  prompts_[0].age = 50;
  EXPECT_THAT(refusal(), HasSubstr("another prompt"));
  EXPECT_EQ(before, tree_of(options_.out));

  options_.overwrite = true;
  const GenerateSummary summary = run();
  EXPECT_EQ(summary.count(CaseState::kDone), 1) << "only the case that differs is made again";
  EXPECT_THAT(manifest_ids(), ElementsAre("kidney", "open-s01", "open-s02"));
  EXPECT_EQ(manifest_of(options_.out)[0]["prompt"]["age"], 50);
}

TEST_F(Pipeline, RefusesFoldersThatItDidNotMake) {
  make_directories(options_.out / "open-s02");
  EXPECT_THAT(refusal(), testing::AllOf(HasSubstr("open-s02"), HasSubstr("manifest.jsonl")));
  EXPECT_FALSE(fs::exists(options_.out / "kidney")) << "refused before any work";
}

TEST_F(Pipeline, RefusesCasesThatWereChanged) {
  run();
  write_file_atomic(options_.out / "kidney" / "ct.nii.gz", "no longer a CT");
  EXPECT_THAT(refusal(), HasSubstr("was changed"));
  options_.overwrite = true;
  run();
  EXPECT_NO_THROW(read_ct(options_.out / "kidney" / "ct.nii.gz"));
}

TEST_F(Pipeline, ALineCutShortIsMadeGood) {
  run();
  const auto before = tree_of(options_.out);
  const std::string manifest = read_file(options_.out / "manifest.jsonl");
  write_file_atomic(options_.out / "manifest.jsonl", manifest + R"({"id": "open-s0)");
  run();
  EXPECT_EQ(before, tree_of(options_.out));
}

TEST_F(Pipeline, LeftoversOfAKilledRunAreRemoved) {
  make_directories(options_.out / ".guidegen-1-0.partial" / "deep");
  write_file_atomic(options_.out / ".guidegen-1-1.tmp", "half");
  run();
  for (const auto& [name, bytes] : tree_of(options_.out)) {
    EXPECT_THAT(name, testing::Not(testing::StartsWith(".")));
  }
}

TEST_F(Pipeline, OneRunAtATime) {
  const OutputFolder held(options_.out);
  EXPECT_THAT(refusal(), HasSubstr("another run"));
}

TEST_F(Pipeline, DryRunTellsAndWritesNothing) {
  const auto plan = plan_cases(prompts_, {}, "p.json");
  const Json before = describe_plan(plan, sampler_, options_);
  EXPECT_FALSE(fs::exists(options_.out));
  EXPECT_EQ(before["cases"].size(), 3U);
  EXPECT_EQ(before["cases"][0]["state"], "new");
  run();
  EXPECT_EQ(describe_plan(plan, sampler_, options_)["cases"][0]["state"], "complete");
}

}  // namespace
}  // namespace guidegen
