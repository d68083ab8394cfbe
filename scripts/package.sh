#!/usr/bin/env bash
# Builds the relocatable archive build/release/guidegen-<version>-linux-<cpu>.tar.gz and checks that
# what is in it runs from another folder.
#
#   scripts/package.sh
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

timed "set-up" "$root/scripts/setup.sh"
timed "build" configure_and_build guidegen_package
rm -f "$build_dir"/guidegen-*.tar.gz
(cd "$build_dir" && cpack -G TGZ >&2)
archive="$(echo "$build_dir"/guidegen-*.tar.gz)"

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
tar -xzf "$archive" -C "$scratch"
torch="${Torch_ROOT:-$cache/libtorch-$LIBTORCH_VERSION/torch}"
"$root/scripts/check_package.sh" "$scratch"/guidegen-* "$torch" "$root" >&2
echo "$archive"
