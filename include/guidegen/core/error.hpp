#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace guidegen {

/// What kind of thing went wrong; decides the exit code of the program.
enum class ErrorKind {
  kFailure,  ///< the work itself failed (I/O, corrupt data file, out of memory): exit 1
  kUsage,    ///< a flag, configuration, prompt or vocabulary is wrong: exit 2
  kPartial,  ///< some cases failed, the others are done: exit 3
};

/// The one exception type that guidegen throws on purpose. `what()` is one line that names the file
/// or key, what is wrong and what would be right.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

/// Exit code of a kind: kFailure 1, kUsage 2, kPartial 3.
int exit_code(ErrorKind kind);

/// Joins its arguments as `operator<<` prints them.
template <typename... Args>
std::string concat(const Args&... args) {
  std::ostringstream out;
  (out << ... << args);
  return out.str();
}

/// Throws Error(kUsage): the user asked for something wrong.
template <typename... Args>
[[noreturn]] void throw_usage(const Args&... args) {
  throw Error(ErrorKind::kUsage, concat(args...));
}

/// Throws Error(kFailure): data or the machine let us down.
template <typename... Args>
[[noreturn]] void throw_failure(const Args&... args) {
  throw Error(ErrorKind::kFailure, concat(args...));
}

}  // namespace guidegen
