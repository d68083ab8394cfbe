#pragma once

#include <string_view>

namespace guidegen {

/// Libraries may put whole call stacks into a message; people get its first line.
std::string_view first_line(std::string_view message);

/// Whether LibTorch says that a processor ran out of memory: for GPUs it has an exception type of
/// its own, for processors only the text tells.
bool speaks_of_cpu_memory(std::string_view message);

/// Tells torchrun why this process fails: writes $TORCHELASTIC_ERROR_FILE, which torchrun sets for
/// every worker and prints as "Root Cause (first observed failure)". Does nothing where the
/// variable is not set. Never throws: it runs while the process is failing already.
///
/// Format, as torch.distributed.elastic.multiprocessing.errors reads it:
///
///     {"message": {"message": "<text>", "errorCode": <exit code>,
///                  "extraInfo": {"py_callstack": "<text>", "timestamp": "<Unix seconds>"}}}
void write_torchelastic_error(std::string_view message, int exit_code) noexcept;

}  // namespace guidegen
