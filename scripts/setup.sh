#!/usr/bin/env bash
# Prepares a Debian 12 or Ubuntu 24.04 machine to build guidegen. Safe to run again: it installs
# only what is missing and fetches nothing twice.
#
#   scripts/setup.sh [--with-pytorch]
#
# It sets up, in this order:
#   1. system packages (apt), through sudo where needed;
#   2. a Python environment with the libraries that the tests compare against;
#   3. LibTorch from pinned wheels, checked by SHA-256;
#   4. with --with-pytorch, a Python environment with PyTorch (several GB), which one test and the
#      benchmarks compare with.
# 2 to 4 go to ${XDG_CACHE_HOME:-$HOME/.cache}/guidegen.
#
# Environment:
#   Torch_ROOT           use this LibTorch (folder with include/ and lib/) and fetch none
#   GUIDEGEN_WHEEL_DIR   take wheels from this folder where it has them
#   GUIDEGEN_SKIP_APT=1  do not look at system packages (they come from elsewhere)
#
# Exit codes: 0 ready, 1 failed, 2 packages are missing and neither root nor sudo is at hand.
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

with_pytorch=0
case "${1:-}" in
  "") ;;
  --with-pytorch) with_pytorch=1 ;;
  *) die "unknown option $1 (see the top of this file)" ;;
esac

packages=(
  g++ cmake ninja-build ccache
  libinsighttoolkit5-dev libgdcm-dev libgdcm-tools
  nlohmann-json3-dev libcli11-dev libspdlog-dev libicu-dev libssl-dev zlib1g-dev
  libgloo-dev libgtest-dev libgmock-dev libbenchmark-dev
  python3 python3-venv unzip
)

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
      echo "$package"
  done
}

ensure_packages() {
  [[ "${GUIDEGEN_SKIP_APT:-}" == 1 ]] && return
  command -v apt-get >/dev/null ||
    die "this is neither Debian nor Ubuntu: install the equivalents of ${packages[*]}," \
        "then run again with GUIDEGEN_SKIP_APT=1"
  local missing
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]} == 0)) && return

  local sudo=()
  if ((EUID != 0)); then
    # On a terminal sudo may ask for the password; elsewhere only a sudo that needs none helps.
    if ! command -v sudo >/dev/null || { [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; }; then
      echo "Packages are missing. Have an administrator run:" >&2
      echo "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
      exit 2
    fi
    sudo=(sudo)
  fi
  "${sudo[@]}" apt-get update -q >&2
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
}

# The distribution's interpreter: one from elsewhere that comes first on PATH may be too old.
python() {
  if [[ -x /usr/bin/python3 ]]; then /usr/bin/python3 "$@"; else python3 "$@"; fi
}

# ensure_environment FOLDER REQUIREMENTS
ensure_environment() {
  local folder="$1" requirements="$2" digest
  digest="$(sha256sum <"$requirements")"
  [[ -f "$folder/.complete" && "$(<"$folder/.complete")" == "$digest" ]] && return
  # A virtual environment holds absolute paths, so it is built in place; the marker comes last.
  rm -rf "$folder"
  python -m venv "$folder"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check \
    --only-binary=:all: --requirement "$requirements" >&2
  echo "$digest" >"$folder/.complete"
}

wheel_is_good() { [[ -f "$1" ]] && echo "$2  $1" | sha256sum --check --status; }

# fetch_wheel REQUIREMENT FILE SHA256: prints where the verified wheel lies.
fetch_wheel() {
  local requirement="$1" file="$2" sha256="$3" folder
  for folder in ${GUIDEGEN_WHEEL_DIR:+"$GUIDEGEN_WHEEL_DIR"} "$cache/wheels"; do
    if wheel_is_good "$folder/$file" "$sha256"; then
      echo "$folder/$file"
      return
    fi
  done
  mkdir -p "$cache/wheels"
  rm -f "$cache/wheels/$file"
  say "fetching $requirement"
  # The tags name one exact file, whatever interpreter runs pip.
  "$oracles/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps \
    --only-binary=:all: --python-version 311 --implementation cp --abi cp311 --abi none \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_25_x86_64 \
    --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
    --dest "$cache/wheels" "$requirement" >&2
  wheel_is_good "$cache/wheels/$file" "$sha256" ||
    die "$cache/wheels/$file: missing or its SHA-256 is not $sha256 (third_party/versions.env)"
  echo "$cache/wheels/$file"
}

ensure_libtorch() {
  [[ -n "${Torch_ROOT:-}" ]] && return
  [[ "$(uname -m)" == x86_64 ]] ||
    die "no pinned LibTorch for $(uname -m): set Torch_ROOT to the folder with include/ and lib/"
  local target="$cache/libtorch-$LIBTORCH_VERSION" wheel
  local digest="$TORCH_SHA256 $CUDA_RUNTIME_SHA256 $CUDA_CUPTI_SHA256"
  [[ -f "$target/.complete" && "$(<"$target/.complete")" == "$digest" ]] && return

  local torch runtime cupti
  torch="$(fetch_wheel "$TORCH_REQUIREMENT" "$TORCH_WHEEL" "$TORCH_SHA256")"
  runtime="$(fetch_wheel \
    "$CUDA_RUNTIME_REQUIREMENT" "$CUDA_RUNTIME_WHEEL" "$CUDA_RUNTIME_SHA256")"
  cupti="$(fetch_wheel "$CUDA_CUPTI_REQUIREMENT" "$CUDA_CUPTI_WHEEL" "$CUDA_CUPTI_SHA256")"

  say "unpacking LibTorch $LIBTORCH_VERSION"
  staging="$(mktemp -d "$cache/libtorch.XXXXXX")"  # global: the trap outlives this function
  trap 'rm -rf "$staging" "$staging.old"' EXIT
  unzip -q "$torch" 'torch/include/*' 'torch/lib/*' -d "$staging"
  for wheel in "$runtime" "$cupti"; do unzip -q -o "$wheel" 'nvidia/*' -d "$staging"; done
  echo "$digest" >"$staging/.complete"
  chmod 755 "$staging"
  # The old folder leaves and the new one appears by renames, so nobody sees half of either.
  if [[ -e "$target" ]]; then
    mv "$target" "$staging.old"
    mv "$staging" "$target"
    rm -rf "$staging.old"
  else
    mv "$staging" "$target"
  fi
  rm -rf "$cache/wheels"
}

mkdir -p "$cache"
ensure_packages
# Two runs at once (demo.sh and test.sh, say) take turns.
exec 9>"$cache/.setup.lock"
flock 9
ensure_environment "$oracles" "$root/tests/oracle/requirements.txt"
ensure_libtorch
if ((with_pytorch)); then
  say "PyTorch, in $pytorch"
  ensure_environment "$pytorch" "$root/tests/oracle/requirements-pytorch.txt"
fi
say "ready: LibTorch ${Torch_ROOT:-$cache/libtorch-$LIBTORCH_VERSION}, test oracles in $oracles"
