#include "cli/given_labels.hpp"

#include <ATen/ATen.h>

#include <charconv>
#include <set>

#include "guidegen/core/error.hpp"
#include "guidegen/volume/labels.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {

namespace {

std::set<int> labels_named(const std::vector<std::string>& names, const Vocabulary& vocabulary) {
  std::set<int> labels;
  for (const std::string& name : names) {
    const auto group = vocabulary.groups().find(name);
    if (group != vocabulary.groups().end()) {
      labels.insert(group->second.begin(), group->second.end());
    } else {
      labels.insert(vocabulary.id(name));
    }
  }
  return labels;
}

double number_in(const std::string& text, const std::string& flag_value) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (text.empty() || result.ec != std::errc() || result.ptr != end) {
    throw_usage("--schedule ", flag_value, ": '", text,
                "' is not a number; expected even, power:EXPONENT, or shares such as 1,0.9,0.5");
  }
  return value;
}

}  // namespace

void check_options(const KeepOptions& options) {
  const bool parts = !options.keep.empty() || !options.region.empty();
  if (options.used() && !parts) {
    throw_usage("--mask ", options.mask, ": nothing of it is kept; give --keep or --region");
  }
  if (!options.used() && parts) {
    throw_usage(options.keep.empty() ? "--region" : "--keep",
                ": there is no mask to keep something of; give --mask");
  }
}

GivenMask read_given_labels(const KeepOptions& options, const Vocabulary& vocabulary) {
  const std::set<int> kept = labels_named(options.keep, vocabulary);
  const Volume mask = read_mask(options.mask, vocabulary.size());
  GivenMask result;
  result.geometry = mask.geometry;
  result.given.labels = mask.data[0];
  result.given.fixed = at::zeros(mask.data[0].sizes(), at::kBool);
  for (const int label : kept) {
    result.given.fixed.logical_or_(voxels_of(mask.data[0], label));
    result.given.complete.push_back(label);
  }
  if (options.region.empty()) return result;
  const Volume region = read_mask(options.region);
  if (!same_geometry(region.geometry, mask.geometry)) {
    throw_usage(options.region, ": its grid differs from that of ", options.mask,
                ", expected a region on the grid of the mask");
  }
  const auto outside = voxels_of(region.data[0], 0);
  if (outside.all().item<bool>()) {
    throw_usage(options.region, ": every voxel is 0, expected others where labels are made anew");
  }
  result.given.fixed.logical_or_(outside);
  return result;
}

void set_schedule(const std::string& text, MaskSampling& sampling) {
  constexpr std::string_view kPower = "power:";
  if (text == "even") {
    sampling.exponent = 0.0;
  } else if (text.starts_with(kPower)) {
    sampling.exponent = number_in(text.substr(kPower.size()), text);
    if (*sampling.exponent < 0 || *sampling.exponent > 10) {
      throw_usage("--schedule ", text, ": expected an exponent from 0 to 10");
    }
  } else {
    for (size_t begin = 0; begin <= text.size();) {
      const size_t comma = std::min(text.find(',', begin), text.size());
      const double share = number_in(text.substr(begin, comma - begin), text);
      if (share <= 0 || (sampling.times.empty() ? share != 1 : share >= sampling.times.back())) {
        throw_usage("--schedule ", text, ": ", share,
                    ", expected shares from 1 down, each above 0 and smaller than the one before");
      }
      sampling.times.push_back(share);
      begin = comma + 1;
    }
  }
}

}  // namespace guidegen
