// guidegen_text_io TEACHER_DIR TEXTS.json OUT.safetensors
//
// Encodes an array of arrays of texts, a batch each, and writes "<batch>.ids", ".present",
// ".tokens" and ".sentence" for compare_bert.py.
#include <torch/torch.h>

#include <iostream>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/safetensors.hpp"
#include "guidegen/text/bert_encoder.hpp"

namespace guidegen {
namespace {

void write(const char* teacher, const char* texts, const char* out) {
  auto encoder = BertEncoder::from_folder(teacher);
  TensorFile file;
  int64_t index = 0;
  for (const auto& batch : read_json_file(texts)) {
    const auto words = batch.get<std::vector<std::string>>();
    const auto features = encoder.encode(words);
    const auto most = static_cast<size_t>(encoder.config().positions);
    const std::string prefix = std::to_string(index++) + ".";
    file.tensors[prefix + "ids"] = token_batch(encoder.tokenizer(), words, most).ids;
    file.tensors[prefix + "present"] = features.present;
    file.tensors[prefix + "tokens"] = features.tokens;
    file.tensors[prefix + "sentence"] = features.sentence;
  }
  write_safetensors(out, file);
}

}  // namespace
}  // namespace guidegen

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: guidegen_text_io TEACHER_DIR TEXTS.json OUT.safetensors\n";
    return 2;
  }
  try {
    guidegen::write(argv[1], argv[2], argv[3]);
  } catch (const guidegen::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  return 0;
}
