#include "guidegen/text/bert_encoder.hpp"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"
#include "text/tiny_bert.hpp"

namespace guidegen {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using namespace tiny_bert;

/// BERT by its published formulas, float64, one text without padding: ids [T] -> [T,C].
at::Tensor reference(Tensors weights, const std::vector<int64_t>& ids) {
  const auto w = [&](const std::string& name) { return weights.at(name).to(torch::kDouble); };
  const auto linear = [&](const std::string& name, const at::Tensor& x) {
    return x.matmul(w(name + ".weight").t()) + w(name + ".bias");
  };
  const auto norm = [&](const std::string& name, const at::Tensor& x) {
    const auto centered = x - x.mean(-1, true);
    return centered / (centered.square().mean(-1, true) + 1e-12).sqrt() * w(name + ".weight") +
           w(name + ".bias");
  };
  const auto length = static_cast<int64_t>(ids.size());
  auto x = w("embeddings.word_embeddings.weight").index_select(0, torch::tensor(ids)) +
           w("embeddings.position_embeddings.weight").slice(0, 0, length) +
           w("embeddings.token_type_embeddings.weight")[0];
  x = norm("embeddings.LayerNorm", x);
  for (int64_t i = 0; i < kLayers; ++i) {
    const std::string layer = "encoder.layer." + std::to_string(i);
    const auto q = linear(layer + ".attention.self.query", x),
               k = linear(layer + ".attention.self.key", x),
               v = linear(layer + ".attention.self.value", x);
    std::vector<at::Tensor> heads;
    constexpr int64_t kHeadWidth = kWidth / kHeads;
    for (int64_t h = 0; h < kHeads; ++h) {
      const auto part = [&](const at::Tensor& all) {
        return all.slice(1, h * kHeadWidth, (h + 1) * kHeadWidth);
      };
      const auto scores = part(q).matmul(part(k).t()) / std::sqrt(double{kHeadWidth});
      const auto weight = scores.exp() / scores.exp().sum(1, true);
      heads.push_back(weight.matmul(part(v)));
    }
    x = norm(layer + ".attention.output.LayerNorm",
             x + linear(layer + ".attention.output.dense", torch::cat(heads, 1)));
    const auto h = linear(layer + ".intermediate.dense", x);
    const auto gelu = 0.5 * h * (1.0 + torch::erf(h / std::sqrt(2.0)));
    x = norm(layer + ".output.LayerNorm", x + linear(layer + ".output.dense", gelu));
  }
  return x;
}

class BertEncoderTest : public testing::Test {
 protected:
  BertEncoderTest() { write_tiny_bert(folder_.path()); }
  void write(const Json& config, const Tensors& weights) {
    write_tiny_bert(folder_.path(), config, weights);
  }
  BertEncoder read() { return BertEncoder::from_folder(folder_.path()); }

  TemporaryFolder folder_;
};

TEST_F(BertEncoderTest, FollowsThePublishedFormulasWithPaddingOrWithout) {
  auto encoder = read();
  const auto out = encoder.encode({"a b c d e", "c", "e e d"});
  EXPECT_EQ(out.tokens.sizes(), (std::vector<int64_t>{3, 7, kWidth}));
  const std::vector<std::vector<int64_t>> ids{{2, 4, 5, 6, 7, 8, 3}, {2, 6, 3}, {2, 8, 8, 7, 3}};
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto length = static_cast<int64_t>(ids[i].size()), row = static_cast<int64_t>(i);
    const auto wanted = reference(small_weights(), ids[i]);
    const auto found = out.tokens[row].slice(0, 0, length).to(torch::kDouble);
    EXPECT_LT((found - wanted).abs().max().item<double>(), 2e-5) << i;
    EXPECT_EQ(out.present[row].sum().item<int64_t>(), length);
    const auto mean = wanted.mean(0);
    EXPECT_LT((out.sentence[row] - mean / mean.norm()).abs().max().item<double>(), 1e-5) << i;
  }
}

TEST_F(BertEncoderTest, ReadsTheNamesOfHeadedModelsAndHalfPrecision) {
  auto encoder = read();
  const auto before = encoder.encode({"a b"});
  Tensors renamed;
  for (const auto& [name, tensor] : small_weights()) {
    renamed["bert." + name] = tensor.is_floating_point() ? tensor.to(torch::kHalf) : tensor;
  }
  renamed["cls.predictions.bias"] = torch::zeros({kVocabulary});
  write(small_config(), renamed);
  auto again = read();
  const auto after = again.encode({"a b"});
  EXPECT_EQ(after.tokens.scalar_type(), torch::kFloat);
  EXPECT_TRUE(torch::allclose(after.tokens, before.tokens, 0, 0.02));
  EXPECT_NE(encoder.fingerprint(), again.fingerprint());
}

TEST_F(BertEncoderTest, LongTextsLoseTheirEnd) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "a ";
  EXPECT_EQ(read().encode({text}).tokens.size(1), 16);
}

TEST_F(BertEncoderTest, RefusesWhatItDoesNotCompute) {
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, Json>>{{"hidden_act", "gelu_new"},
                                                 {"model_type", "roberta"},
                                                 {"position_embedding_type", "relative_key"},
                                                 {"is_decoder", true},
                                                 {"num_attention_heads", 5}}) {
    Json config = small_config();
    config[key] = value;
    write(config, small_weights());
    EXPECT_THAT([&] { read(); }, throws_usage(AllOf(HasSubstr("config.json"), HasSubstr(key))));
  }
  Json config = small_config();
  config["vocab_size"] = 8;
  write(config, small_weights());
  EXPECT_THAT([&] { read(); }, throws_usage(AllOf(HasSubstr("vocab.txt"), HasSubstr("9 pieces"))));
}

TEST_F(BertEncoderTest, NamesTheTensorThatIsMissing) {
  auto weights = small_weights();
  weights.erase("encoder.layer.1.output.dense.bias");
  write(small_config(), weights);
  EXPECT_THAT([&] { read(); }, throws_failure(AllOf(HasSubstr("model.safetensors"),
                                                    HasSubstr("layers.1.outer.bias"))));
}

}  // namespace
}  // namespace guidegen
