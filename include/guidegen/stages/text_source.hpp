#pragma once

#include <optional>

#include "guidegen/text/bert_encoder.hpp"
#include "guidegen/text/encoding_cache.hpp"
#include "guidegen/text/student_encoder.hpp"

namespace guidegen {

/// What frozen text encoders make of the texts of a training run: tokens by the student, which
/// ships with the model, and sentence embeddings by its teacher, or by the student itself, which
/// has learned to give the same, where there is no teacher. Each text is encoded once as long as
/// there is memory.
class TextSource {
 public:
  explicit TextSource(StudentEncoder student, const std::string& student_fingerprint,
                      std::optional<BertEncoder> teacher = {});

  /// Safe to call from several threads. On the CPU.
  TextFeatures encode(const std::vector<std::string>& texts);

  int64_t token_width() const { return student_->config().width; }
  int64_t sentence_width() const { return student_->config().sentence_width; }
  const std::string& teacher_fingerprint() const { return teacher_fingerprint_; }

 private:
  StudentEncoder student_;
  std::optional<BertEncoder> teacher_;
  std::string teacher_fingerprint_;  // empty without one
  EncodingCache tokens_;
  std::optional<EncodingCache> sentences_;
};

}  // namespace guidegen
