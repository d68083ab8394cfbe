#include "nn/group_norm_cpu.hpp"

#include <cmath>
#include <vector>

#include "guidegen/nn/parallel.hpp"
#include "nn/group_norm_kernels.hpp"
#include "nn/group_norm_segments.hpp"

namespace guidegen::group_norm {
namespace {

/// Segments that are worth another thread.
constexpr int64_t kSegmentsATask = 2;

/// Runs body(place, scratch) for every segment; scratch holds `patterns` patterns of floats.
template <typename Body>
void for_each_segment(const Segments& segments, int64_t patterns, const Body& body) {
  parallel_for(0, segments.count(), kSegmentsATask, [&](int64_t first, int64_t last) {
    std::vector<float> scratch(static_cast<size_t>(patterns * segments.period()));
    for (int64_t i = first; i < last; ++i) body(i, segments[i], scratch.data());
  });
}

template <typename T>
const T* data_of(const at::Tensor& t) {
  return static_cast<const T*>(t.const_data_ptr());
}

template <typename T>
Segment<T> segment_at(const Segments& segments, const Segments::Place& place, const Dense& x) {
  return {data_of<T>(x.values) + place.first, place.count, segments.period()};
}

/// Number, mean and sum of squared deviations of some values.
struct Moments {
  double count = 0, mean = 0, deviation = 0;

  /// Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm", 1982.
  void add(const Moments& other) {
    const double total = count + other.count;
    const double delta = other.mean - mean;
    mean += delta * other.count / total;
    deviation += other.deviation + delta * delta * count * other.count / total;
    count = total;
  }
};

/// Moments of each channel of each segment: [segments][channels of a segment].
template <typename T>
std::vector<Moments> segment_moments(const Dense& x, const Segments& segments) {
  const int64_t channels = segments.channels();
  std::vector<Moments> out(static_cast<size_t>(segments.count() * channels));
  std::vector<double> sums(2 * out.size());
  for_each_segment(segments, 3, [&](int64_t index, const auto& place, float* shift) {
    const auto in = segment_at<T>(segments, place, x);
    float* sum = shift + segments.period();
    float* square = sum + segments.period();
    // Sums of differences from one value of the channel: no digits are lost where the mean is
    // large.
    for (int64_t c = 0; c < channels; ++c) shift[c] = to_float(in.x[c]);
    repeat(shift, channels, segments.period());
    std::fill_n(sum, 2 * segments.period(), 0.0F);
    add_moments(in, shift, sum, square);
    segments.gather(place, sum, sums.data() + 2 * index * channels);
    segments.gather(place, square, sums.data() + (2 * index + 1) * channels);
    const auto count = static_cast<double>(segments.voxels(place));
    for (int64_t c = 0; c < channels; ++c) {
      const double total = sums[2 * index * channels + c];
      const double squares = sums[(2 * index + 1) * channels + c];
      out[index * channels + c] = {count, static_cast<double>(shift[c]) + total / count,
                                   std::max(squares - total * total / count, 0.0)};
    }
  });
  return out;
}

/// Fills mean and rstd [B,G].
void find_statistics(const std::vector<Moments>& parts, const Segments& segments, const Dense& x,
                     int64_t groups, double eps, float* mean, float* rstd) {
  const int64_t channels = segments.channels();
  std::vector<Moments> sums(static_cast<size_t>(x.batch * groups));
  for (int64_t i = 0; i < segments.count(); ++i) {
    const auto place = segments[i];
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t group = (place.channel + c) / (x.channels / groups);
      sums[place.sample * groups + group].add(parts[i * channels + c]);
    }
  }
  for (size_t i = 0; i < sums.size(); ++i) {
    mean[i] = static_cast<float>(sums[i].mean);
    rstd[i] = static_cast<float>(1.0 / std::sqrt(sums[i].deviation / sums[i].count + eps));
  }
}

/// The affine map z = gain xhat + offset, and z = slope x + intercept: [B,C] each.
struct Affine {
  std::vector<float> mean, rstd;  // of the channel's group
  std::vector<float> gain, slope, intercept;

