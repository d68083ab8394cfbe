#!/usr/bin/env bash
# Sets the machine up, builds, and generates the demo batch with the model that ships.
#
#   scripts/demo.sh [output folder]        the default is out/demo
#
# Run again, it generates only the cases that are not there yet.
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

out="${1:-$root/out/demo}"
timed "set-up" "$root/scripts/setup.sh"
timed "build" configure_and_build guidegen
timed "generation" "$build_dir/guidegen" generate --model "$root/models/demo" \
  --prompts "$root/configs/demo/prompts.json" --out "$out" --retries 1

cat <<TEXT

Triplets       $out/<case>/{prompt.json, mask.nii.gz, ct.nii.gz, preview.png}
Contact sheet  $out/contact_sheet.png
Web page       $out/index.html
Manifest       $out/manifest.jsonl
TEXT
