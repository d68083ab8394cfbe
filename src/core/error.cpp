#include "guidegen/core/error.hpp"

namespace guidegen {

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kFailure:
      return 1;
    case ErrorKind::kUsage:
      return 2;
    case ErrorKind::kPartial:
      return 3;
  }
  return 1;
}

}  // namespace guidegen
