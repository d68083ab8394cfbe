#!/usr/bin/env bash
# Installs the build tree to a scratch folder, moves it, and checks that the program runs there
# with nothing of the build tree or the source tree, and that it fails well without LibTorch.
#   install_test.sh CMAKE BUILD_DIR SOURCE_DIR LIBTORCH
set -euo pipefail
cmake="$1" build="$2" source="$3" torch="$(cd "$4" && pwd)"

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

"$cmake" --install "$build" --prefix "$scratch/first" --strip >"$scratch/install.log" 2>&1 ||
  { cat "$scratch/install.log" >&2; fail "cmake --install"; }
mv "$scratch/first" "$scratch/moved"
tree="$scratch/moved"
cd /

"$source/scripts/check_package.sh" "$tree" "$torch" "$source" || fail "the moved tree is not whole"
for file in share/guidegen/LICENSE share/guidegen/README.md share/guidegen/configs; do
  [[ -e "$tree/$file" ]] || fail "$file is not installed"
done

# Without LibTorch: one line that says what to set, and exit code 1.
code=0
env -i HOME="$scratch" "$tree/bin/guidegen" --version >/dev/null 2>"$scratch/stderr" || code=$?
((code == 1)) || fail "exit code $code without LibTorch"
[[ "$(wc -l <"$scratch/stderr")" == 1 ]] || fail "not one line: $(<"$scratch/stderr")"
grep -q GUIDEGEN_LIBTORCH "$scratch/stderr" || fail "no hint: $(<"$scratch/stderr")"
echo "the installed tree is relocatable"
