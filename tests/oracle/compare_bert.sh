#!/bin/sh
# compare_bert.sh PYTHON TEXT_IO TEACHER_DIR: exit code 77 (skipped) where there is no PYTHON or no
# teacher.
if [ ! -x "$1" ]; then
  echo "skipped: $1 does not exist; scripts/setup.sh --with-pytorch makes it"
  exit 77
fi
if [ ! -f "$3/model.safetensors" ]; then
  echo "skipped: no language model in $3; scripts/setup.sh --with-teacher fetches it"
  exit 77
fi
exec "$1" "$(dirname "$0")/compare_bert.py" "$2" "$3"
