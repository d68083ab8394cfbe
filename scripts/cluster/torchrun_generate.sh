#!/usr/bin/env bash
# Generates a prompt file on all GPUs of this machine with torchrun, which starts the processes and,
# when one fails, starts all of them again; complete cases are kept. For machines without Slurm.
#
#   torchrun_generate.sh MODEL PROMPTS OUT [option ...]
#
# Environment: GUIDEGEN, PROCESSES, MAX_RESTARTS and OMP_NUM_THREADS as in torchrun_one_node.sh.
set -euo pipefail

(($# >= 3)) || { echo "usage: $0 MODEL PROMPTS OUT [option ...]" >&2; exit 2; }
model="$1" prompts="$2" out="$3"
shift 3
read -ra guidegen <<<"${GUIDEGEN:-guidegen}"

export OMP_NUM_THREADS="${OMP_NUM_THREADS:-8}"
exec torchrun --standalone --nproc-per-node="${PROCESSES:-gpu}" \
  --max-restarts="${MAX_RESTARTS:-3}" \
  --signals-to-handle=SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1 \
  --no-python "${guidegen[@]}" generate --model "$model" --prompts "$prompts" --out "$out" "$@"
