#!/usr/bin/env bash
# Checks that an unpacked guidegen runs by itself.
#
#   scripts/check_package.sh TREE LIBTORCH [FORBIDDEN]
#
# TREE holds bin/guidegen, LIBTORCH lib/libtorch_cpu.so; no library may come from below FORBIDDEN.
# Every library must come from TREE, from LIBTORCH, or be one that each Linux has (the C and C++
# runtime), whatever else is installed on this machine.
set -euo pipefail
tree="$(cd "$1" && pwd)"
torch="$(cd "$2" && pwd)"
forbidden="${3:-}"
fail() { echo "check_package: $*" >&2; exit 1; }

version="$(env -i HOME=/ GUIDEGEN_LIBTORCH="$torch" "$tree/bin/guidegen" --version)"
[[ "$version" =~ [0-9]+\.[0-9]+\.[0-9]+ ]] || fail "--version printed '$version'"

# The dynamic loader's own account of which file serves which name.
loaded="$(env -i HOME=/ GUIDEGEN_LIBTORCH="$torch" LD_TRACE_LOADED_OBJECTS=1 \
  LD_LIBRARY_PATH="$torch/lib" "$tree/libexec/guidegen")"
bundled=0
while read -r name arrow path _; do
  [[ "$arrow" == "=>" ]] || continue
  case "$path" in
    not) fail "$name is not found" ;;
    "$tree"/*) bundled=$((bundled + 1)) ;;
  esac
  real="$(realpath "$path")"
  case "$name" in
    libc.so* | libm.so* | libdl.so* | librt.so* | libpthread.so* | libresolv.so* | libutil.so* | \
      libmvec.so* | libstdc++.so* | libgcc_s.so* | ld-linux*) continue ;;
  esac
  case "$real" in
    "$tree"/* | "$(dirname "$torch")"/*) ;;
    *) fail "$name comes from $real, which is outside the package" ;;
  esac
  if [[ -n "$forbidden" && "$real" == "$forbidden"/* && "$real" != "$tree"/* ]]; then
    fail "$name comes from $real in the source tree"
  fi
done <<<"$loaded"
((bundled > 0)) || fail "no bundled library is in use: $loaded"
echo "$version: $bundled bundled libraries, none missing, none from elsewhere"
