#!/bin/sh
# compare_networks.sh PYTHON NETWORK_IO MODEL_DIR: exit code 77 (skipped) where there is no PYTHON.
if [ ! -x "$1" ]; then
  echo "skipped: $1 does not exist; scripts/setup.sh --with-pytorch makes it"
  exit 77
fi
exec "$1" "$(dirname "$0")/compare_networks.py" "$2" "$3"
