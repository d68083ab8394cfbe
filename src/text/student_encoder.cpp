#include "guidegen/text/student_encoder.hpp"

#include <torch/torch.h>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/module_io.hpp"

namespace guidegen {

StudentConfig StudentConfig::from_json(JsonObject object) {
  StudentConfig c;
  c.vocabulary = object.integer("vocabulary", 0, 1'000'000, c.vocabulary);
  c.width = object.integer("width", 8, 4096, c.width);
  c.layers = object.integer("layers", 1, 64, c.layers);
  c.heads = object.integer("heads", 1, 64, c.heads);
  c.inner_width = object.integer("inner_width", 8, 16384, c.inner_width);
  c.positions = object.integer("positions", 8, 4096, c.positions);
  c.sentence_width = object.integer("sentence_width", 1, 16384, c.sentence_width);
  if (c.width % c.heads != 0) {
    object.fail("heads", "does not divide width, expected a divisor of " + std::to_string(c.width));
  }
  object.finish();
  return c;
}

Json StudentConfig::to_json() const {
  return {{"vocabulary", vocabulary},
          {"width", width},
          {"layers", layers},
          {"heads", heads},
          {"inner_width", inner_width},
          {"positions", positions},
          {"sentence_width", sentence_width}};
}

namespace {

BertConfig bert_config(const StudentConfig& config) {
  BertConfig bert;
  bert.vocabulary = config.vocabulary;
  bert.width = config.width;
  bert.layers = config.layers;
  bert.heads = config.heads;
  bert.inner_width = config.inner_width;
  bert.positions = config.positions;
  bert.token_types = 1;
  return bert;
}

}  // namespace

StudentEncoderImpl::StudentEncoderImpl(const StudentConfig& config, WordPieceTokenizer tokenizer)
    : config_(config), tokenizer_(std::move(tokenizer)) {
  if (config.vocabulary != tokenizer_.size()) {
    throw_usage("text encoder: vocabulary: ", tokenizer_.size(), " pieces, expected ",
                config.vocabulary);
  }
  network_ = register_module("network", BertNetwork(bert_config(config)));
  sentence_ = register_module("sentence", torch::nn::Linear(config.width, config.sentence_width));
  // Embeddings of deviation 1, LibTorch's default, would drown what the positions say.
  const torch::NoGradGuard no_grad;
  for (const auto& item : network_->named_parameters()) {
    const auto& name = item.key();
    if (name == "words.weight" || name == "positions.weight" || name == "types.weight") {
      item.value().mul_(0.05);
    }
  }
}

TokenBatch StudentEncoderImpl::cut(const std::vector<std::string>& texts) const {
  return token_batch(tokenizer_, texts, static_cast<size_t>(config_.positions));
}

TextFeatures StudentEncoderImpl::forward(const TokenBatch& batch) {
  const auto device = sentence_->weight.device();
  TextFeatures out;
  out.present = batch.present.to(device);
  out.tokens = network_(batch.ids.to(device), out.present) * out.present.unsqueeze(-1);
  out.sentence = unit_length(sentence_(mean_of_present(out.tokens, out.present)));
  return out;
}

TextFeatures StudentEncoderImpl::encode(const std::vector<std::string>& texts) {
  return forward(cut(texts));
}

StudentEncoder read_student(const JsonObject& config, const std::filesystem::path& vocabulary,
                            const std::filesystem::path& weights) {
  StudentEncoder student(StudentConfig::from_json(config),
                         WordPieceTokenizer(read_vocabulary(vocabulary), {}, vocabulary.string()));
  load_module(weights, *student);
  student->eval();
  for (auto& parameter : student->parameters()) parameter.set_requires_grad(false);
  return student;
}

}  // namespace guidegen
