#!/usr/bin/env bash
# What each part of stage I is worth: trains small synthesizers on small phantoms, each without one
# of the parts, samples masks for prompts that none has seen, and judges how they obey and how
# plausible their organs are.
#
#   scripts/ablations.sh [--steps N] [--prompts N] [--phantoms N] [--text DIR] [--out DIR]
#                        [--markdown FILE]
#
#   --steps N        of each training; 600 unless given
#   --prompts N      unseen prompts for each; 60 unless given
#   --phantoms N     to train on; 400 unless given
#   --text DIR       model directory that holds the text encoder; models/demo unless given
#   --out DIR        out/ablations unless given; what is finished there is kept
#   --markdown FILE  writes the table there, too
#
# Run again with the same options, it goes on where it stopped. Two trainings run at a time, with
# one thread each.
#
# Environment: GUIDEGEN is a program to use instead of building one; GUIDEGEN_PROCESSES, how many at
# a time (2).
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

steps=600 prompts=60 phantoms=400 text="$root/models/demo" out="$root/out/ablations" markdown=""
while (($# > 0)); do
  case "$1" in
    --steps | --prompts | --phantoms | --text | --out | --markdown)
      (($# > 1)) || die "$1: expected a value"
      printf -v "${1#--}" '%s' "$2"
      shift 2
      ;;
    --help) sed -n '2,/^# shellcheck/{/^# shellcheck/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit ;;
    *) die "$1: unknown option, see --help" ;;
  esac
done
program="${GUIDEGEN:-$build_dir/guidegen}"
processes="${GUIDEGEN_PROCESSES:-2}"
[[ -n "${GUIDEGEN:-}" ]] || configure_and_build guidegen
mkdir -p "$out"
settings="$steps $prompts $phantoms $(sha256sum "$text/model.json" | cut -c1-64)"
claim_folder "$out" "$settings"

# Name, then what is changed. Networks are those of the demo preset on a coarser grid.
trainings=(
  "complete:"
  "no injection:network.unet.injection_queries=0"
  "no text:network.read_text=false"
  "no distillation:network.distillation_weight=0 network.contrast_weight=0"
  "no class weights:network.class_weight_exponent=0"
  "cross-entropy alone:network.kl_weight=0"
)

folder_of() { tr ' ,' '--' <<<"$1" | tr -s '-'; }

sample_and_judge() {
  local folder="$1"
  [[ -e "$folder/anatomy.json" ]] && return
  rm -rf "$folder/masks"
  "$program" --quiet sample stage1 --model "$folder/run/model" --prompts "$out/prompts.jsonl" \
    --out "$folder/masks" >/dev/null
  "$program" --quiet evaluate mask-prompt --data "$folder/masks" --out "$folder/report.json" >/dev/null
  "$program" --quiet evaluate anatomy --data "$folder/masks" --reference "$out/reference" \
    --out "$folder/anatomy.json" >/dev/null
}

train_and_judge() {
  local name="${1%%:*}" changes="${1#*:}" folder
  folder="$out/$(folder_of "$name")"
  mkdir -p "$folder"
  if [[ ! -e "$folder/run/model/model.json" ]]; then
    local resume=()
    [[ -e "$folder/run/config.json" ]] && resume=(--resume)
    # shellcheck disable=SC2086  # changes are words
    "$program" --quiet train stage1 --config demo --data "$out/phantoms" --text "$text" \
      --out "$folder/run" "${resume[@]+"${resume[@]}"}" training.steps="$steps" training.batch=4 \
      training.workers=1 training.preview_every=0 training.validation_cases=0 $changes
  fi
  sample_and_judge "$folder"
}

grid=(--size 48 48 60 --spacing 8 8 8)
export OMP_NUM_THREADS=1
for set in "phantoms:$phantoms:1" "reference:100:2"; do
  IFS=: read -r name count seed <<<"$set"
  if [[ ! -e "$out/$name/dataset.json" ]]; then
    "$program" --quiet phantom --out "$out/$name" --count "$count" --seed "$seed" "${grid[@]}" \
      --jobs "$processes" >/dev/null
  fi
done
"$program" prompt --random "$prompts" --seed 3 --balanced --out "$out/prompts.jsonl" >/dev/null
in_turn train_and_judge "${trainings[@]}"

rows=()
for entry in "${trainings[@]}"; do
  rows+=("${entry%%:*}=$out/$(folder_of "${entry%%:*}")")
done
python3 "$root/scripts/mask_table.py" "stage I" "${rows[@]}" | tee "$out/table.md"
if [[ -n "$markdown" ]]; then cp "$out/table.md" "$markdown"; fi
