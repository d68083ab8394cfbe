#include "guidegen/text/term_matcher.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <utility>

#include "guidegen/core/error.hpp"
#include "guidegen/text/bert_encoder.hpp"

namespace guidegen {
namespace {

constexpr const char* kSlot = "{}";

/// What a matcher and its copies share.
class Matching {
 public:
  Matching(SentenceEncoder encode, TermMatching options)
      : encode_(std::move(encode)), options_(std::move(options)) {
    if (options_.frames.empty()) throw_usage("matching of terms: no frames, expected one or more");
    for (const std::string& frame : options_.frames) {
      if (frame.find(kSlot) == std::string::npos) {
        throw_usage("matching of terms: frame '", frame, "' has no ", kSlot);
      }
    }
  }

  std::optional<std::pair<size_t, double>> match(const std::string& words,
                                                 const TermCandidates& candidates) {
    if (candidates.terms.empty()) return std::nullopt;
    const std::lock_guard<std::mutex> lock(mutex_);
    const at::Tensor& terms = encoded(candidates.terms);
    const auto known = words_.find(words);
    const at::Tensor word = known != words_.end()
                                ? known->second
                                : words_.emplace(words, in_frames(words)).first->second;
    // [F,N,E] x [F,E,1] -> the mean of the frames, [N].
    const at::Tensor cosines =
        terms.matmul(word.unsqueeze(2)).squeeze(2).mean(0).to(torch::kDouble).contiguous();
    return nearest(cosines.data_ptr<double>(), candidates.meanings);
  }

 private:
  struct Encoded {
    std::vector<std::string> terms;
    at::Tensor embeddings;  // [F,N,E]
  };

  at::Tensor framed(const std::string& frame, const std::vector<std::string>& texts) {
    std::vector<std::string> framed;
    for (const std::string& text : texts) {
      framed.push_back(frame);
      framed.back().replace(frame.find(kSlot), std::string(kSlot).size(), text);
    }
    return encode_(framed);
  }

  /// [F,E]
  at::Tensor in_frames(const std::string& words) {
    std::vector<at::Tensor> rows;
    for (const std::string& frame : options_.frames) rows.push_back(framed(frame, {words}));
    return torch::cat(rows);
  }

  const at::Tensor& encoded(const std::vector<std::string>& terms) {
    for (const Encoded& one : encoded_) {
      if (one.terms == terms) return one.embeddings;
    }
    std::vector<at::Tensor> frames;
    for (const std::string& frame : options_.frames) frames.push_back(in_batches(frame, terms));
    encoded_.push_back({terms, torch::stack(frames)});
    return encoded_.back().embeddings;
  }

  /// [N,E]. Texts of one length go together, for a batch is padded to its longest.
  at::Tensor in_batches(const std::string& frame, const std::vector<std::string>& terms) {
    std::vector<int64_t> order(terms.size());
    std::iota(order.begin(), order.end(), int64_t{0});
    const auto length = [&](int64_t i) { return terms[static_cast<size_t>(i)].size(); };
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t a, int64_t b) { return length(a) < length(b); });
    std::vector<at::Tensor> rows;
    constexpr size_t kBatch = 64;
    for (size_t first = 0; first < order.size(); first += kBatch) {
      std::vector<std::string> batch;
      for (size_t i = first; i < std::min(first + kBatch, order.size()); ++i) {
        batch.push_back(terms[static_cast<size_t>(order[i])]);
      }
      rows.push_back(framed(frame, batch));
    }
    const at::Tensor sorted = torch::cat(rows);
    return torch::empty_like(sorted).index_copy_(0, torch::tensor(order), sorted);
  }

  std::optional<std::pair<size_t, double>> nearest(const double* cosines,
                                                   const std::vector<size_t>& meanings) const {
    const double* last = cosines + meanings.size();
    const auto best = static_cast<size_t>(std::max_element(cosines, last) - cosines);
    if (meanings[best] == 0) return std::nullopt;
    for (size_t i = 0; i < meanings.size(); ++i) {
      if (meanings[i] != meanings[best] && cosines[i] > cosines[best] - options_.margin) {
        return std::nullopt;
      }
    }
    return std::pair{best, cosines[best]};
  }

  SentenceEncoder encode_;
  TermMatching options_;
  std::mutex mutex_;  // of all that follows, and of encode_
  std::vector<Encoded> encoded_;
  std::map<std::string, at::Tensor> words_;  // [F,E] each
};

}  // namespace

TermMatcher term_matcher(SentenceEncoder encode, TermMatching options) {
  const auto matching = std::make_shared<Matching>(std::move(encode), std::move(options));
  return [matching](const std::string& words, const TermCandidates& candidates) {
    return matching->match(words, candidates);
  };
}

TermMatcher bert_term_matcher(const std::filesystem::path& folder) {
  const auto encoder = std::make_shared<BertEncoder>(BertEncoder::from_folder(folder));
  return term_matcher(
      [encoder](const std::vector<std::string>& texts) { return encoder->encode(texts).sentence; });
}

}  // namespace guidegen
