#include "generate/case_maker.hpp"

#include <chrono>

namespace guidegen {
namespace {

/// A sampled volume and what its gates say.
struct Attempt {
  Volume volume;
  GateReport report;
};

struct Best {
  Attempt attempt;
  FinishedCase::Kept kept;
};

/// Makes up to 1 + retries attempts, `make(seed)` each, until one passes; keeps the best.
template <typename SeedOf, typename Make>
Best best_of(int retries, const SeedOf& seed_of, const Make& make) {
  Best best;
  for (int k = 0; k <= retries; ++k) {
    const uint64_t seed = seed_of(k);
    Attempt attempt = make(seed);
    if (k == 0 || attempt.report.penalty() < best.attempt.report.penalty()) {
      best.attempt = std::move(attempt);
      best.kept.seed = seed;
      best.kept.attempt = k;
    }
    best.kept.attempts = k + 1;
    if (best.attempt.report.passed()) break;
  }
  return best;
}

StepCallback callback_for(const char* what, const StageCallback& on_step) {
  return [what, &on_step](int64_t step, int64_t total) { on_step(what, step, total); };
}

}  // namespace

FinishedCase make_case(CaseSampler& sampler, const PlannedCase& planned, const Recipe& recipe,
                       const GateSettings& gates, const StageCallback& on_step) {
  const auto start = std::chrono::steady_clock::now();
  const Vocabulary& vocabulary = sampler.vocabulary();
  Best mask = best_of(
      recipe.retries, [&](int k) { return attempt_seed(planned, k); },
      [&](uint64_t seed) {
        Volume volume =
            sampler.sample_mask(planned.prompt, planned.id, seed, callback_for("mask", on_step));
        GateReport report =
            check_mask(volume, planned.prompt, sampler.default_geometry(), vocabulary, gates);
        return Attempt{std::move(volume), std::move(report)};
      });
  const Volume& labels = mask.attempt.volume;
  GateReport& report = mask.attempt.report;
  Best ct = best_of(
      recipe.retries, [&](int k) { return ct_attempt_seed(planned, mask.kept.seed, k); },
      [&](uint64_t seed) {
        Attempt attempt;
        attempt.volume = sampler.sample_ct(planned.prompt, labels, planned.id, seed,
                                           callback_for("CT", on_step));
        attempt.report.gates =
            check_ct(attempt.volume, labels, planned.prompt, report.tumors, vocabulary, gates);
        return attempt;
      });
  std::vector<Gate>& ct_gates = ct.attempt.report.gates;
  std::move(ct_gates.begin(), ct_gates.end(), std::back_inserter(report.gates));
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  return {planned,
          recipe,
          std::move(mask.attempt.volume),
          std::move(ct.attempt.volume),
          std::move(report),
          mask.kept,
          ct.kept,
          taken.count()};
}

}  // namespace guidegen
