#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>

#include "guidegen/diffusion/categorical.hpp"
#include "guidegen/nn/graphed_function.hpp"
#include "guidegen/nn/unet3d.hpp"
#include "guidegen/stages/mask_request.hpp"
#include "guidegen/stages/stage.hpp"
#include "guidegen/stages/text_source.hpp"
#include "guidegen/stages/tumor_plan.hpp"
#include "guidegen/text/attribute_encoder.hpp"

namespace guidegen {

/// Stage I, the semantic synthesizer. JSON keys are the member names.
struct SynthesizerConfig {
  UNet3dConfig unet;
  int64_t label_width = 8;  ///< width of the learned label embedding
  int64_t head_width = 16;  ///< channels at full resolution
  int64_t head_blocks = 0;  ///< residual 3x3x3 convolutions there, beside the first one
  int64_t text_width = 64;
  int64_t embedding_width = 128;      ///< time, geometry and pooled text
  int64_t text_encoder_width = 0;     ///< of a text encoder's tokens; 0: texts are not read
  int64_t sentence_width = 0;         ///< of a teacher's embeddings; 0: no distillation
  bool read_text = true;              ///< knowledge injection from texts, where an encoder is given
  double distillation_weight = 0.05;  ///< of one minus the cosine to the teacher's embedding
  double contrast_weight = 0.02;      ///< of telling the texts of a batch apart
  double contrast_temperature = 0.1;
  double text_dropout = 0.2;  ///< share of training cases whose text is not read
  std::string schedule = "cosine";
  int64_t timesteps = 1000;  ///< T
  double kl_weight = 20.0;   ///< of the KL term; a step's KL is about 1/T of the whole bound
  double ce_weight = 1.0;
  double time_exponent = 1.5;  ///< t is drawn in proportion to t^time_exponent
  /// Voxels of label c count in proportion to frequency(c)^-e in the loss, and the logits that it
  /// sees are shifted to match, so that rare labels are learned sooner and samples stay unbiased.
  double class_weight_exponent = 0.0;
  double plan_voxel_weight = 4.0;  ///< extra weight of voxels inside planned tumors
  int64_t planner_steps = 2000;    ///< of fitting the planner, before the first training step
  double prompt_dropout = 0.1;
  double field_dropout = 0.15;
  int64_t sampling_steps = 25;
  double sampling_exponent = 0.0;  ///< sampling steps are as dense as t^sampling_exponent
  int64_t sampling_votes = 0;      ///< calls a round on the finished mask, see MaskSampling::votes
  std::vector<double> vote_times{0.8, 0.5};  ///< noise of each round, shares of the schedule
  double guidance = 1.0;
  double temperature = 1.0;  ///< of sampling; below 1 prefers likely labels

  static SynthesizerConfig from_json(JsonObject object);
  Json to_json() const;
};

/// p(x_0 | x_t, t, prompt, plan). Works at half resolution after space-to-depth, with a 3x3x3
/// convolution at full resolution at the end. What a voxel's own label and its place in the plan
/// say about x_0 is added to its logits in closed form (Bayes), so the network only learns what the
/// surroundings and the text say.
class SynthesizerImpl : public torch::nn::Module {
 public:
  /// `labels`: how many; `tumor`: which one of them is the tumor.
  SynthesizerImpl(const SynthesizerConfig& config, int64_t labels, int64_t tumor);

  /// Everything beside x_t that a network call needs.
  struct Condition {
    PromptFeatures text;
    at::Tensor plan;      ///< [B,9,D/2,H/2,W/2]: rasterize_plan and coordinates
    at::Tensor odds;      ///< [B,D,H,W], see plan_log_odds
    at::Tensor geometry;  ///< [B,6], see geometry_features
  };
  /// xt labels [B,D,H,W] (even sizes), t [B] int64 -> logits [B,K,D,H,W] float32.
  at::Tensor forward(const at::Tensor& xt, const at::Tensor& t, const Condition& condition);

