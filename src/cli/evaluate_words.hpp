#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/print.hpp"
#include "guidegen/anatomy/vocabulary.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/progress.hpp"

namespace guidegen {

/// The vocabulary asked for by `name`, else that of `data` (dataset.json of a data set,
/// vocabulary.json of generated cases), else the shipped one.
Vocabulary vocabulary_for(const std::string& name, const std::string& data);

/// A bar that appears with the first case.
class CaseBar {
 public:
  std::function<void(int64_t, int64_t)> callback() {
    return [this](int64_t done, int64_t total) {
      if (!bar_) bar_ = std::make_unique<Progress>("evaluate", total);
      bar_->update(done);
      if (done == total) bar_->finish();
    };
  }

 private:
  std::unique_ptr<Progress> bar_;
};

/// JSON into the file `out` where one is named; that JSON or a table on stdout.
template <typename Report>
void publish(const Report& report, const std::string& out, bool json) {
  const Json document = to_json(report);
  if (!out.empty()) write_file_atomic(out, dump_json(document));
  if (json) {
    print_json(document);
  } else {
    print_text(to_table(report));
  }
}

}  // namespace guidegen
