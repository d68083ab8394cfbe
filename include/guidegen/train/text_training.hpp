#pragma once

#include <filesystem>

#include "guidegen/core/json.hpp"
#include "guidegen/text/student_encoder.hpp"
#include "guidegen/train/optimizer.hpp"

namespace guidegen {

/// How to train the student text encoder. JSON keys are the member names, in an object "training".
struct TextTrainingConfig {
  int64_t steps = 3000;
  int64_t batch = 96;  ///< texts of a step; with a teacher, half of them are distilled
  uint64_t seed = 1;
  int64_t vocabulary = 3000;         ///< most pieces
  int64_t vocabulary_texts = 20000;  ///< they are learned from
  int64_t distilled_texts = 10000;   ///< that the teacher embeds, each once
  int64_t test_texts = 1000;         ///< never trained on
  double cosine_weight = 4.0;
  double contrast_weight = 0.5;
  double contrast_temperature = 0.05;
  double field_weight = 0.5;
  int64_t log_every = 20;
  int64_t checkpoint_every = 500;
  int64_t keep_checkpoints = 2;
  Optimizer::Options optimizer{1e-3, 0.05, 100, 0.01, 1.0, 0.999};

  /// Throws Error(kUsage).
  static TextTrainingConfig from_json(JsonObject object);
  Json to_json() const;
};

/// What a run does beside its configuration.
struct TextRunOptions {
  std::filesystem::path out;      ///< run directory
  std::filesystem::path teacher;  ///< Hugging Face folder; empty: fields alone teach
  std::filesystem::path cache;    ///< folder that keeps the teacher's embeddings; empty: memory
  bool resume = false;
};

/// Trains a student (text/student_encoder.hpp) on texts made up by text/text_corpus.hpp, on the
/// CPU, in one process. The teacher's embeddings are matched by cosine and contrast; a reader of
/// the prompt's fields (text/field_reader.hpp) keeps what matters. The run directory is that of
/// other stages (train/trainer.hpp) without previews; model/ holds the entry "text" alone. At each
/// checkpoint, metrics.jsonl gets cosine and accuracies on texts that are held out. A resumed run
/// is bit-identical to one that was never stopped. Throws Error(kUsage), Error(kFailure) or, after
/// a checkpoint, Stopped.
void train_text(StudentConfig student, const TextTrainingConfig& config, const TextRunOptions& run);

}  // namespace guidegen
