#!/usr/bin/env bash
# Training under the real torchrun: a process that is killed twice is restarted with the others, and
# the run ends with the weights of an undisturbed one.
#
#   torchrun_test.sh GUIDEGEN PYTHON     PYTHON has torch; exit code 77 (skipped) where it has not
set -euo pipefail
guidegen="$1" torchrun="$(dirname "$2")/torchrun"
[[ -x "$torchrun" ]] || { echo "no torchrun at $torchrun: skipped"; exit 77; }
export OMP_NUM_THREADS=1

work="$(mktemp -d)"
trap 'pkill -KILL -f "$work" || true; rm -rf "$work"' EXIT
cd "$work"
"$guidegen" phantom --out data --count 4 --size 16 16 16 --spacing 20 20 20 --quiet

# launch OUT [torchrun option ...]: becomes torchrun, so call it in a shell of its own.
launch() {
  local out="$work/$1"
  shift
  exec "$torchrun" --no-python --nproc-per-node=2 --rdzv-backend=c10d --rdzv-endpoint=localhost:0 "$@" \
    "$guidegen" train stage1 --data data --out "$out" --resume --device cpu \
    'network.unet.channels=[8,16]' network.timesteps=20 network.planner_steps=5 training.steps=200 \
    training.batch=2 training.validation_share=0 training.checkpoint_every=2 \
    training.preview_every=0 training.optimizer.warmup_steps=2
}

newest() { find "$work/killed/checkpoints" -name 'step-*' 2>/dev/null | sed 's/.*step-//' | sort -n | tail -1; }

(launch whole) >whole.log 2>&1 || { cat whole.log; exit 1; }
launch killed --max-restarts=4 >killed.log 2>&1 &
agent=$!
for least in 4 16; do
  while (($(newest || true) + 0 < least)); do
    kill -0 "$agent" 2>/dev/null || { cat killed.log; exit 1; }
    sleep 0.05
  done
  # A child of torchrun, not torchrun itself, whose command line holds the same words.
  pkill -KILL -n -P "$agent" -f "train stage1" || { echo "nothing to kill"; cat killed.log; exit 1; }
  sleep 1
done
wait "$agent" || { cat killed.log; exit 1; }
restarts="$(grep -c "resuming after step" killed.log || true)"
((restarts == 2)) || { echo "$restarts restarts, expected 2"; cat killed.log; exit 1; }
cmp whole/model/stage1.safetensors killed/model/stage1.safetensors
echo "same weights after $restarts restarts"