  Affine(const Dense& x, int64_t groups, const float* means, const float* rstds,
         const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& scale,
         const at::Tensor& shift) {
    for (int64_t i = 0; i < x.batch * x.channels; ++i) {
      const int64_t c = i % x.channels;
      const int64_t group = i / x.channels * groups + c / (x.channels / groups);
      const double factor = scale.defined() ? 1.0 + scale.const_data_ptr<float>()[i] : 1.0;
      const double g = weight.const_data_ptr<float>()[c] * factor;
      const double o = bias.const_data_ptr<float>()[c] * factor +
                       (shift.defined() ? shift.const_data_ptr<float>()[i] : 0.0F);
      const double m = means[group], r = rstds[group];
      mean.push_back(means[group]);
      rstd.push_back(rstds[group]);
      gain.push_back(static_cast<float>(g));
      slope.push_back(static_cast<float>(g * r));
      intercept.push_back(static_cast<float>(o - m * r * g));
    }
  }
};

template <typename T>
void run_forward(const Dense& x, int64_t groups, double eps, const Normalized& out,
                 const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& scale,
                 const at::Tensor& shift) {
  const Segments segments(x);
  auto* mean = std::get<1>(out).mutable_data_ptr<float>();
  auto* rstd = std::get<2>(out).mutable_data_ptr<float>();
  find_statistics(segment_moments<T>(x, segments), segments, x, groups, eps, mean, rstd);
  const Affine affine(x, groups, mean, rstd, weight, bias, scale, shift);
  auto* y = static_cast<T*>(std::get<0>(out).mutable_data_ptr());
  for_each_segment(segments, 2, [&](int64_t, const auto& place, float* slope) {
    float* intercept = slope + segments.period();
    segments.spread(place, affine.slope, slope);
    segments.spread(place, affine.intercept, intercept);
    normalize(segment_at<T>(segments, place, x), slope, intercept, y + place.first);
  });
}

/// Per channel of a sample, over its voxels, with z = gain xhat + offset: [B,C] each.
struct GradientSums {
  std::vector<double> dz;       ///< sum of dL/dz
  std::vector<double> dz_xhat;  ///< sum of dL/dz xhat
};

template <typename T>
GradientSums gradient_sums(const Dense& x, const T* dy, const Segments& segments,
                           const Affine& affine) {
  const int64_t channels = segments.channels();
  std::vector<double> parts(2 * static_cast<size_t>(segments.count() * channels));
  for_each_segment(segments, 5, [&](int64_t index, const auto& place, float* slope) {
    float* intercept = slope + segments.period();
    float* mean = intercept + segments.period();
    float* sum = mean + segments.period();
    float* product = sum + segments.period();
    segments.spread(place, affine.slope, slope);
    segments.spread(place, affine.intercept, intercept);
    segments.spread(place, affine.mean, mean);
    std::fill_n(sum, 2 * segments.period(), 0.0F);
    add_gradient_sums(segment_at<T>(segments, place, x), dy + place.first, slope, intercept, mean,
                      sum, product);
    segments.gather(place, sum, parts.data() + 2 * index * channels);
    segments.gather(place, product, parts.data() + (2 * index + 1) * channels);
  });
  GradientSums out{std::vector<double>(affine.mean.size()),
                   std::vector<double>(affine.mean.size())};
  for (int64_t i = 0; i < segments.count(); ++i) {
    const auto place = segments[i];
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t to = place.sample * x.channels + place.channel + c;
      out.dz[to] += parts[2 * i * channels + c];
      out.dz_xhat[to] += parts[(2 * i + 1) * channels + c] * static_cast<double>(affine.rstd[to]);
    }
  }
  return out;
}

/// Gradients of the [C] and [B,C] operands from the sums.
void parameter_gradients(const GradientSums& sums, const Dense& x, const at::Tensor& weight,
                         const at::Tensor& bias, const at::Tensor& scale, const Gradients& out) {
  std::vector<double> dweight(x.channels), dbias(x.channels);
  for (int64_t i = 0; i < x.batch * x.channels; ++i) {
    const int64_t c = i % x.channels;
    const double factor = scale.defined() ? 1.0 + scale.const_data_ptr<float>()[i] : 1.0;
    dweight[c] += factor * sums.dz_xhat[i];
    dbias[c] += factor * sums.dz[i];
    std::get<3>(out).mutable_data_ptr<float>()[i] =
        static_cast<float>(weight.const_data_ptr<float>()[c] * sums.dz_xhat[i] +
                           bias.const_data_ptr<float>()[c] * sums.dz[i]);
    std::get<4>(out).mutable_data_ptr<float>()[i] = static_cast<float>(sums.dz[i]);
  }
  for (int64_t c = 0; c < x.channels; ++c) {
    std::get<1>(out).mutable_data_ptr<float>()[c] = static_cast<float>(dweight[c]);
    std::get<2>(out).mutable_data_ptr<float>()[c] = static_cast<float>(dbias[c]);
  }
}

/// dx = slope dz + of_x x + constant: the last two [B,C], equal within a group.
struct InputGradient {
  std::vector<float> of_x, constant;

