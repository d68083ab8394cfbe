# shellcheck shell=bash disable=SC2034
# Shared by the scripts of this folder; to be sourced, not run.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cache="${XDG_CACHE_HOME:-${HOME:?set HOME or XDG_CACHE_HOME}/.cache}/guidegen"
oracles="$cache/oracles"
pytorch="$cache/pytorch"
# shellcheck source=third_party/versions.env
source "$root/third_party/versions.env"

say() { printf '== %s\n' "$*" >&2; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# Compilers at once: one a core, but no more than memory allows, because a file that sees LibTorch
# needs up to 2 GB.
jobs_at_once() {
  local cores memory_gb
  cores="$(nproc)"
  memory_gb="$(awk '/^MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)"
  local fit=$((memory_gb / 2))
  ((fit < 1)) && fit=1
  echo "${GUIDEGEN_JOBS:-$((cores < fit ? cores : fit))}"
}

# Runs a step and says how long it took.
timed() {
  local what="$1" start="$SECONDS"
  shift
  say "$what"
  "$@"
  say "$what: done in $((SECONDS - start)) s"
}

# demo.sh and test.sh share this one build tree, so that whoever runs both compiles once.
build_dir="$root/build/release"

# configure_and_build TARGET
configure_and_build() {
  local werror=OFF
  [[ "${CI:-}" == true ]] && werror=ON
  (cd "$root" && cmake --preset release -DGUIDEGEN_WERROR="$werror" >&2)
  cmake --build "$build_dir" --parallel "$(jobs_at_once)" --target "$1" >&2
}

# The test programs that run where GUIDEGEN_TEST_DEVICE says.
device_tests() {
  grep -rl --include='*_test.cpp' 'nn/test_device\.hpp' "$root/tests" |
    sed -E "s|^$root/tests/([^/]+)/.*|test_\1|" | sort -u
}

# Runs a function on each of the further arguments, $processes at a time.
in_turn() {
  local function="$1" running=0 item
  shift
  for item in "$@"; do
    "$function" "$item" &
    if ((++running >= processes)); then
      wait -n || die "a run failed, see above"
      running=$((running - 1))
    fi
  done
  while ((running-- > 0)); do wait -n || die "a run failed, see above"; done
}

# claim_folder FOLDER SETTINGS: a folder that keeps what is finished serves one set of options.
claim_folder() {
  if [[ -e "$1/settings" && "$(<"$1/settings")" != "$2" ]]; then
    die "$1: holds results of other options, expected another --out"
  fi
  printf '%s\n' "$2" >"$1/settings"
}
