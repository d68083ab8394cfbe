#include "guidegen/stages/perceptual_loss.hpp"

#include <torch/csrc/jit/runtime/jit_exception.h>
#include <torch/script.h>
#include <torch/torch.h>

#include <filesystem>

#include "guidegen/core/error.hpp"
#include "guidegen/core/failure_report.hpp"

namespace guidegen {

namespace {

std::vector<at::Tensor> layers_of(const c10::IValue& value) {
  if (value.isTensor()) return {value.toTensor()};
  if (value.isTensorList()) return value.toTensorVector();
  std::vector<at::Tensor> layers;
  if (value.isTuple()) {
    for (const auto& element : value.toTupleRef().elements()) {
      if (!element.isTensor()) return {};
      layers.push_back(element.toTensor());
    }
  }
  return layers;
}

at::Tensor unit_length(const at::Tensor& x) {
  return x * (x.square().sum(1, /*keepdim=*/true) + 1e-10).rsqrt();
}

at::Tensor slices_of(const at::Tensor& hu, const at::Tensor& places, const PerceptualConfig& c) {
  std::vector<at::Tensor> of_cases;
  for (int64_t b = 0; b < hu.size(0); ++b) {
    of_cases.push_back(hu[b].index_select(1, places[b]).movedim(1, 0));
  }
  const auto shown =
      ((torch::cat(of_cases) - c.window_low) / (c.window_high - c.window_low)).clamp(0, 1);
  return shown.expand({shown.size(0), 3, shown.size(2), shown.size(3)});
}

}  // namespace

struct PerceptualLoss::Network {
  torch::jit::Module module;
};

PerceptualLoss::PerceptualLoss(const PerceptualConfig& config)
    : config_(config), network_(std::make_unique<Network>()) {
  const auto refuse = [&](std::string_view what) {
    throw_usage("network.losses.perceptual.network: ", config.network, ": ", what,
                ", expected a TorchScript file as scripts/export_perceptual.py writes them");
  };
  if (!std::filesystem::is_regular_file(config.network)) refuse("no such file");
  try {
    network_->module = torch::jit::load(config.network, at::kCPU);
    network_->module.eval();
    for (auto parameter : network_->module.parameters()) parameter.set_requires_grad(false);
    const torch::NoGradGuard no_grad;
    const auto layers = layers_of(network_->module.forward({torch::zeros({1, 3, 64, 64})}));
    const bool images =
        std::all_of(layers.begin(), layers.end(), [](const at::Tensor& x) { return x.dim() == 4; });
    if (layers.empty() || !images) refuse("gives no features [N,C,h,w] of images [N,3,H,W]");
  } catch (const c10::Error& error) {
    refuse(first_line(error.what_without_backtrace()));
  } catch (const torch::jit::JITException& error) {
    refuse(first_line(error.what()));
  }
}

PerceptualLoss::~PerceptualLoss() = default;
PerceptualLoss::PerceptualLoss(PerceptualLoss&&) noexcept = default;
PerceptualLoss& PerceptualLoss::operator=(PerceptualLoss&&) noexcept = default;

void PerceptualLoss::to(const at::Device& device) { network_->module.to(device); }

at::Tensor PerceptualLoss::operator()(const at::Tensor& made, const at::Tensor& real,
                                      const at::Tensor& slices) const {
  const auto see = [&](const at::Tensor& hu) {
    return layers_of(network_->module.forward({slices_of(hu, slices, config_)}));
  };
  const auto made_layers = see(made);
  std::vector<at::Tensor> real_layers;
  {
    const torch::NoGradGuard no_grad;
    real_layers = see(real);
  }
  auto sum = torch::zeros({}, made.options());
  for (size_t i = 0; i < made_layers.size(); ++i) {
    sum = sum + (unit_length(made_layers[i]) - unit_length(real_layers[i])).square().sum(1).mean();
  }
  return sum / double(made_layers.size());
}

PerceptualConfig PerceptualConfig::from_json(JsonObject object) {
  PerceptualConfig c;
  c.network = object.text("network", c.network);
  c.weight = object.number("weight", 0, 1e3, c.weight);
  c.slices = object.integer("slices", 1, 512, c.slices);
  c.window_low = object.number("window_low", -2000, 4000, c.window_low);
  c.window_high = object.number("window_high", -2000, 4000, c.window_high);
  if (c.window_low >= c.window_high) {
    object.fail("window_high", concat(c.window_high, ", expected more than window_low"));
  }
  object.finish();
  return c;
}

Json PerceptualConfig::to_json() const {
  return {{"network", network},
          {"weight", weight},
          {"slices", slices},
          {"window_low", window_low},
          {"window_high", window_high}};
}

}  // namespace guidegen
