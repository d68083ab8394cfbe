#!/usr/bin/env bash
# What HDR is worth: trains the autoencoder of stage II on several exposures and on single tone
# curves, with the same network, latent and steps (configs/exposures/), and tells the errors of each
# in HU by tissue on images that none has seen.
#
#   scripts/compare_exposures.sh [--train DIR] [--test DIR]... [--steps N] [--seeds N] [--out DIR]
#                                [--unguided] [--markdown FILE]
#
#   --train DIR      data set to train on; 200 phantoms, half of them with implants, unless given
#   --test DIR       data set to judge on, several for a table each; 20 other phantoms without and 20
#                    with implants unless given
#   --steps N        of each training; 4000 unless given
#   --seeds N        trainings of each; 3 unless given
#   --out DIR        out/exposures unless given; what is finished there is kept
#   --unguided       the data have no masks worth looking at: no decoder is guided by them
#   --markdown FILE  writes the tables there, too
#
# Run again with the same options, it goes on where it stopped. Two trainings run at a time, with
# one thread each.
#
# Environment: GUIDEGEN is a program to use instead of building one; GUIDEGEN_PROCESSES, how many at
# a time (2).
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

train="" tests=() steps=4000 seeds=3 guidance=true out="$root/out/exposures" markdown=""
while (($# > 0)); do
  case "$1" in
    --test)
      (($# > 1)) || die "$1: expected a value"
      tests+=("$2")
      shift 2
      ;;
    --unguided)
      guidance=false
      shift
      ;;
    --train | --steps | --seeds | --out | --markdown)
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
settings="$steps $guidance $train ${tests[*]-}"
claim_folder "$out" "$settings"

phantoms() {
  [[ -e "$out/$1/dataset.json" ]] ||
    "$program" --quiet phantom --out "$out/$1" --count "$2" --seed "$3" --implants "$4" \
      --jobs "$processes" >/dev/null
}
if [[ -z "$train" ]]; then
  phantoms train 200 5 0.5
  train="$out/train"
fi
if ((${#tests[@]} == 0)); then
  phantoms plain 20 777 0
  phantoms implants 20 778 1
  tests=("$out/plain" "$out/implants")
fi

# Name, configuration, what is changed in it.
variants=(
  "full range:full_range:"
  "clipped at 1000:clipped:"
  "compressive:compressive:"
  "HDR:hdr:"
)
[[ "$guidance" == false ]] || variants+=("HDR without masks:hdr:network.mask_guidance=false")

folder_of() { tr -s ' ,' '-' <<<"$1"; }

# run_one SEED:VARIANT
run_one() {
  local seed name config changes folder test
  IFS=: read -r seed name config changes <<<"$1"
  folder="$out/$(folder_of "$name")/$seed"
  mkdir -p "$folder"
  if [[ ! -e "$folder/run/model/model.json" ]]; then
    local resume=()
    [[ -e "$folder/run/config.json" ]] && resume=(--resume)
    # shellcheck disable=SC2086  # changes are words
    "$program" --quiet train stage2 --config "$root/configs/exposures/$config.json" --data "$train" \
      --out "$folder/run" "${resume[@]+"${resume[@]}"}" training.steps="$steps" \
      training.seed="$seed" network.mask_guidance="$guidance" $changes
  fi
  for test in "${tests[@]}"; do
    judge "$folder" "$test"
  done
  rm -rf "$folder/run/checkpoints"
}

# judge FOLDER TEST
judge() {
  local folder="$1" test="$2" made
  made="$folder/$(basename "$test")"
  [[ -e "$made.json" ]] && return
  rm -rf "$made"
  "$program" --quiet sample stage2 --model "$folder/run/model" --data "$test" --out "$made" >/dev/null
  "$program" --quiet evaluate fidelity --reference "$test" --reconstruction "$made" \
    --out "$made.json" >/dev/null
}

runs=()
for ((seed = 1; seed <= seeds; ++seed)); do
  for variant in "${variants[@]}"; do runs+=("$seed:$variant"); done
done
export OMP_NUM_THREADS=1
in_turn run_one "${runs[@]}"

rows=()
for variant in "${variants[@]}"; do rows+=("${variant%%:*}=$out/$(folder_of "${variant%%:*}")"); done
for test in "${tests[@]}"; do
  printf '\n%s\n\n' "$(basename "$test")"
  python3 "$root/scripts/exposure_table.py" "$(basename "$test")" "${rows[@]}"
done | tee "$out/table.md"
if [[ -n "$markdown" ]]; then cp "$out/table.md" "$markdown"; fi
