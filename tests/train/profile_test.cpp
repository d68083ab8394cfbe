#include "guidegen/train/profile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <map>
#include <string>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/train/trace_scope.hpp"

namespace guidegen {
namespace {

/// A step like the trainer's.
void work() {
  torch::nn::Linear layer(8, 4);
  const TraceScope step("step");
  at::Tensor loss;
  {
    const TraceScope scope("forward");
    loss = layer->forward(torch::ones({2, 8})).square().sum();
  }
  const TraceScope scope("backward");
  loss.backward();
}

struct Span {
  double start = 0;
  double end = 0;
  Json args{};
};

/// Complete events ("X") by name; checks that each has what Perfetto needs.
std::multimap<std::string, Span> spans_of(const std::filesystem::path& path) {
  const Json trace = read_json_file(path);
  std::multimap<std::string, Span> spans;
  for (const Json& event : trace.at("traceEvents")) {
    EXPECT_TRUE(event.contains("ph") && event.contains("pid")) << event;
    if (event.at("ph") == "M") continue;  // metadata: names of processes and threads
    EXPECT_TRUE(event.contains("ts") && event.contains("tid") && event.contains("name")) << event;
    EXPECT_GE(event.at("ts").get<double>(), 0) << event;
    if (event.at("ph") != "X") continue;
    const double start = event.at("ts").get<double>(), length = event.at("dur").get<double>();
    EXPECT_GE(length, 0) << event;
    spans.insert({event.at("name").get<std::string>(),
                  {start, start + length, event.value("args", Json::object())}});
  }
  return spans;
}

const Span& only(const std::multimap<std::string, Span>& spans, const std::string& name) {
  EXPECT_EQ(spans.count(name), 1) << name;
  static const Span none;
  const auto found = spans.find(name);
  return found == spans.end() ? none : found->second;
}

TEST(ProfileSession, RecordsOperatorsAndNamedRanges) {
  const TemporaryFolder folder;
  ProfileSession session(folder / "trace.json", false);
  work();
  session.stop();
  work();  // not recorded any more
  const auto spans = spans_of(folder / "trace.json");
  const Span& step = only(spans, "step");
  const Span& forward = only(spans, "forward");
  const Span& backward = only(spans, "backward");
  EXPECT_LE(step.start, forward.start);
  EXPECT_LE(forward.end, backward.start);
  EXPECT_LE(backward.end, step.end + 1);  // microseconds
  const Span& product = only(spans, "aten::addmm");
  EXPECT_LE(forward.start, product.start);
  EXPECT_LE(product.end, forward.end);
  EXPECT_GT(product.end, product.start);
  EXPECT_EQ(product.args.value("Input Dims", Json()), Json::parse("[[4], [2, 8], [8, 4], [], []]"));
  // The gradient of the layer's weights.
  bool gradient = false;
  for (const auto& [name, span] : spans) {
    gradient = gradient || (name == "aten::mm" && span.start >= backward.start);
  }
  EXPECT_TRUE(gradient);
  EXPECT_THAT(folder.entries(), testing::ElementsAre("trace.json"));
}

TEST(ProfileSession, TheDestructorWritesAndAnotherMayFollow) {
  const TemporaryFolder folder;
  {
    const ProfileSession session(folder / "first", false);
    work();
  }
  {
    const ProfileSession session(folder / "second", false);
    work();
  }
  only(spans_of(folder / "first"), "forward");
  only(spans_of(folder / "second"), "forward");
}

TEST(ProfileSession, OneAtATime) {
  const TemporaryFolder folder;
  const ProfileSession session(folder / "a", false);
  EXPECT_THAT([&] { ProfileSession(folder / "b", false); },
              throws_failure(testing::HasSubstr("b: a profile is being recorded already")));
}

TEST(ProfileSession, SaysBeforehandThatTheFileCannotBeWritten) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { ProfileSession(folder / "none" / "trace.json", false); },
              throws_failure(testing::HasSubstr("none/trace.json")));
  work();
}

}  // namespace
}  // namespace guidegen
