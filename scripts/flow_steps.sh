#!/usr/bin/env bash
# How many solver steps does a CT need? Paints CTs onto the masks of a data set with several numbers
# of steps and judges each against the same reference.
#
#   scripts/flow_steps.sh MODEL DATA REFERENCE OUT [STEPS ...]
#
# DATA: cases with masks that the model has not seen; REFERENCE: cases that the CTs should look like.
# SEGMENTER in the environment names the model of a segmenter that judges too. STEPS are numbers, or
# solver:number; default 5 10 20 50. Writes OUT/<steps>/ and OUT/<steps>.json; what is there is kept.
# Prints one row a number of steps: seconds of sampling, share of organs' medians within the
# reference's range, visible tumors, ratio of texture to the reference, Dice of the segmenter.
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
(($# >= 4)) || die "expected MODEL DATA REFERENCE OUT [STEPS ...] (see the top of this file)"
model="$1" data="$2" reference="$3" out="$4"
shift 4
(($#)) || set -- 5 10 20 50
guidegen="${GUIDEGEN:-$build_dir/guidegen}"
[[ -x "$guidegen" ]] || die "$guidegen is not there: build it, or set GUIDEGEN"
judges=(--reference "$reference")
[[ -n "${SEGMENTER:-}" ]] && judges+=(--segmenter "$SEGMENTER")
mkdir -p "$out"

for steps in "$@"; do
  solver=auto count="$steps"
  [[ "$steps" == *:* ]] && solver="${steps%%:*}" count="${steps##*:}"
  [[ -f "$out/$steps.json" ]] && continue
  start="$(date +%s.%N)"
  "$guidegen" sample stage3 --model "$model" --mask "$data" --out "$out/$steps" \
    --solver "$solver" --steps "$count" --quiet
  date +%s.%N | awk -v start="$start" '{print $1 - start}' >"$out/$steps.seconds"
  "$guidegen" evaluate image-mask --data "$out/$steps" "${judges[@]}" --out "$out/$steps.json" \
    --quiet >"$out/$steps.txt"
done
python3 "$root/scripts/flow_steps_table.py" "$out" "$@"
