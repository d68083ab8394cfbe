#!/usr/bin/env bash
# What a user does first, on a device: trains stage I on phantoms, goes on from the checkpoint, and
# generates two cases with the model that ships. scripts/gpu_check.sh calls it.
#
#   scripts/gpu_program_check.sh PROGRAM cuda|cpu FOLDER [--tiny]
#
# --tiny: seconds instead of minutes, to try the script.
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

(($# >= 3)) || die "expected PROGRAM DEVICE FOLDER"
program="$1" device="$2" out="$3" tiny="${4:-}"
phantoms=(--count 16 --size 64 64 80) network=() generate=()
steps=60 more=90 precisions=(fp32 bf16)
if [[ "$tiny" == --tiny ]]; then
  phantoms=(--count 3 --size 32 32 32 --spacing 12 12 12)
  network=("network.unet.channels=[8,16]" network.timesteps=20 network.planner_steps=5)
  generate=(--steps 2 --ct-steps 2)
  steps=3 more=5 precisions=(fp32)
fi
rm -rf "$out"
mkdir -p "$out"

# train FOLDER PRECISION STEPS [--resume]
train() {
  "$program" train stage1 --data "$out/phantoms" --out "$1" --device "$device" "${@:4}" \
    "training.precision=$2" "training.steps=$3" "training.checkpoint_every=$3" \
    training.log_every=1 "${network[@]}"
}

# The steps that the metrics tell of, in order; fails where a loss is no finite number.
logged_steps() {
  python3 - "$1/metrics.jsonl" <<'PYTHON'
import json, math, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
losses = {line["step"]: line["loss"] for line in lines if "loss" in line}
bad = [step for step, loss in losses.items() if not math.isfinite(loss)]
if bad or not losses:
    sys.exit(f"{sys.argv[1]}: {'loss is not finite at steps ' + str(bad) if bad else 'no loss'}")
print(f"steps {min(losses)} to {max(losses)}: loss {losses[min(losses)]:.4g} -> {losses[max(losses)]:.4g}",
      file=sys.stderr)
print(*sorted(losses))
PYTHON
}

timed "phantoms" "$program" phantom --out "$out/phantoms" "${phantoms[@]}" --seed 1
for precision in "${precisions[@]}"; do
  run="$out/stage1-$precision"
  timed "training of stage I, $precision, steps 1 to $steps" train "$run" "$precision" "$steps"
  timed "resumed to step $more" train "$run" "$precision" "$more" --resume 2>&1 | tee "$run.log"
  grep -q "resuming after step $steps" "$run.log" || die "$run.log: did not resume after step $steps"
  [[ "$(logged_steps "$run")" == "$(seq -s ' ' 1 "$more")" ]] ||
    die "$run/metrics.jsonl: expected each step from 1 to $more once"
  tail -n 1 "$run/metrics.jsonl"
done

timed "generation of two cases" "$program" generate --model "$root/models/demo" \
  --prompts "$root/configs/demo/prompts.json" --out "$out/cases" --device "$device" --limit 2 \
  "${generate[@]}"
cases=("$out"/cases/*/ct.nii.gz)
((${#cases[@]} == 2)) || die "$out/cases: ${#cases[@]} cases, expected 2"
for ct in "${cases[@]}"; do
  [[ -s "$ct" && -s "$(dirname "$ct")/mask.nii.gz" ]] || die "$(dirname "$ct"): mask or CT is missing"
done
cat "$out/cases/manifest.jsonl"
