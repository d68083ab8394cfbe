#!/usr/bin/env bash
# Runs every check that needs a GPU and writes what came out to a folder.
#
#   scripts/gpu_check.sh [--dry-run] [--only PART[,PART ...]] [output folder]
#
# Works in a built source tree (build/release, configured with -DGUIDEGEN_BENCHMARKS=ON) and in the
# folder that scripts/gpu_bundle.sh makes, which needs nothing but PyTorch 2.11 on the machine. The
# default output is out/gpu-check. Parts, all of them unless told:
#
#   tests    the test programs whose operators run where GUIDEGEN_TEST_DEVICE says  -> tests/*.log
#   kernels  the traffic of our kernels against that of a plain copy                -> bench/kernels.md
#   program  guidegen itself: training, resuming, generation                        -> program/
#   large    sampling of 128³ and 256³ voxels: time and GPU memory                  -> bench/large-*.md
#   steps    training steps against PyTorch, eager and compiled                     -> bench/steps-*.md
#
# The last two in fp32 and bf16: of each bench/*.md there is a .json with all that was measured and
# a .log. --dry-run does all of it on the processor with tiny sizes and without torch.compile, to
# try the script where there is no GPU.
# Exit code: 0 when every step passed; summary.txt says which did.
#
# Environment: GUIDEGEN_PYTORCH, a Python with torch; by default the `python3` in PATH, then the one
# that scripts/setup.sh --with-pytorch makes (without one only guidegen is measured).
# GUIDEGEN_LIBTORCH, the folder with lib/libtorch_cuda.so; by default that of this Python, then the
# one that scripts/setup.sh fills.
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

device=cuda dry=0 only=tests,kernels,program,large,steps out=""
while (($# > 0)); do
  case "$1" in
    --dry-run) device=cpu dry=1 ;;
    --only) (($# > 1)) || die "--only: expected parts"; only="$2"; shift ;;
    --help) sed -n '2,/^# shellcheck/{/^# shellcheck/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit ;;
    -*) die "unknown option $1 (see --help)" ;;
    *) out="$1" ;;
  esac
  shift
done
for part in ${only//,/ }; do
  [[ ",tests,kernels,program,large,steps," == *",$part,"* ]] || die "--only: no part $part (see --help)"
done
out="${out:-$root/out/gpu-check}"
mkdir -p "$out/tests" "$out/bench"
out="$(cd "$out" && pwd)"
: >"$out/summary.txt"

wants() { [[ ",$only," == *",$1,"* ]]; }

# Sets: python, empty where there is none with torch.
python=""
for candidate in ${GUIDEGEN_PYTORCH:+"$GUIDEGEN_PYTORCH"} python3 "$pytorch/bin/python"; do
  if "$candidate" -c 'import torch' 2>/dev/null; then
    python="$(command -v "$candidate")"
    break
  fi
done
[[ -n "$python" ]] || say "no Python with torch: measuring guidegen alone"

find_libtorch() {
  local found="${GUIDEGEN_LIBTORCH:-}"
  if [[ -z "$found" && -n "$python" ]]; then
    found="$("$python" -c 'import torch; print(torch.__path__[0])')"
  fi
  found="${found:-$cache/libtorch-$LIBTORCH_VERSION/torch}"
  [[ -e "$found/lib/libtorch_cpu.so" ]] ||
    die "no LibTorch in $found: set GUIDEGEN_LIBTORCH to the folder that has lib/libtorch_cpu.so"
  echo "$found"
}

# Sets: build (folder of the programs), test_programs.
if [[ -d "$root/libexec" ]]; then
  GUIDEGEN_LIBTORCH="$(find_libtorch)"
  export GUIDEGEN_LIBTORCH  # for the launchers in bin/
  build="$root/bin"
  test_programs=("$root"/bin/test_*)
else
  build="$build_dir"
  mapfile -t test_programs < <(device_tests | sed "s|^|$build_dir/tests/|")
fi
for program in "$build/guidegen" "${test_programs[@]}"; do
  [[ -x "$program" ]] || die "$program is not built"
done

# Threads that wait for each other crawl where other programs have the cores.
((dry == 0)) || export OMP_NUM_THREADS=1

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

# bench NAME OPTION...: bench/run.py; its tables go to bench/NAME.md.
bench() {
  local name="$1" result="$out/bench/$1.json"
  shift
  local options=(--build "$build" --device "$device" --out "$result" --rounds 1 --limit 300)
  [[ -z "$python" ]] || options+=(--python "$python")
  ((dry == 0)) || options+=(--quick --threads 1)
  step "$name on $device" "$out/bench/$name.log" \
    python3 "$root/bench/run.py" "${options[@]}" "$@"
  if [[ -s "$result" ]]; then
    step "tables of $name" "$out/bench/$name.md" python3 "$root/bench/report.py" "$result"
  fi
}

if [[ "$device" == cuda ]]; then
  step "nvidia-smi" "$out/nvidia-smi.txt" nvidia-smi
fi
if wants tests; then
  for program in "${test_programs[@]}"; do
    name="$(basename "$program")"
    step "$name on $device" "$out/tests/$name.log" \
      env GUIDEGEN_TEST_DEVICE="$device" "$program" --gtest_brief=0
  done
fi
if wants kernels; then
  bench kernels --only gpu-kernels
fi
if wants program; then
  tiny=()
  ((dry == 0)) || tiny=(--tiny)
  step "guidegen on $device" "$out/program.log" "$root/scripts/gpu_program_check.sh" \
    "$build/guidegen" "$device" "$out/program" ${tiny[@]+"${tiny[@]}"}
fi
if wants large; then
  sides=(128 256)
  ((dry == 0)) || sides=(32)
  for precision in fp32 bf16; do
    bench "large-$precision" --only large --precision "$precision" --large-sides "${sides[@]}"
  done
fi
if wants steps; then
  shorter=()
  ((dry == 0)) || shorter=(--no-compile)
  bench steps-fp32 --only steps --precision fp32 ${shorter[@]+"${shorter[@]}"}
  # A dry run has counted the operations once by now.
  ((dry == 0)) || shorter+=(--no-bound)
  bench steps-bf16 --only steps --precision bf16 ${shorter[@]+"${shorter[@]}"}
fi
cat "$out/summary.txt"
exit "$failed"
