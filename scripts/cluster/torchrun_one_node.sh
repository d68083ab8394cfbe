#!/usr/bin/env bash
# Trains a stage on all GPUs of this machine with torchrun, which starts the processes and, when one
# fails, starts all of them again. For machines without Slurm.
#
#   torchrun_one_node.sh stage1 --config my.json --data DATA --out RUN [key=value ...]
#
# Environment:
#   GUIDEGEN          the program (default: guidegen)
#   PROCESSES         how many (default: gpu, one for each GPU; a number on machines without any)
#   MAX_RESTARTS      how often to start again after a failure (default: 3)
#   OMP_NUM_THREADS   threads a process (default: 8)
#
# torchrun comes with PyTorch 2.11 (pip install torch==2.11.0), which also holds the LibTorch that
# guidegen runs on:
#   export GUIDEGEN_LIBTORCH="$(python3 -c 'import torch; print(torch.__path__[0])')"
set -euo pipefail

(($# > 0)) || { echo "usage: $0 stage1 --data DATA --out RUN [...]" >&2; exit 2; }
read -ra guidegen <<<"${GUIDEGEN:-guidegen}"

# The cores of the machine divided by its GPUs is good. Where it is not set torchrun sets 1, which
# starves the threads that load cases.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-8}"

# --standalone: find a free port by itself. SIGUSR1 is not handed on unless it is named.
exec torchrun --standalone --nproc-per-node="${PROCESSES:-gpu}" \
  --max-restarts="${MAX_RESTARTS:-3}" \
  --signals-to-handle=SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1 \
  --no-python "${guidegen[@]}" train "$@" --resume
