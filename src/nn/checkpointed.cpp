#include "guidegen/nn/checkpointed.hpp"

#include <torch/torch.h>

#include "guidegen/nn/autocast.hpp"

namespace guidegen {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Body = std::function<at::Tensor(const at::Tensor&, const at::Tensor&)>;

// What a body depends on beside its inputs and weights.
struct Surroundings {
  AutocastState autocast = AutocastState::current();
  at::Generator generator;
  at::Tensor random;  // state of the generator

  explicit Surroundings(const at::Device& device)
      : generator(at::globalContext().defaultGenerator(device)) {
    const std::lock_guard lock(generator.mutex());
    random = generator.get_state();
  }
};

struct Recipe : torch::CustomClassHolder {
  Recipe(Body what, const at::Device& device) : body(std::move(what)), surroundings(device) {}
  Body body;
  Surroundings surroundings;
};

at::Tensor leaf(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.detach().requires_grad_(tensor.requires_grad()) : tensor;
}

class Checkpoint : public torch::autograd::Function<Checkpoint> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& condition, const c10::intrusive_ptr<Recipe>& recipe) {
    context->save_for_backward({x, condition});
    context->saved_data["recipe"] = c10::IValue::make_capsule(recipe);
    return recipe->body(x, condition);
  }

  static variable_list backward(AutogradContext* context, const variable_list& outer) {
    const auto saved = context->get_saved_variables();
    const auto capsule = context->saved_data["recipe"].toCapsule();
    const auto& recipe = static_cast<const Recipe&>(*capsule);
    const at::Tensor x = leaf(saved[0]), condition = leaf(saved[1]);
    at::Tensor output;
    {
      const at::AutoGradMode with_grad(true);
      const AutocastScope autocast(recipe.surroundings.autocast);
      output = again(recipe, x, condition);
    }
    torch::autograd::backward({output}, {outer[0]});
    return {x.grad(), condition.defined() ? condition.grad() : at::Tensor(), at::Tensor()};
  }

 private:
  static at::Tensor again(const Recipe& recipe, const at::Tensor& x, const at::Tensor& condition) {
    auto generator = recipe.surroundings.generator;
    at::Tensor now;
    {
      const std::lock_guard lock(generator.mutex());
      now = generator.get_state();
      generator.set_state(recipe.surroundings.random);
    }
    const auto output = recipe.body(x, condition);
    const std::lock_guard lock(generator.mutex());
    generator.set_state(now);
    return output;
  }
};

}  // namespace

at::Tensor checkpointed(Body body, const at::Tensor& x, const at::Tensor& condition) {
  if (!at::GradMode::is_enabled()) return body(x, condition);
  return Checkpoint::apply(x, condition, c10::make_intrusive<Recipe>(std::move(body), x.device()));
}

}  // namespace guidegen
