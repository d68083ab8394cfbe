#!/usr/bin/env bash
# Sets the machine up, builds, and runs every test; the last lines are ctest's own summary.
#
#   scripts/test.sh [ctest option ...]     for instance: scripts/test.sh -R volume
#
# Environment: CI=true makes warnings errors; GUIDEGEN_JOBS sets how many jobs run at once.
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

timed "set-up" "$root/scripts/setup.sh"
timed "build" configure_and_build all
say "tests"
cd "$root"
exec ctest --preset release --parallel "$(jobs_at_once)" --no-tests=error "$@"
