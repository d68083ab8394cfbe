#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
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

/// Runs the real program with `arguments` in the folder `where`, waits, and gives back what it
/// said.
inline ProgramResult run_program(const std::vector<std::string>& arguments,
                                 const std::filesystem::path& where) {
  const TemporaryFolder spoken;
  const std::string out = spoken.path() / "out", err = spoken.path() / "err";
  std::vector<std::string> words = {GUIDEGEN_BINARY};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, where.c_str());
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT, 0600);
  pid_t child = 0;
  const int problem =
      ::posix_spawn(&child, GUIDEGEN_BINARY, &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (problem != 0) throw std::runtime_error("cannot start " GUIDEGEN_BINARY);
  int status = 0;
  ::waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), read_file(out),
          read_file(err)};
}

}  // namespace guidegen::testing_support