  /// Fits the tumor planner to plans and the prompts they belong to (config().planner_steps steps
  /// of Adam); a function of its arguments alone. loss() leaves the planner as it is: it needs far
  /// more steps than the network, and far cheaper ones.
  void fit_planner(const std::vector<Prompt>& prompts, const std::vector<TumorPlan>& plans,
                   uint64_t seed);

  /// Sets the class weights from the voxels of each label in the data, int64 or double [K].
  void set_label_counts(const at::Tensor& counts);

  /// Draws t and x_t: tensors x0, xt (labels [B,D,H,W], even sizes), t [B] int64, and plan, odds,
  /// geometry as in Condition. Reads the configuration alone, so it may run on any thread.
  /// With `texts`, also text_tokens [B,T,C], text_present [B,T], sentence [B,E] and taught (int64,
  /// places of the cases that have a prompt).
  StepInputs prepare(const TrainingBatch& batch, const StepRandomness& randomness,
                     TextSource* texts = nullptr) const;
  LossTerms loss(const StepInputs& inputs);

  /// Draws a mask, labels [D,H,W]; see MaskSampler.
  at::Tensor sample(const MaskRequest& request,
                    const std::function<void(int64_t, int64_t)>& on_step = {});

  /// See UNet3dImpl.
  void checkpoint_activations(const std::vector<int64_t>& levels) {
    unet_->checkpoint_activations(levels);
  }
  /// The tumor planner stays on the CPU: it draws a handful of numbers a mask.
  void to(at::Device device, bool non_blocking = false) override;
  using torch::nn::Module::to;

  const SynthesizerConfig& config() const { return config_; }

 private:
  friend class MaskSampler;
  struct Context {
    at::Tensor logits;  // [B,K,D,H,W]
    at::Tensor middle;  // [B,channels.back()], of the coarsest features
  };
  Context context_of(const at::Tensor& xt, const at::Tensor& t, const Condition& condition);
  void prepare_texts(StepInputs& inputs, const StepRandomness& randomness, TextSource& texts) const;
  void distill(const StepInputs& inputs, const at::Tensor& middle, LossTerms& out);
  // Attribute tokens, followed by those of the texts where there are any.
  PromptFeatures encode(const std::vector<std::optional<Prompt>>& prompts,
                        const at::Tensor& text_tokens = {}, const at::Tensor& text_present = {});
  // Voxel weights, [B,D,H,W], and logits shifted by the logarithm of the class weights, in place.
  at::Tensor weigh_classes(const at::Tensor& x0, const at::Tensor& logits) const;
  // What text, plan and surroundings say of x_0, without what the voxel's own label says.
  at::Tensor context_logits(const at::Tensor& xt, const at::Tensor& t, const Condition& condition);
  // Adds what a voxel's own label and the plan say of it, in place; gives `context` back.
  at::Tensor add_evidence(const at::Tensor& context, const at::Tensor& xt, const at::Tensor& t,
                          const Condition& condition);

  SynthesizerConfig config_;
  int64_t tumor_;
  CategoricalDiffusion diffusion_;
  at::Tensor evidence_;  // [T+1] float32, what a voxel's own label says of x_0; on the last device
  AttributeEncoder prompt_encoder_{nullptr};
  TumorPlanner planner_{nullptr};
  torch::nn::Embedding label_embedding_{nullptr};
  torch::nn::Linear time_{nullptr}, geometry_{nullptr}, pooled_{nullptr};
  torch::nn::Linear text_{nullptr}, distilled_{nullptr};  // null when switched off
  UNet3d unet_{nullptr};
  torch::nn::Conv3d expand_{nullptr}, full_{nullptr}, output_{nullptr};
  std::vector<torch::nn::Conv3d> head_;
  at::Tensor class_weights_;  // [K] float32, mean 1 over the voxels; undefined when switched off
  // context_logits of x_t, t, tokens, present, pooled, plan, geometry. Recordings read the weights
  // where they lay: for networks that neither move nor train.
  GraphedFunction graphed_context_{[this](const std::vector<at::Tensor>& in) {
    return context_logits(in[0], in[1], {{in[2], in[3], in[4]}, in[5], {}, in[6]});
  }};
};
TORCH_MODULE(Synthesizer);

}  // namespace guidegen
