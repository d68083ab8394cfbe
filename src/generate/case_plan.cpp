#include "guidegen/generate/case_plan.hpp"

#include <algorithm>
#include <cstdio>
#include <set>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/random_stream.hpp"

namespace guidegen {
namespace {

std::string sample_suffix(int index) {
  char text[16];
  std::snprintf(text, sizeof text, "-s%02d", index + 1);
  return text;
}

/// Names that the output folder has for files of its own.
void refuse_our_names(const std::string& id, const std::string& source) {
  static const std::set<std::string> ours = {"contact_sheet.png", "index.html", "labels.ctbl",
                                             "vocabulary.json"};
  if (ours.count(id) == 0 && id.rfind("manifest", 0) != 0) return;
  throw_usage(source, ": id '", id,
              "' is the name of a file of the output folder, expected another");
}

uint64_t derived_seed(uint64_t seed, const std::string& id, const char* purpose, int attempt) {
  if (attempt == 0) return seed;
  RandomStream stream(seed, id, purpose + std::to_string(attempt));
  return stream.next_u64() >> 11;  // exact in JSON readers that hold numbers as doubles
}

/// Names of `only` select a prompt with all its samples, or one case.
void select_only(std::vector<PlannedCase>& plan, const std::vector<std::string>& only,
                 const std::string& source) {
  if (only.empty()) return;
  std::vector<std::string> known;
  for (PlannedCase& planned : plan) {
    planned.selected = false;
    known.push_back(planned.id);
    known.push_back(planned.source);
  }
  for (const std::string& id : only) {
    bool found = false;
    for (PlannedCase& planned : plan) {
      if (planned.id != id && planned.source != id) continue;
      planned.selected = found = true;
    }
    if (found) continue;
    const std::string near = nearest_match(id, known);
    throw_usage("--only ", id, ": ", source, " has no such prompt",
                near.empty() ? "" : ", did you mean '" + near + "'?");
  }
}

}  // namespace

std::vector<PlannedCase> plan_cases(const std::vector<Prompt>& prompts,
                                    const CaseSelection& selection, const std::string& source) {
  std::vector<PlannedCase> plan;
  std::set<std::string> ids;
  for (const Prompt& prompt : prompts) {
    const int samples = selection.samples.value_or(prompt.samples);
    for (int sample = 0; sample < samples; ++sample) {
      PlannedCase planned{prompt.id, prompt, prompt.id, true};
      if (samples > 1) planned.id += sample_suffix(sample);
      check_file_name(planned.id, source + ": id '" + planned.id + "'");
      refuse_our_names(planned.id, source);
      if (!ids.insert(planned.id).second) {
        throw_usage(source, ": two cases would be named '", planned.id,
                    "', expected ids that stay different with -s01, -s02… added");
      }
      planned.prompt.id = planned.id;
      planned.prompt.seed = prompt.seed + static_cast<uint64_t>(sample);
      planned.prompt.samples = 1;
      plan.push_back(std::move(planned));
    }
  }
  select_only(plan, selection.only, source);
  int64_t left = selection.limit.value_or(static_cast<int64_t>(plan.size()));
  for (PlannedCase& planned : plan) {
    if (planned.selected) planned.selected = left-- > 0;
  }
  return plan;
}

uint64_t attempt_seed(const PlannedCase& planned, int attempt) {
  return derived_seed(planned.prompt.seed, planned.id, "generate/attempt/", attempt);
}

uint64_t ct_attempt_seed(const PlannedCase& planned, uint64_t mask_seed, int attempt) {
  return derived_seed(mask_seed, planned.id, "generate/ct-attempt/", attempt);
}

std::string text_of(const Prompt& prompt) {
  return prompt.text ? *prompt.text : describe(prompt, 0);
}

}  // namespace guidegen
