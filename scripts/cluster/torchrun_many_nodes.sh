#!/usr/bin/env bash
# Trains a stage on several machines with torchrun. Run it on every one of them, in any order:
#
#   HEAD=node01 NODES=4 JOB=run-7 torchrun_many_nodes.sh stage1 --data DATA --out RUN [...]
#
# or, where Slurm hands out the nodes but torchrun shall watch over the processes, in a job with
# --ntasks-per-node=1 and all GPUs and cores of each node:
#
#   srun --ntasks-per-node=1 torchrun_many_nodes.sh stage1 --data DATA --out RUN
#
# When a process or a machine fails, torchrun ends the processes everywhere, waits until NODES
# machines are there again (start the script anew on a machine that was rebooted or replaced) and
# starts all of them from the newest checkpoint. DATA and RUN must be on a shared file system.
#
# Environment:
#   HEAD           one of the machines, where they meet (default: the first of the Slurm job)
#   NODES          how many machines (default: those of the Slurm job)
#   JOB            any name, the same on all machines (default: the Slurm job)
#   PORT           of the meeting point (default: 29400)
#   GUIDEGEN, PROCESSES, MAX_RESTARTS, OMP_NUM_THREADS: as in torchrun_one_node.sh
set -euo pipefail

(($# > 0)) || { echo "usage: HEAD=host NODES=n JOB=name $0 stage1 --data D --out R" >&2; exit 2; }
read -ra guidegen <<<"${GUIDEGEN:-guidegen}"

if [[ -n "${SLURM_JOB_ID:-}" ]]; then
  NODES="${NODES:-$SLURM_JOB_NUM_NODES}"
  JOB="${JOB:-slurm-$SLURM_JOB_ID}"
  if [[ -z "${HEAD:-}" ]]; then
    mapfile -t hosts < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
    HEAD="${hosts[0]}"
  fi
fi

export OMP_NUM_THREADS="${OMP_NUM_THREADS:-8}"

exec torchrun --nnodes="${NODES:?set NODES to the number of machines}" \
  --nproc-per-node="${PROCESSES:-gpu}" --max-restarts="${MAX_RESTARTS:-3}" \
  --rdzv-backend=c10d --rdzv-endpoint="${HEAD:?set HEAD to one of the machines}:${PORT:-29400}" \
  --rdzv-id="${JOB:?set JOB to a name, the same on all machines}" \
  --signals-to-handle=SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1 \
  --no-python "${guidegen[@]}" train "$@" --resume
