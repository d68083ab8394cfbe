#include "guidegen/text/token_batch.hpp"

#include "guidegen/core/error.hpp"

namespace guidegen {

TokenBatch token_batch(const WordPieceTokenizer& tokenizer, const std::vector<std::string>& texts,
                       size_t most) {
  if (texts.empty()) throw_failure("text encoder: a batch without texts");
  std::vector<std::vector<Piece>> rows;
  size_t longest = 0;
  for (const auto& text : texts) {
    rows.push_back(tokenizer.encode(text, most));
    longest = std::max(longest, rows.back().size());
  }
  const auto b = static_cast<int64_t>(rows.size()), t = static_cast<int64_t>(longest);
  TokenBatch batch{at::full({b, t}, tokenizer.padding(), at::kLong), at::zeros({b, t}, at::kBool)};
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t k = 0; k < rows[i].size(); ++k) {
      batch.ids.data_ptr<int64_t>()[i * longest + k] = rows[i][k].id;
      batch.present.data_ptr<bool>()[i * longest + k] = true;
    }
  }
  return batch;
}

at::Tensor mean_of_present(const at::Tensor& tokens, const at::Tensor& present) {
  const auto weight = present.to(tokens.scalar_type()).unsqueeze(-1);
  return (tokens * weight).sum(1) / weight.sum(1);
}

at::Tensor unit_length(const at::Tensor& vectors) {
  return vectors / vectors.norm(2, -1, /*keepdim=*/true).clamp_min(1e-12);
}

}  // namespace guidegen
