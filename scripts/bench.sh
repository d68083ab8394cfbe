#!/usr/bin/env bash
# Builds and runs the benchmarks: kernels, training steps and sampling of each stage against the same
# networks in PyTorch, and training on several processes. Takes about half an hour on two cores,
# --quick some minutes. Run it on a machine that does nothing else.
#
#   scripts/bench.sh [--device cpu|cuda] [--quick] [--out FILE.json] [--markdown FILE.md] [option ...]
#
#   --out FILE.json      results; out/benchmarks.json unless given
#   --markdown FILE.md   also renders them between the markers of this page (docs/benchmarks.md)
#   other options go to bench/run.py: --threads N, --precision bf16, --presets demo ..., --only steps
#
# Environment: GUIDEGEN_PYTORCH is a Python with torch (default: the one that scripts/setup.sh
# --with-pytorch makes; without one only guidegen is measured).
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

out="$root/out/benchmarks.json" markdown="" options=()
while (($# > 0)); do
  case "$1" in
    --out | --markdown)
      (($# > 1)) || die "$1: expected a file"
      if [[ "$1" == --out ]]; then out="$2"; else markdown="$2"; fi
      shift 2
      ;;
    --help) sed -n '2,/^# shellcheck/{/^# shellcheck/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit ;;
    *) options+=("$1"); shift ;;
  esac
done

"$root/scripts/setup.sh"
python="${GUIDEGEN_PYTORCH:-$pytorch/bin/python}"
if [[ -x "$python" ]]; then
  options+=(--python "$python")
else
  say "no PyTorch at $python: measuring guidegen alone (scripts/setup.sh --with-pytorch)"
fi

(cd "$root" && cmake --preset release -DGUIDEGEN_BENCHMARKS=ON >&2)
cmake --build "$build_dir" --parallel "$(jobs_at_once)" --target guidegen guidegen_benchmarks >&2
"$oracles/bin/python" "$root/bench/run.py" --build "$build_dir" --out "$out" \
  ${options[@]+"${options[@]}"}
"$oracles/bin/python" "$root/bench/report.py" "$out" ${markdown:+"$markdown"}
