#include "guidegen/nn/vector_quantizer.hpp"

#include <torch/torch.h>

#include "guidegen/core/error.hpp"
#include "guidegen/nn/autocast.hpp"

namespace guidegen {

namespace {

constexpr int64_t kRowsAtOnce = 4096;  // of distances to all codes: 128 MiB for 8192 codes

// [B,Z,D,H,W] -> [N,Z].
at::Tensor to_rows(const at::Tensor& z) {
  return z.permute({0, 2, 3, 4, 1}).reshape({-1, z.size(1)}).to(at::kFloat);
}

// [N,Z] -> [B,Z,D,H,W] like `z`.
at::Tensor from_rows(const at::Tensor& rows, const at::Tensor& codes) {
  return rows.view({codes.size(0), codes.size(1), codes.size(2), codes.size(3), -1})
      .permute({0, 4, 1, 2, 3});
}

}  // namespace

VectorQuantizerImpl::VectorQuantizerImpl(const VectorQuantizerOptions& options, int64_t channels)
    : options_(options), channels_(channels) {
  const auto codes = torch::randn({options.codes, channels});
  codebook_ = options.update == "gradient" ? register_parameter("codebook", codes)
                                           : register_buffer("codebook", codes);
}

void VectorQuantizerImpl::prepare_for_training() {
  const auto training = register_module("training", std::make_shared<torch::nn::Module>());
  const auto per_code = torch::zeros({options_.codes}, codebook_.options().requires_grad(false));
  mean_count_ = training->register_buffer("mean_count", torch::ones_like(per_code));
  mean_sum_ = training->register_buffer("mean_sum", codebook_.detach().clone());
  idle_ = training->register_buffer("idle", per_code.clone());
  last_use_ = training->register_buffer("last_use", per_code.clone());
  started_ = training->register_buffer("started", per_code.sum());
}

at::Tensor VectorQuantizerImpl::nearest(const at::Tensor& rows) const {
  const torch::NoGradGuard no_grad;
  const auto lengths = codebook_.square().sum(1);
  std::vector<at::Tensor> found;
  for (int64_t first = 0; first < rows.size(0); first += kRowsAtOnce) {
    const auto some = rows.slice(0, first, std::min(first + kRowsAtOnce, rows.size(0)));
    // |z - e|^2 but for |z|^2, which is the same for all codes.
    found.push_back(torch::addmm(lengths, some, codebook_.t(), 1, -2).argmin(1));
  }
  return torch::cat(found);
}

VectorQuantizerImpl::Quantized VectorQuantizerImpl::forward(const at::Tensor& z) {
  const AutocastScope full_precision(AutocastState::off());
  const auto rows = to_rows(z);
  const auto index = nearest(rows.detach());
  const auto chosen = codebook_.index_select(0, index);
  Quantized out;
  out.codes = index.view({z.size(0), z.size(2), z.size(3), z.size(4)});
  out.loss = options_.commitment * (rows - chosen.detach()).square().mean();
  if (options_.update == "gradient") {
    out.loss = out.loss + (chosen - rows.detach()).square().mean();
  }
  out.latents = from_rows(rows + (chosen - rows).detach(), out.codes);
  if (mean_count_.defined() && is_training() && torch::GradMode::is_enabled())
    remember(rows.detach(), index);
  return out;
}

void VectorQuantizerImpl::remember(const at::Tensor& rows, const at::Tensor& codes) {
  if (!step_counts_.defined()) {
    step_counts_ = torch::zeros_like(mean_count_);
    step_sums_ = torch::zeros_like(mean_sum_);
  }
  step_counts_.index_add_(0, codes, torch::ones_like(rows.select(1, 0)));
  step_sums_.index_add_(0, codes, rows);
  step_rows_ = rows;
}

// One latent of this step for each code, [K,Z]: which process gives it and which of its latents it
// is are drawn alike everywhere.
at::Tensor VectorQuantizerImpl::candidates(const Peers& peers, RandomStream& random) const {
  std::vector<int32_t> places;
  std::vector<float> own;
  for (int64_t k = 0; k < options_.codes; ++k) {
    own.push_back(random.integer(peers.size) == peers.rank ? 1.0F : 0.0F);
    places.push_back(static_cast<int32_t>(random.uniform() * double(step_rows_.size(0))));
  }
  const auto device = codebook_.device();
  auto rows =
      step_rows_.index_select(0, torch::tensor(places, at::kInt).to(device, /*non_blocking=*/true));
  if (peers.size == 1) return rows;
  auto shared = (rows * torch::tensor(own).to(device).unsqueeze(1)).to(at::kCPU);
  peers.sum(shared);
  return shared.to(device);
}

void VectorQuantizerImpl::end_step(const Peers& peers, RandomStream random) {
  if (!step_counts_.defined()) throw_failure("vector quantizer: no step has gone before");
  const torch::NoGradGuard no_grad;
  if (peers.size > 1) {
    for (auto* values : {&step_counts_, &step_sums_}) {
      auto shared = values->to(at::kCPU);
      peers.sum(shared);
      values->copy_(shared);
    }
  }
  const auto offered = candidates(peers, random);
  // Tensors instead of branches, so that a GPU need not be waited for.
  const auto finite = step_sums_.isfinite().all() & offered.isfinite().all();
  const auto good = finite.to(at::kFloat);
  const auto counts = step_counts_ * good;
  const auto sums = torch::where(finite, step_sums_, torch::zeros_like(step_sums_));
  const bool ema = options_.update == "ema";
  if (ema) {
    const auto keep = 1 - (1 - options_.decay) * good;
    mean_count_.mul_(keep).add_(counts, 1 - options_.decay);
    mean_sum_.mul_(keep).add_(sums, 1 - options_.decay);
    codebook_.copy_(mean_sum_ / mean_count_.clamp_min(1e-5).unsqueeze(1));
  }
  last_use_.copy_(counts);
  idle_.add_(good).mul_((counts == 0).to(at::kFloat));
  // At the very start all codes are put onto latents: random ones are far from where latents lie.
  const auto move = ((idle_ >= double(options_.dead_after)) | (started_ == 0)) & (good > 0);
  const auto row = move.unsqueeze(1);
  codebook_.copy_(torch::where(row, offered, codebook_));
  if (ema) {
    mean_sum_.copy_(torch::where(row, codebook_, mean_sum_));
    mean_count_.masked_fill_(move, 1);
  }
  idle_.masked_fill_(move, 0);
  started_.copy_(torch::maximum(started_, good));
  step_counts_.zero_();
  step_sums_.zero_();
}

at::Tensor VectorQuantizerImpl::look_up(const at::Tensor& codes) const {
  if (codes.min().item<int64_t>() < 0 || codes.max().item<int64_t>() >= options_.codes) {
    throw_failure("codes from ", codes.min().item<int64_t>(), " to ", codes.max().item<int64_t>(),
                  ", expected 0 to ", options_.codes - 1);
  }
  return from_rows(codebook_.index_select(0, codes.reshape(-1).to(at::kLong)), codes);
}

VectorQuantizerImpl::Usage VectorQuantizerImpl::usage() const {
  if (!mean_count_.defined()) throw_failure("vector quantizer: not prepared for training");
  const auto share = last_use_ / last_use_.sum().clamp_min(1);
  const auto entropy = -(share * share.clamp_min(1e-12).log()).sum();
  const auto alive = (idle_ < double(options_.dead_after)).to(at::kFloat).mean();
  return {alive, entropy.exp()};
}

}  // namespace guidegen
