#!/usr/bin/env bash
# Runs every check that needs a GPU and writes what came out to a folder.
#
#   scripts/gpu_check.sh [--dry-run] [output folder]       the default is out/gpu-check
#
# Works in a built source tree (build/release, configured with -DGUIDEGEN_BENCHMARKS=ON) and in the
# folder that scripts/gpu_bundle.sh makes, which needs nothing but PyTorch 2.11 on the machine.
#
#   1. the test programs whose operators run where GUIDEGEN_TEST_DEVICE says   -> tests/*.log
#   2. the traffic of our kernels against that of a plain copy                 -> kernels.jsonl
#   3. scripts/bench.sh --device cuda, where it is                             -> bench/
#
# --dry-run does it on the processor with tiny sizes, to try the script where there is no GPU.
# Exit code: 0 when every step passed; summary.txt says which did.
#
# Environment: GUIDEGEN_LIBTORCH, the folder with lib/libtorch_cuda.so; by default that of the
# `python3` in PATH, then the one that scripts/setup.sh fills.
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

device=cuda
small=()
out=""
for argument in "$@"; do
  case "$argument" in
    --dry-run) device=cpu small=(--small --rounds 1) ;;
    -*) die "unknown option $argument (see the top of this file)" ;;
    *) out="$argument" ;;
  esac
done
out="${out:-$root/out/gpu-check}"
mkdir -p "$out/tests"
out="$(cd "$out" && pwd)"
: >"$out/summary.txt"

find_libtorch() {
  local found
  found="${GUIDEGEN_LIBTORCH:-$(python3 -c 'import torch; print(torch.__path__[0])' 2>/dev/null)}" ||
    found="$cache/libtorch-2.11.0/torch"
  [[ -e "$found/lib/libtorch_cpu.so" ]] ||
    die "no LibTorch in $found: set GUIDEGEN_LIBTORCH to the folder that has lib/libtorch_cpu.so"
  echo "$found"
}
GUIDEGEN_LIBTORCH="$(find_libtorch)"
export GUIDEGEN_LIBTORCH

# Sets: tests (programs), bench_program.
if [[ -d "$root/libexec" ]]; then
  tests=("$root"/libexec/test_*)
  bench_program="$root/libexec/guidegen_gpu_kernels_bench"
  libraries="$GUIDEGEN_LIBTORCH/lib:$root/lib/guidegen"
  for folder in "$GUIDEGEN_LIBTORCH"/../nvidia/*/lib "$GUIDEGEN_LIBTORCH"/../nvidia/*/*/lib; do
    [[ -d "$folder" ]] && libraries="$libraries:$folder"
  done
  export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
else
  mapfile -t tests < <(device_tests | sed "s|^|$build_dir/tests/|")
  bench_program="$build_dir/bench/guidegen_gpu_kernels_bench"
fi

# step NAME LOG COMMAND...: runs it, keeps its output, notes how it ended.
failed=0
step() {
  local name="$1" log="$2" start="$SECONDS" code=0
  shift 2
  say "$name"
  "$@" >"$log" 2>&1 || code=$?
  ((code == 0)) || { failed=1; tail -n 20 "$log" >&2; }
  printf '%s\t%s\t%d s\n' "$name" "$([[ $code == 0 ]] && echo passed || echo "FAILED ($code)")" \
    $((SECONDS - start)) | tee -a "$out/summary.txt" >&2
}

if [[ "$device" == cuda ]]; then
  step "nvidia-smi" "$out/nvidia-smi.txt" nvidia-smi
fi
for program in "${tests[@]}"; do
  name="$(basename "$program")"
  [[ -x "$program" ]] || die "$program is not built"
  step "$name on $device" "$out/tests/$name.log" \
    env GUIDEGEN_TEST_DEVICE="$device" "$program" --gtest_brief=0
done
[[ -x "$bench_program" ]] || die "$bench_program is not built (-DGUIDEGEN_BENCHMARKS=ON)"
step "kernels on $device" "$out/kernels.jsonl" "$bench_program" --device "$device" "${small[@]}"
if [[ -x "$root/scripts/bench.sh" ]]; then
  dry=()
  [[ "$device" == cpu ]] && dry=(--dry-run)
  mkdir -p "$out/bench"
  step "bench.sh on $device" "$out/bench.log" \
    "$root/scripts/bench.sh" --device "$device" "${dry[@]}" --out "$out/bench"
fi
echo "$out/summary.txt"
exit "$failed"
