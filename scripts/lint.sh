#!/usr/bin/env bash
# Checks the style, and on request the code, without changing anything.
#
#   scripts/lint.sh                     clang-format and the layering of the areas
#   scripts/lint.sh --tidy [file ...]   clang-tidy too, on these files or on every source
#   scripts/lint.sh --fix               formats in place instead of checking
#
# Needs clang-format and clang-tidy 14; clang-tidy needs a configured build tree (build/release,
# build/dev or GUIDEGEN_BUILD_DIR) for its compile commands.
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"

# With several versions installed, the one that .clang-format and .clang-tidy are written for.
tool() { command -v "$1-14" || command -v "$1" || die "$1 is not installed (apt-get install $1)"; }

tidy() {
  local build="${GUIDEGEN_BUILD_DIR:-}" candidate
  for candidate in build/release build/dev; do
    [[ -z "$build" && -f "$candidate/compile_commands.json" ]] && build="$candidate"
  done
  [[ -n "$build" ]] || die "no compile commands: configure first (cmake --preset dev)"
  local scratch
  scratch="$(mktemp -d)"
  # clang cannot read g++'s precompiled header: give it the plain one.
  sed -E "s/-fpch-preprocess//g; s#-Winvalid-pch -include [^ ]+#-include $root/cmake/pch.hpp#g" \
    "$build/compile_commands.json" >"$scratch/compile_commands.json"
  printf '%s\n' "$@" |
    xargs -P "$(jobs_at_once)" -n 1 "$(tool clang-tidy)" --quiet -p "$scratch" || {
      rm -rf "$scratch"
      die "clang-tidy has findings"
    }
  rm -rf "$scratch"
}

check_format() {
  local file bad=0
  for file in "${sources[@]}"; do
    "$(tool clang-format)" --dry-run --Werror "$file" 2>/dev/null && continue
    echo "$file: not formatted" >&2
    bad=1
  done
  ((bad == 0)) || die "run scripts/lint.sh --fix"
}

mapfile -t sources < <(git ls-files --cached --others --exclude-standard \
  'include/*.hpp' 'src/*.hpp' 'src/*.cpp' 'tests/*.hpp' 'tests/*.cpp' 'cmake/*.hpp' \
  'bench/*.hpp' 'bench/*.cpp' 'src/cuda/*.cu' 'src/cuda/*.cuh' |
  while read -r file; do [[ -f "$file" ]] && echo "$file"; done)

case "${1:-}" in
  --fix) "$(tool clang-format)" -i "${sources[@]}" ;;
  "" | --tidy)
    check_format
    cmake -DROOT="$root" -P tests/layering/check_layering.cmake
    if [[ "${1:-}" == --tidy ]]; then
      shift
      if (($# == 0)); then mapfile -t all < <(git ls-files 'src/*.cpp'); set -- "${all[@]}"; fi
      tidy "$@"
    fi
    ;;
  *) die "unknown option $1 (see the top of this file)" ;;
esac
say "clean"
