#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"

namespace guidegen::testing_support {

struct ProgramResult {
  int exit_code = -1;  ///< -signal when one ended the program
  std::string out;
  std::string err;
};

using Environment = std::map<std::string, std::string>;

inline bool is_of_a_launcher(const std::string& name) {
  for (const char* start : {"SLURM_", "TORCHELASTIC_", "MASTER_"}) {
    if (name.rfind(start, 0) == 0) return true;
  }
  return name == "RANK" || name == "WORLD_SIZE" || name == "LOCAL_RANK";
}

/// The real program (or another), running in the background with `arguments` in the folder `where`.
class Program {
 public:
  /// `environment`: variables set beside those of this process, of which those of a launcher that
  /// the tests themselves may run under are left out.
  Program(const std::vector<std::string>& arguments, const std::filesystem::path& where,
          const Environment& environment = {}, const std::string& program = GUIDEGEN_BINARY)
      : out_(spoken_.path() / "out"), err_(spoken_.path() / "err") {
    std::vector<std::string> words = {program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> variables;
    for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
    std::vector<char*> argv = pointers(words), envp = pointers(variables);
    envp.pop_back();
    for (char** variable = environ; *variable != nullptr; ++variable) {
      const std::string text = *variable;
      const std::string name = text.substr(0, text.find('='));
      if (environment.count(name) == 0 && !is_of_a_launcher(name)) envp.push_back(*variable);
    }
    envp.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, where.c_str());
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, out_.c_str(), O_WRONLY | O_CREAT, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err_.c_str(), O_WRONLY | O_CREAT, 0600);
    const int problem =
        ::posix_spawn(&child_, program.c_str(), &actions, nullptr, argv.data(), envp.data());
    posix_spawn_file_actions_destroy(&actions);
    if (problem != 0) throw std::runtime_error("cannot start " + program);
  }
  ~Program() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void send(int signal_number) const { ::kill(child_, signal_number); }
  bool ended() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
  }
  ProgramResult wait() {
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = 0;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), read_file(out_),
            read_file(err_)};
  }

 private:
  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (auto& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
  }

  TemporaryFolder spoken_;
  std::string out_, err_;
  pid_t child_ = 0;
};

/// Runs the real program, waits, and gives back what it said.
inline ProgramResult run_program(const std::vector<std::string>& arguments,
                                 const std::filesystem::path& where,
                                 const Environment& environment = {}) {
  return Program(arguments, where, environment).wait();
}

}  // namespace guidegen::testing_support
