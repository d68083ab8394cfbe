#!/usr/bin/env bash
# How many network calls does a good mask take? Samples the same unseen prompts with the default
# sampler at several numbers of steps and with plain steps (evenly spaced, nothing settled, the last
# step drawn, no votes), and judges how the masks obey and how plausible their organs are.
#
#   scripts/samplers.sh [--model DIR] [--prompts N] [--seed S] [--out DIR] [--markdown FILE]
#                       [--steps "N ..."] [--plain "N ..."]
#
#   --model DIR      models/demo unless given
#   --prompts N      unseen prompts, all organs and positions equally often; 24 unless given
#   --seed S         of the prompts; 4 unless given
#   --out DIR        out/samplers unless given; masks that are there already are kept
#   --markdown FILE  writes the table there, too
#   --steps, --plain numbers of steps; "5 10 20 50" and "20 500" unless given
#
# Environment: GUIDEGEN is a program to use instead of building one; GUIDEGEN_PROCESSES, how many at
# a time (2), each with one thread.
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

model="$root/models/demo" prompts=24 seed=4 out="$root/out/samplers" markdown=""
steps="5 10 20 50" plain="20 500"
while (($# > 0)); do
  case "$1" in
    --model | --prompts | --seed | --out | --markdown | --steps | --plain)
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
mkdir -p "$out"

# What the masks should be like: phantoms on the grid of the model.
grid="$(python3 -c 'import json, sys
grid = json.load(open(sys.argv[1]))["grid"]
print("--size", *grid["size"], "--spacing", *grid["spacing_mm"])' "$model/model.json")"
if [[ ! -e "$out/reference/dataset.json" ]]; then
  # shellcheck disable=SC2086  # options are words
  "$program" --quiet phantom --out "$out/reference" --count 100 --seed 555 $grid >/dev/null
fi

rows=()
# judge NAME FOLDER OPTION...
judge() {
  local name="$1" folder="$out/$2"
  shift 2
  GUIDEGEN="$program" "$root/scripts/adherence.sh" --model "$model" --count "$prompts" \
    --seed "$seed" --balanced --out "$folder" -- "$@" >/dev/null
  "$program" --quiet evaluate anatomy --data "$folder/masks" --reference "$out/reference" \
    --out "$folder/anatomy.json" >/dev/null
  rows+=("$name=$folder")
}
for count in $steps; do judge "default, $count steps" "default-$count" --steps "$count"; done
for count in $plain; do
  judge "plain, $count steps" "plain-$count" --steps "$count" --schedule even --no-settle \
    --draw-last --votes 0
done
python3 "$root/scripts/mask_table.py" "sampler" "${rows[@]}" | tee "$out/table.md"
if [[ -n "$markdown" ]]; then cp "$out/table.md" "$markdown"; fi
