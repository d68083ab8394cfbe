#pragma once

#include <ATen/record_function.h>

namespace guidegen {

/// Names what the current thread does until the end of the block, as a bar of its own in a
/// profile ("data wait", "forward", "backward", "optimizer"). Costs next to nothing while nobody
/// profiles. May be nested.
class TraceScope {
 public:
  /// `name` must outlive the block: a literal.
  explicit TraceScope(const char* name) : range_(at::RecordScope::USER_SCOPE) {
    if (range_.isActive()) range_.before(name);
  }
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;

 private:
  at::RecordFunction range_;
};

}  // namespace guidegen
