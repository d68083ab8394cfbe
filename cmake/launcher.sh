#!/bin/sh
# Finds LibTorch 2.11, then becomes the program of its own name in libexec/. Looks in
#   1. $GUIDEGEN_LIBTORCH (a folder with lib/libtorch_cpu.so)
#   2. lib/guidegen/torch beside this launcher
#   3. the folder that scripts/setup.sh of the source tree fills
# An existing PyTorch 2.11 will do:
#   export GUIDEGEN_LIBTORCH="$(python3 -c 'import torch; print(torch.__path__[0])')"
self="$(readlink -f "$0")"
here="${self%/*}/.."
cached="${XDG_CACHE_HOME:-${HOME:-}/.cache}/guidegen/libtorch-2.11.0/torch"

if [ -n "${GUIDEGEN_LIBTORCH:-}" ]; then
  torch="$GUIDEGEN_LIBTORCH"
elif [ -e "$here/lib/guidegen/torch/lib/libtorch_cpu.so" ]; then
  torch="$here/lib/guidegen/torch"
else
  torch="$cached"
fi
if [ ! -e "$torch/lib/libtorch_cpu.so" ]; then
  echo "guidegen: no LibTorch in $torch: set GUIDEGEN_LIBTORCH to the folder that has lib/libtorch_cpu.so of version 2.11" >&2
  exit 1
fi
# lib/guidegen is for programs without a run path of their own (scripts/gpu_bundle.sh).
LD_LIBRARY_PATH="$torch/lib:$here/lib/guidegen${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
# The wheel's own layout names these folders itself; a plain copy of torch/ may not have it.
for folder in "$torch"/../nvidia/*/lib "$torch"/../nvidia/*/*/lib; do
  [ -d "$folder" ] && LD_LIBRARY_PATH="$LD_LIBRARY_PATH:$folder"
done
export LD_LIBRARY_PATH
exec "$here/libexec/${self##*/}" "$@"
