#include "guidegen/train/text_training.hpp"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/log.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/stages/model_directory.hpp"
#include "text/tiny_bert.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

StudentConfig small_student() {
  StudentConfig student;
  student.width = 16;
  student.layers = 1;
  student.heads = 2;
  student.inner_width = 16;
  student.sentence_width = tiny_bert::kWidth;
  return student;
}

TextTrainingConfig short_training() {
  TextTrainingConfig training;
  training.steps = 6;
  training.batch = 8;
  training.vocabulary = 250;
  training.vocabulary_texts = 60;
  training.distilled_texts = 12;
  training.test_texts = 9;
  training.log_every = 1;
  training.checkpoint_every = 3;
  training.keep_checkpoints = 5;
  return training;
}

class TextTraining : public ::testing::Test {
 protected:
  TextTraining() {
    set_log_level(LogLevel::kQuiet);
    fs::create_directory(folder_ / "teacher");
    tiny_bert::write_tiny_bert(folder_ / "teacher");
  }
  ~TextTraining() override { set_log_level(LogLevel::kInfo); }

  void train(const std::string& out, bool resume = false, bool with_teacher = true) const {
    const auto teacher = with_teacher ? folder_ / "teacher" : fs::path();
    train_text(small_student(), short_training(), {folder_ / out, teacher, {}, resume});
  }
  std::vector<Json> metrics(const std::string& out) const {
    std::istringstream lines(read_file(folder_ / out / "metrics.jsonl"));
    std::vector<Json> found;
    for (std::string line; std::getline(lines, line);) found.push_back(Json::parse(line));
    return found;
  }

  TemporaryFolder folder_;
};

TEST_F(TextTraining, LeavesAModelThatReadsTexts) {
  train("run");
  const auto model = folder_ / "run" / "model";
  const auto description = read_model_description(model);
  ASSERT_TRUE(description.text);
  EXPECT_TRUE(description.stages.empty());
  auto student =
      read_student(JsonObject(description.text->config, "model.json", "text.config"),
                   model / description.text->vocabulary, model / description.text->weights);
  const auto out = student->encode({"A man with a tumor in the left kidney", "CT"});
  EXPECT_EQ(out.sentence.sizes(), (std::vector<int64_t>{2, tiny_bert::kWidth}));
  EXPECT_TRUE(out.tokens.isfinite().all().item<bool>());
  const auto last = metrics("run").back();
  for (const char* key : {"test_cosine", "test_sex", "test_positions", "test_retrieval"}) {
    ASSERT_TRUE(last.contains(key)) << key;
  }
  EXPECT_EQ(description.text->provenance["test"]["test_cosine"], last["test_cosine"]);
}

TEST_F(TextTraining, ResumesBitIdentically) {
  train("whole");
  train("stopped");
  fs::remove_all(folder_ / "stopped" / "checkpoints" / "step-6");
  fs::remove_all(folder_ / "stopped" / "model");
  train("stopped", /*resume=*/true);
  const auto weights = [&](const std::string& run) {
    return sha256_file(folder_ / run / "model" / "text.safetensors");
  };
  EXPECT_EQ(weights("whole"), weights("stopped"));
  EXPECT_EQ(metrics("whole").size(), metrics("stopped").size());
  EXPECT_THAT([&] { train("whole"); }, throws_usage(HasSubstr("--resume")));
}

TEST_F(TextTraining, WorksWithoutATeacher) {
  train("run", false, /*with_teacher=*/false);
  const auto lines = metrics("run");
  EXPECT_FALSE(lines.back().contains("test_cosine"));
  EXPECT_TRUE(lines.back().contains("test_organs"));
  EXPECT_FALSE(lines.front().contains("cosine"));
}

TEST_F(TextTraining, RefusesATeacherOfAnotherWidth) {
  auto student = small_student();
  student.sentence_width = 384;
  EXPECT_THAT(
      [&] {
        train_text(student, short_training(), {folder_ / "run", folder_ / "teacher", {}, false});
      },
      throws_usage(AllOf(HasSubstr("sentence_width"), HasSubstr("384"))));
}

TEST_F(TextTraining, ATextEncoderJoinsAModel) {
  train("run");
  join_models({folder_ / "run" / "model"}, folder_ / "joined", "fp32");
  const auto joined = read_model_description(folder_ / "joined");
  ASSERT_TRUE(joined.text);
  EXPECT_EQ(sha256_file(folder_ / "joined" / joined.text->vocabulary),
            sha256_file(folder_ / "run" / "model" / joined.text->vocabulary));
  EXPECT_EQ(sha256_file(folder_ / "joined" / joined.text->weights),
            sha256_file(folder_ / "run" / "model" / joined.text->weights));
}

}  // namespace
}  // namespace guidegen
