#include "guidegen/stages/text_source.hpp"

#include "guidegen/core/error.hpp"

namespace guidegen {

TextSource::TextSource(StudentEncoder student, const std::string& student_fingerprint,
                       std::optional<BertEncoder> teacher)
    : student_(std::move(student)),
      teacher_(std::move(teacher)),
      teacher_fingerprint_(teacher_ ? teacher_->fingerprint() : std::string()),
      tokens_(student_fingerprint,
              [this](const std::vector<std::string>& texts) { return student_->encode(texts); },
              {}) {
  if (!teacher_) return;
  if (teacher_->config().width != sentence_width()) {
    throw_usage("the teacher's embeddings have ", teacher_->config().width,
                " numbers, those that the student has learned ", sentence_width(),
                "; give the teacher that the student was trained with");
  }
  EncodingCache::Options options;
  options.tokens = false;
  sentences_.emplace(
      teacher_->fingerprint(),
      [this](const std::vector<std::string>& texts) { return teacher_->encode(texts); }, options);
}

TextFeatures TextSource::encode(const std::vector<std::string>& texts) {
  TextFeatures features = tokens_.get(texts);
  if (sentences_) features.sentence = sentences_->get(texts).sentence;
  return features;
}

}  // namespace guidegen
