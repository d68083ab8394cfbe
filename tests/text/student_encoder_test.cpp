#include "guidegen/text/student_encoder.hpp"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <set>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/nn/module_io.hpp"
#include "guidegen/text/field_reader.hpp"
#include "guidegen/text/text_corpus.hpp"
#include "guidegen/text/word_piece_training.hpp"

namespace guidegen {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(TextCorpus, IsAFunctionOfSeedPartAndIndex) {
  const TextCorpus corpus(1), again(1), other(2);
  std::set<std::string> distinct;
  int same_as_other = 0, same_as_test = 0;
  for (int i = 0; i < 200; ++i) {
    const auto item = corpus.text("train", i);
    EXPECT_EQ(item.text, again.text("train", i).text);
    EXPECT_FALSE(item.text.empty());
    distinct.insert(item.text);
    same_as_other += item.text == other.text("train", i).text ? 1 : 0;
    same_as_test += item.text == corpus.text("test", i).text ? 1 : 0;
  }
  EXPECT_GT(distinct.size(), 190U);
  EXPECT_LT(same_as_other, 5);
  EXPECT_LT(same_as_test, 5);
}

TEST(TextCorpus, DrawsEveryFieldOpenAndGiven) {
  int open_sex = 0, none = 0, open_tumors = 0, several = 0;
  std::set<TumorPosition> positions;
  const TextCorpus corpus(3);
  for (int i = 0; i < 500; ++i) {
    const auto prompt = corpus.text("train", i).prompt;
    open_sex += prompt.sex ? 0 : 1;
    open_tumors += prompt.tumors ? 0 : 1;
    if (!prompt.tumors) continue;
    none += prompt.tumors->empty() ? 1 : 0;
    several += prompt.tumors->size() > 1 ? 1 : 0;
    for (const auto& request : *prompt.tumors) {
      if (request.position) positions.insert(*request.position);
    }
  }
  for (const int count : {open_sex, none, open_tumors, several}) {
    EXPECT_GT(count, 20);
    EXPECT_LT(count, 300);
  }
  EXPECT_EQ(positions.size(), size_t{kTumorPositionCount});
}

TEST(WordPieceTraining, MergesWhatOccursOften) {
  std::vector<std::string> texts(10, "Tumor tumors: tumor");
  texts.push_back("zebra \u4E00");
  const auto pieces = learn_word_pieces(texts, 1000);
  const std::set<std::string> set(pieces.begin(), pieces.end());
  EXPECT_EQ(set.size(), pieces.size());
  EXPECT_TRUE(set.contains("tumor"));
  EXPECT_TRUE(set.contains("tumors"));
  EXPECT_FALSE(set.contains("zebra"));  // once
  EXPECT_FALSE(set.contains("\u4E00"));
  const WordPieceTokenizer tokenizer(pieces, {}, "learned");
  EXPECT_EQ(tokenizer.encode("tumors").size(), 3U);
  EXPECT_EQ(tokenizer.encode("zebra").size(), 7U);
  EXPECT_EQ(tokenizer.encode("\u4E00")[1].id, tokenizer.unknown());
  EXPECT_LE(learn_word_pieces(texts, 145).size(), 145U);
  EXPECT_THAT([&] { learn_word_pieces(texts, 20); }, throws_usage(HasSubstr("ASCII")));
}

StudentEncoder small_student() {
  auto pieces = learn_word_pieces({"left kidney right kidney", "left right"}, 160);
  StudentConfig config;
  config.vocabulary = static_cast<int64_t>(pieces.size());
  config.width = 16;
  config.layers = 2;
  config.heads = 2;
  config.inner_width = 24;
  config.positions = 12;
  config.sentence_width = 10;
  return StudentEncoder(config, WordPieceTokenizer(pieces, {}, "learned"));
}

TEST(StudentEncoder, PaddingChangesNothing) {
  torch::manual_seed(1);
  auto student = small_student();
  const auto alone = student->encode({"left kidney"});
  const auto batch =
      student->encode({"a much longer text than fits into the positions", "left kidney"});
  EXPECT_EQ(batch.tokens.sizes(), (std::vector<int64_t>{2, 12, 16}));
  EXPECT_EQ(batch.sentence.sizes(), (std::vector<int64_t>{2, 10}));
  EXPECT_TRUE(torch::allclose(batch.sentence[1], alone.sentence[0], 1e-4, 1e-6));
  EXPECT_TRUE(torch::allclose(batch.tokens[1].slice(0, 0, alone.tokens.size(1)), alone.tokens[0],
                              1e-4, 1e-6));
  EXPECT_EQ(batch.tokens[1].slice(0, alone.tokens.size(1)).abs().max().item<float>(), 0.0F);
  EXPECT_NEAR(batch.sentence[0].norm().item<float>(), 1.0F, 1e-5);
}

TEST(StudentEncoder, ComesBackFromItsFiles) {
  torch::manual_seed(2);
  const TemporaryFolder folder;
  auto student = small_student();
  write_file_atomic(folder / "vocab.txt", to_lines(student->tokenizer().vocabulary()));
  save_module(folder / "text.safetensors", *student);
  const Json config = student->config().to_json();
  auto read = read_student(JsonObject(config, "model.json", "text.config"), folder / "vocab.txt",
                           folder / "text.safetensors");
  EXPECT_TRUE(torch::equal(read->encode({"left"}).sentence, student->encode({"left"}).sentence));
  EXPECT_FALSE(read->parameters().front().requires_grad());
  Json wrong = config;
  wrong["heads"] = 3;
  EXPECT_THAT(
      [&] {
        read_student(JsonObject(wrong, "model.json", "text.config"), folder / "vocab.txt",
                     folder / "text.safetensors");
      },
      throws_usage(AllOf(HasSubstr("model.json"), HasSubstr("text.config.heads"))));
}

TEST(FieldTargets, SayWhatThePromptSays) {
  Prompt prompt;
  prompt.sex = Sex::kMale;
  prompt.age = 75;
  prompt.tumors = {{TumorOrgan::kKidney, TumorPosition::kKidneyLeft, 2, 15.0, {}},
                   {TumorOrgan::kColon, {}, 1, 30.0, {}}};
  const FieldTargets targets({prompt, Prompt{}});
  EXPECT_TRUE(torch::equal(
      targets.choices, torch::tensor({2, 0, 0, 2, 3, 0, 0, 0, 0, 0}, torch::kLong).view({2, 5})));
  EXPECT_EQ(targets.organs.sum().item<float>(), 2.0F);
  EXPECT_EQ(targets.positions[0][static_cast<int64_t>(TumorPosition::kKidneyLeft)].item<float>(),
            1.0F);
  EXPECT_EQ(targets.positions.sum().item<float>(), 1.0F);
  EXPECT_FLOAT_EQ(targets.numbers[0][0].item<float>(), 1.0F);
  EXPECT_FLOAT_EQ(targets.numbers[0][1].item<float>(), 0.0F);
  EXPECT_EQ(targets.given.sum().item<float>(), 2.0F);
}

// The whole of it in small: a few texts are learned by heart.
TEST(FieldReader, LearnsToReadWhatTheStudentWrites) {
  torch::manual_seed(3);
  const TextCorpus corpus(5);
  std::vector<std::string> texts;
  std::vector<Prompt> prompts;
  for (int i = 0; i < 12; ++i) {
    const auto item = corpus.text("train", i);
    texts.push_back(item.text);
    prompts.push_back(item.prompt);
  }
  auto pieces = learn_word_pieces(texts, 300);
  StudentConfig config;
  config.vocabulary = static_cast<int64_t>(pieces.size());
  config.width = 32;
  config.layers = 1;
  config.heads = 2;
  config.inner_width = 32;
  config.sentence_width = 16;
  StudentEncoder student(config, WordPieceTokenizer(pieces, {}, "learned"));
  FieldReader reader(16);
  auto parameters = student->parameters();
  for (const auto& parameter : reader->parameters()) parameters.push_back(parameter);
  torch::optim::Adam adam(parameters, 5e-3);
  const FieldTargets targets(prompts);
  const auto teacher = unit_length(torch::randn({12, 16}));
  const auto batch = student->cut(texts);
  for (int step = 0; step < 150; ++step) {
    const auto sentence = student->forward(batch).sentence;
    const auto distilled = distillation_loss(sentence, teacher, 0.1);
    adam.zero_grad();
    (reader->loss(sentence, targets) + distilled.cosine + distilled.contrast).backward();
    adam.step();
  }
  const auto sentence = student->encode(texts).sentence;
  const auto accuracy = reader->accuracy(sentence, targets);
  for (const char* field : {"sex", "contrast", "tumors", "organs", "positions"}) {
    EXPECT_GE(accuracy.at(field), 0.9) << field;
  }
  EXPECT_LT(distillation_loss(sentence, teacher, 0.1).cosine.item<double>(), 0.2);
}

}  // namespace
}  // namespace guidegen