  InputGradient(const GradientSums& sums, const Affine& affine, const Dense& x, int64_t groups) {
    const int64_t in_group = x.channels / groups;
    const double values = static_cast<double>(in_group) * static_cast<double>(x.voxels);
    for (int64_t first = 0; first < x.batch * x.channels; first += in_group) {
      double mean_dxhat = 0, mean_product = 0;
      for (int64_t i = first; i < first + in_group; ++i) {
        mean_dxhat += static_cast<double>(affine.gain[i]) * sums.dz[i] / values;
        mean_product += static_cast<double>(affine.gain[i]) * sums.dz_xhat[i] / values;
      }
      const double m = affine.mean[first], r = affine.rstd[first];
      of_x.insert(of_x.end(), in_group, static_cast<float>(-r * r * mean_product));
      constant.insert(constant.end(), in_group,
                      static_cast<float>(m * r * r * mean_product - r * mean_dxhat));
    }
  }
};

template <typename T>
void run_backward(const Dense& x, const at::Tensor& dy, int64_t groups, const Affine& affine,
                  const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& scale,
                  const Gradients& out) {
  const Segments segments(x);
  const T* from = data_of<T>(dy);
  const auto sums = gradient_sums<T>(x, from, segments, affine);
  parameter_gradients(sums, x, weight, bias, scale, out);
  const InputGradient input(sums, affine, x, groups);
  auto* dx = static_cast<T*>(std::get<0>(out).mutable_data_ptr());
  for_each_segment(segments, 4, [&](int64_t, const auto& place, float* slope) {
    float* intercept = slope + segments.period();
    float* of_x = intercept + segments.period();
    float* constant = of_x + segments.period();
    segments.spread(place, affine.slope, slope);
    segments.spread(place, affine.intercept, intercept);
    segments.spread(place, input.of_x, of_x);
    segments.spread(place, input.constant, constant);
    input_gradient(segment_at<T>(segments, place, x), from + place.first, slope, intercept, of_x,
                   constant, dx + place.first);
  });
}

/// Float16 is rare on processors: it takes the way through float32.
at::Tensor computable(const at::Tensor& x) {
  return x.scalar_type() == at::kHalf ? x.to(at::kFloat) : x;
}

}  // namespace

Normalized forward_cpu(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                       const at::Tensor& bias, const std::optional<at::Tensor>& scale,
                       const std::optional<at::Tensor>& shift, double eps) {
  const Dense in(computable(x));
  const auto options = x.options().dtype(at::kFloat);
  const Normalized out{at::empty_like(in.values), at::empty({in.batch, groups}, options),
                       at::empty({in.batch, groups}, options)};
  if (x.numel() == 0) return out;
  const auto w = dense_float(weight), b = dense_float(bias), s = dense_float(scale),
             t = dense_float(shift);
  if (in.values.scalar_type() == at::kBFloat16) {
    run_forward<uint16_t>(in, groups, eps, out, w, b, s, t);
  } else {
    run_forward<float>(in, groups, eps, out, w, b, s, t);
  }
  return {std::get<0>(out).to(x.scalar_type()), std::get<1>(out), std::get<2>(out)};
}

Gradients backward_cpu(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& mean,
                       const at::Tensor& rstd, int64_t groups, const at::Tensor& weight,
                       const at::Tensor& bias, const std::optional<at::Tensor>& scale,
                       const std::optional<at::Tensor>& shift) {
  const Dense in(computable(x));
  const auto options = x.options().dtype(at::kFloat);
  const Gradients out{at::empty_like(in.values), at::zeros({in.channels}, options),
                      at::zeros({in.channels}, options),
                      at::zeros({in.batch, in.channels}, options),
                      at::zeros({in.batch, in.channels}, options)};
  if (x.numel() == 0) return out;
  const auto w = dense_float(weight), b = dense_float(bias), s = dense_float(scale),
             t = dense_float(shift);
  const Affine affine(in, groups, mean.const_data_ptr<float>(), rstd.const_data_ptr<float>(), w, b,
                      s, t);
  if (in.values.scalar_type() == at::kBFloat16) {
    run_backward<uint16_t>(in, in.like_this(dy), groups, affine, w, b, s, out);
  } else {
    run_backward<float>(in, in.like_this(dy), groups, affine, w, b, s, out);
  }
  return {std::get<0>(out).to(x.scalar_type()), std::get<1>(out), std::get<2>(out),
          std::get<3>(out), std::get<4>(out)};
}

}  // namespace guidegen::group_norm
