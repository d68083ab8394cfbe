#!/usr/bin/env bash
# How well do a model's masks obey prompts that it has never seen? Draws the prompts, samples one
# mask for each without retries, two processes at a time, and judges them.
#
#   scripts/adherence.sh [--model DIR] [--count N] [--seed S] [--balanced] [--as-text] [--out DIR]
#                        [-- option of "guidegen sample stage1" ...]
#
#   --model DIR   models/demo unless given
#   --count N     prompts; 200 unless given
#   --seed S      of the prompts; 1 unless given
#   --balanced    all organs, and all positions of an organ, equally often
#   --as-text     the model is given texts alone, and judged by what they were made from
#   --out DIR     out/adherence unless given; masks that are there already are kept
#
# Writes DIR/prompts.jsonl, DIR/masks/<id>/, DIR/report.json and DIR/report.html, and prints the
# tables. Run again with the same options, it goes on where it stopped; a folder of other options is
# refused.
#
# Environment: GUIDEGEN is a program to use instead of building one; GUIDEGEN_PROCESSES, how many at
# a time (2), each with one thread.
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

model="$root/models/demo" count=200 seed=1 out="$root/out/adherence" draw=() options=()
while (($# > 0)); do
  case "$1" in
    --model | --count | --seed | --out)
      (($# > 1)) || die "$1: expected a value"
      printf -v "${1#--}" '%s' "$2"
      shift 2
      ;;
    --balanced | --as-text) draw+=("$1"); shift ;;
    --help) sed -n '2,/^# shellcheck/{/^# shellcheck/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit ;;
    --) shift; options=("$@"); break ;;
    *) die "$1: unknown option, see --help" ;;
  esac
done
program="${GUIDEGEN:-$build_dir/guidegen}"
processes="${GUIDEGEN_PROCESSES:-2}"
[[ -n "${GUIDEGEN:-}" ]] || configure_and_build guidegen

mkdir -p "$out/masks"
settings="$(cat "$model"/* | sha256sum | cut -c1-64) $count $seed ${draw[*]-} ${options[*]-}"
if [[ -e "$out/settings" && "$(<"$out/settings")" != "$settings" ]]; then
  die "$out: holds masks of another model or other options, expected another --out"
fi
"$program" prompt --random "$count" --seed "$seed" ${draw[@]+"${draw[@]}"} --out "$out/prompts.jsonl"
printf '%s\n' "$settings" >"$out/settings"

# Each process takes its turn of the prompts that lack a mask, and a folder of its own, because a
# run locks the folder that it writes to.
sample_share() {
  local share="$1" folder="$out/.share-$1"
  mkdir -p "$folder"
  collect "$folder"
  awk -v share="$share" -v processes="$processes" 'NR % processes == share' "$out/prompts.jsonl" |
    while IFS= read -r line; do
      [[ "$line" =~ \"id\":\"([^\"]+)\" ]] && [[ -e "$out/masks/${BASH_REMATCH[1]}" ]] ||
        printf '%s\n' "$line"
    done >"$folder/prompts.jsonl"
  if [[ -s "$folder/prompts.jsonl" ]]; then
    OMP_NUM_THREADS=1 "$program" --quiet sample stage1 --model "$model" \
      --prompts "$folder/prompts.jsonl" --out "$folder" ${options[@]+"${options[@]}"} >/dev/null
    collect "$folder"
  fi
  rm -r "$folder"
}

# Moves finished cases to where they are judged.
collect() {
  local finished
  for finished in "$1"/*/mask.nii.gz; do
    [[ -e "$finished" ]] && mv "$(dirname "$finished")" "$out/masks/"
  done
  return 0
}

start="$SECONDS"
children=()
for ((share = 0; share < processes; ++share)); do
  sample_share "$share" &
  children+=("$!")
done
for child in "${children[@]}"; do wait "$child" || die "sampling failed, see above"; done
say "$count masks in $((SECONDS - start)) s"

truth=()
[[ -e "$out/prompts.jsonl.truth.json" ]] && truth=(--prompts "$out/prompts.jsonl.truth.json")
"$program" evaluate mask-prompt --data "$out/masks" ${truth[@]+"${truth[@]}"} --by size,sex \
  --out "$out/report.json" --html "$out/report.html"
