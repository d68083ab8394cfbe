#!/usr/bin/env bash
# Runs the job files of scripts/cluster with stand-ins for srun, scontrol and torchrun that write
# down how they were called.
#   job_files_test.sh SOURCE_DIR GUIDEGEN
set -euo pipefail
source_dir="$1" guidegen="$2"
files="$source_dir/scripts/cluster"

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
export calls="$scratch/calls" scratch
fail() { echo "FAILED: $*" >&2; cat "$calls" >&2 2>/dev/null || true; exit 1; }
# calls_are LINE...: the stand-ins were called so, and not otherwise.
calls_are() {
  local expected
  expected="$(printf '%s\n' "$@")"
  [[ "$(<"$calls")" == "$expected" ]] || fail "expected calls: $expected"
}
# call CODE COMMAND...: runs it; the exit code must be CODE.
call() {
  local expected="$1" code=0
  shift
  : >"$calls"
  "$@" >"$scratch/stdout" 2>"$scratch/stderr" || code=$?
  ((code == expected)) || fail "exit code $code of $*: $(<"$scratch/stderr")"
}

mkdir "$scratch/bin"
# What srun does is up to $scratch/srun_does, if there is one.
cat >"$scratch/bin/srun" <<'STUB'
#!/usr/bin/env bash
echo "srun $*" >>"$calls"
echo "${MASTER_ADDR:-}:${MASTER_PORT:-} ${OMP_NUM_THREADS:-}" >"$scratch/environment"
[[ ! -e "$scratch/srun_does" ]] || source "$scratch/srun_does"
STUB
cat >"$scratch/bin/scontrol" <<'STUB'
#!/usr/bin/env bash
[[ "$1" == show ]] || { echo "scontrol $*" >>"$calls"; exit; }
[[ "$*" == "show hostnames node[07-09]" ]] && printf 'node%s\n' 07 08 09
STUB
cat >"$scratch/bin/torchrun" <<'STUB'
#!/usr/bin/env bash
echo "torchrun $*" >>"$calls"
STUB
chmod +x "$scratch"/bin/*

# Nothing of a job that these tests themselves may run in.
for name in $(compgen -e | grep -E '^(SLURM|MASTER|OMP|GUIDEGEN|NODES|HEAD|JOB|PORT|PROCESSES|RANK|WORLD_SIZE|LOCAL_RANK|TORCHELASTIC)'); do
  unset "$name"
done
export PATH="$scratch/bin:$PATH" SLURM_JOB_ID=123456 SLURM_CPUS_PER_TASK=6
export SLURM_JOB_NODELIST='node[07-09]' SLURM_JOB_NUM_NODES=3
run=(stage1 --config my.json --data "my data" --out runs/a training.batch=64)
train="guidegen train stage1 --config my.json --data my data --out runs/a training.batch=64 --resume"
srun_train="srun --cpus-per-task=6 --kill-on-bad-exit=1 $train"

# --- all of them -----------------------------------------------------------------------------------
for file in "$files"/*.sbatch "$files"/*.sh; do
  bash -n "$file" || fail "$file"
  call 2 bash "$file"
  grep -q usage "$scratch/stderr" || fail "$file without arguments: $(<"$scratch/stderr")"
  [[ ! -s "$calls" ]] || fail "$file without arguments starts something"
done
for file in "$files"/*.sbatch; do
  # Slurm stops looking for options at the first command.
  awk '/^#SBATCH/ && seen { exit 1 } !/^(#|$)/ { seen = 1 }' "$file" || fail "$file: late #SBATCH"
done
if command -v shellcheck >/dev/null; then
  shellcheck -s bash "$files"/*.sbatch "$files"/*.sh || fail "shellcheck"
fi

# --- training ------------------------------------------------------------------------------------
call 0 bash "$files/slurm_one_node.sbatch" "${run[@]}"
calls_are "$srun_train"
[[ "$(<"$scratch/environment")" == ": 6" ]] || fail "environment $(<"$scratch/environment")"

GUIDEGEN="apptainer exec --nv g.sif guidegen" call 0 bash "$files/slurm_one_node.sbatch" stage1
calls_are "srun --cpus-per-task=6 --kill-on-bad-exit=1 apptainer exec --nv g.sif guidegen train stage1 --resume"

call 0 bash "$files/slurm_many_nodes.sbatch" "${run[@]}"
calls_are "$srun_train"
[[ "$(<"$scratch/environment")" == "node07:23456 6" ]] ||
  fail "environment $(<"$scratch/environment")"
MASTER_ADDR=other MASTER_PORT=5 call 0 bash "$files/slurm_many_nodes.sbatch" "${run[@]}"
[[ "$(<"$scratch/environment")" == "other:5 6" ]] || fail "environment $(<"$scratch/environment")"

# The exit code of the run is that of the job.
for file in slurm_one_node slurm_many_nodes slurm_requeue; do
  for code in 0 1 2 143; do
    echo "exit $code" >"$scratch/srun_does"
    call "$code" bash "$files/$file.sbatch" "${run[@]}"
    calls_are "$srun_train"
  done
done

# --- generating as one ---------------------------------------------------------------------------
rm "$scratch/srun_does"
generate="guidegen generate --model m --prompts p.json --out o --retries 1"
call 0 bash "$files/slurm_generate.sbatch" m p.json o --retries 1
calls_are "srun --cpus-per-task=6 --kill-on-bad-exit=0 $generate"
PROCESSES=2 call 0 bash "$files/torchrun_generate.sh" m p.json o --retries 1
calls_are "torchrun --standalone --nproc-per-node=2 --max-restarts=3 --signals-to-handle=SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1 --no-python $generate"

# --- a requeue -----------------------------------------------------------------------------------
# srun hands SIGUSR1 on, and the run saves and exits with 143; SIGTERM would kill it.
cat >"$scratch/srun_does" <<'STUB'
trap 'echo "srun got USR1" >>"$calls"; sleep 0.3; exit 143' USR1
trap 'echo "srun got TERM" >>"$calls"; exit 9' TERM
echo ready >>"$calls"
for _ in {1..200}; do sleep 0.1; done
STUB
# signal_job SIGNAL: starts the job, sends it the signal and leaves its exit code in $code.
signal_job() {
  : >"$calls"
  bash "$files/slurm_requeue.sbatch" "${run[@]}" >"$scratch/stdout" 2>&1 &
  local job=$!
  for _ in {1..100}; do
    grep -q ready "$calls" && break
    sleep 0.1
  done
  kill -"$1" "$job"
  code=0
  wait "$job" || code=$?
}
signal_job USR1
calls_are "$srun_train" ready "srun got USR1" "scontrol requeue 123456"
((code == 0)) || fail "exit code $code after a requeue"
signal_job TERM
calls_are "$srun_train" ready "srun got USR1"
((code == 143)) || fail "exit code $code after SIGTERM"
rm "$scratch/srun_does"

# --- torchrun ------------------------------------------------------------------------------------
signals="--signals-to-handle=SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1"
PROCESSES=2 call 0 bash "$files/torchrun_one_node.sh" "${run[@]}"
calls_are "torchrun --standalone --nproc-per-node=2 --max-restarts=3 $signals --no-python $train"

many="--nproc-per-node=gpu --max-restarts=3 --rdzv-backend=c10d"
call 0 bash "$files/torchrun_many_nodes.sh" "${run[@]}"
calls_are "torchrun --nnodes=3 $many --rdzv-endpoint=node07:29400 --rdzv-id=slurm-123456 $signals --no-python $train"
HEAD=a PORT=7 NODES=2 JOB=x call 0 env -u SLURM_JOB_ID bash "$files/torchrun_many_nodes.sh" "${run[@]}"
calls_are "torchrun --nnodes=2 $many --rdzv-endpoint=a:7 --rdzv-id=x $signals --no-python $train"
HEAD=a call 1 env -u SLURM_JOB_ID bash "$files/torchrun_many_nodes.sh" "${run[@]}"
grep -q "set NODES" "$scratch/stderr" || fail "no hint at NODES: $(<"$scratch/stderr")"

# What torchrun prints as the root cause; a wrong flag counts too.
export TORCHELASTIC_ERROR_FILE="$scratch/error.json"
call 2 "$guidegen" train stage1 --data "$scratch/none" --out "$scratch/run"
grep -q "$scratch/none: no such folder" "$TORCHELASTIC_ERROR_FILE" || fail "no report of no data"
call 2 "$guidegen" train stage1 --dta x
grep -q -- "--dta" "$TORCHELASTIC_ERROR_FILE" || fail "no report of a wrong flag"
rm "$TORCHELASTIC_ERROR_FILE"
call 0 "$guidegen" --version
[[ ! -e "$TORCHELASTIC_ERROR_FILE" ]] || fail "success was reported as a failure"
unset TORCHELASTIC_ERROR_FILE

# --- an array of generating tasks ----------------------------------------------------------------
prompts="$scratch/prompts.jsonl" out="$scratch/out"
for i in 1 2 3 4 5 6 7; do echo "{\"id\": \"p$i\", \"size\": [32, 32, 32]}"; done >"$prompts"
# The program itself plans what it would make: its options are the real ones.
cat >"$scratch/srun_does" <<'STUB'
while [[ "$1" == --* ]]; do shift; done
"$@"
STUB
array="$files/slurm_generate_array.sbatch"
export SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_ID
for SLURM_ARRAY_TASK_ID in 0 1 2; do
  GUIDEGEN="$guidegen" call 0 bash "$array" "$source_dir/models/demo" "$prompts" "$out" --dry-run
  calls_are "srun --cpus-per-task=6 $guidegen generate --model $source_dir/models/demo --prompts $out/slices/task-00$SLURM_ARRAY_TASK_ID.jsonl --out $out/task-00$SLURM_ARRAY_TASK_ID --dry-run"
  grep -q "p$((SLURM_ARRAY_TASK_ID + 4))" "$scratch/stdout" "$scratch/stderr" ||
    fail "the plan of task $SLURM_ARRAY_TASK_ID: $(cat "$scratch/stdout" "$scratch/stderr")"
done
[[ "$(sort "$out"/slices/*.jsonl)" == "$(<"$prompts")" ]] || fail "the slices are not the whole"

SLURM_ARRAY_TASK_ID=5
call 2 bash "$array" model "$prompts" "$out"
GUIDEGEN=true GUIDEGEN_SLICES=6 call 0 bash "$array" model "$prompts" "$out"
[[ "$(<"$out/slices/task-005.jsonl")" == "$(sed -n 6p "$prompts")" ]] || fail "task 5 of 6"
SLURM_ARRAY_TASK_ID=0
echo '[{"id": "a"}]' >"$scratch/array.json"
call 2 bash "$array" model "$scratch/array.json" "$out"
grep -q "not JSON Lines" "$scratch/stderr" || fail "an array: $(<"$scratch/stderr")"
printf '{"id": "a"}\n{"sex": "male"}\n' >"$scratch/nameless.jsonl"
call 2 bash "$array" model "$scratch/nameless.jsonl" "$out"
grep -q 'line 2 has no "id"' "$scratch/stderr" || fail "no id: $(<"$scratch/stderr")"
[[ ! -s "$calls" ]] || fail "refused prompts were generated"
echo "the job files call what they should"
