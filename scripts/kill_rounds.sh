#!/usr/bin/env bash
# Does a killed batch end as if nothing had happened? Makes a batch with one process, then, round
# after round, with several that are killed with SIGKILL at a random moment, one of them or all, runs
# it again to the end, and compares every file with those of the one process.
#
#   scripts/kill_rounds.sh [--model DIR] [--prompts FILE] [--rounds N] [--workers N] [--seed S]
#                          [--out DIR]
#
#   --model DIR      models/demo unless given
#   --prompts FILE   those of the demo, on small grids, unless given
#   --rounds N       20 unless given; odd rounds kill one worker, even ones all
#   --workers N      processes at work together; 4 unless given
#   --seed S         of the moments and the victims; 1 unless given
#   --out DIR        out/kill_rounds unless given; emptied at the start
#
# Ends with 1 at the first round whose files differ and leaves them where they are.
# Environment: GUIDEGEN is a program to use instead of building one.
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

model="$root/models/demo" prompts="" rounds=20 workers=4 seed=1 out="$root/out/kill_rounds"
while (($# > 0)); do
  case "$1" in
    --model | --prompts | --rounds | --workers | --seed | --out)
      (($# > 1)) || die "$1: expected a value"
      printf -v "${1#--}" '%s' "$2"
      shift 2
      ;;
    --help) sed -n '2,/^# shellcheck/{/^# shellcheck/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit ;;
    *) die "$1: unknown option, see --help" ;;
  esac
done
program="${GUIDEGEN:-$build_dir/guidegen}"
[[ -n "${GUIDEGEN:-}" ]] || configure_and_build guidegen
rm -rf "$out"
mkdir -p "$out"
if [[ -z "$prompts" ]]; then
  prompts="$out/prompts.json"
  python3 - "$root/configs/demo/prompts.json" "$prompts" <<'PYTHON'
import json, sys
prompts = json.load(open(sys.argv[1]))
for prompt in prompts:
    prompt.update(size=[20, 20, 24], spacing_mm=[19, 19, 19])
json.dump(prompts, open(sys.argv[2], "w"))
PYTHON
fi
export OMP_NUM_THREADS=1
RANDOM="$seed"

generate() { exec "$program" --quiet generate --model "$model" --prompts "$prompts" --out "$1"; }

# start FOLDER: sets `pids`, one a worker.
start() {
  local port rank
  port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
  pids=()
  for ((rank = 0; rank < workers; ++rank)); do
    RANK="$rank" WORLD_SIZE="$workers" MASTER_ADDR=127.0.0.1 MASTER_PORT="$port" \
      generate "$1" >>"$out/log.txt" 2>&1 &
    pids+=("$!")
  done
}

# Hashes of all files; of the manifest, of what does not depend on the clock.
fingerprint() {
  python3 - "$1" <<'PYTHON'
import hashlib, json, pathlib, sys
root = pathlib.Path(sys.argv[1])
for path in sorted(p for p in root.rglob("*") if p.is_file()):
    data = path.read_bytes()
    if path.name == "manifest.jsonl":
        records = [json.loads(line) for line in data.splitlines()]
        for record in records:
            record.pop("seconds", None)
        data = json.dumps(records).encode()
    print(hashlib.sha256(data).hexdigest(), path.relative_to(root))
PYTHON
}

now() { date +%s%N; }

(generate "$out/one/batch" >>"$out/log.txt" 2>&1) || die "the batch failed, see $out/log.txt"
fingerprint "$out/one/batch" >"$out/one.txt"
began="$(now)"
start "$out/whole/batch"
wait "${pids[@]}" || die "the workers failed, see $out/log.txt"
took_ms=$((($(now) - began) / 1000000))
fingerprint "$out/whole/batch" | diff "$out/one.txt" - || die "the workers made other files than one process"

for ((round = 1; round <= rounds; ++round)); do
  batch="$out/round-$round/batch" victim=all  # the page tells the name of its folder
  start "$batch"
  delay_ms=$((100 + (RANDOM * 32768 + RANDOM) % took_ms))
  sleep "$(printf '%d.%03d' $((delay_ms / 1000)) $((delay_ms % 1000)))"
  if ((round % 2)); then
    victim=$((RANDOM % workers))
    kill -KILL "${pids[victim]}" 2>/dev/null || true
  else
    kill -KILL "${pids[@]}" 2>/dev/null || true
  fi
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  left="$(find "$batch" -mindepth 2 -maxdepth 2 -name ct.nii.gz 2>/dev/null | wc -l)"
  start "$batch"
  wait "${pids[0]}" || die "round $round: the second run failed, see $out/log.txt"
  for pid in "${pids[@]}"; do wait "$pid" || die "round $round: a worker failed, see $out/log.txt"; done
  fingerprint "$batch" | diff "$out/one.txt" - || die "round $round: $batch differs from $out/one"
  printf 'round %d: killed %s after %d ms, %d cases were there, now all and identical\n' \
    "$round" "$victim" "$delay_ms" "$left"
  rm -rf "$out/round-$round"
done
printf '%d rounds of %d ms: every case there once and identical\n' "$rounds" "$took_ms"
