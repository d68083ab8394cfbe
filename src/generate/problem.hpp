#pragma once

#include <c10/util/Exception.h>

#include <new>
#include <string>

#include "guidegen/core/error.hpp"
#include "guidegen/core/failure_report.hpp"

namespace guidegen {

/// Runs `work`; says in one line why it failed, or nothing. Only what is about the work itself is
/// caught: Stopped and CrewLost pass, and so do errors of a GPU that takes no more work (illegal
/// access, ECC), after which every further case would fail within milliseconds.
template <typename Work>
std::string problem_in(const Work& work) {
  try {
    work();
    return "";
  } catch (const std::bad_alloc&) {
    return "out of memory";
  } catch (const c10::AcceleratorError&) {
    throw;
  } catch (const c10::Error& error) {
    return std::string(first_line(error.what_without_backtrace()));
  } catch (const std::exception& error) {
    return std::string(first_line(error.what()));
  }
}

}  // namespace guidegen
