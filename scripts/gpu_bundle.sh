#!/usr/bin/env bash
# Makes build/gpu-bundle: all that scripts/gpu_check.sh needs on a machine that has a GPU and
# PyTorch 2.11 but none of our other libraries and no compiler. Copy the folder there and run
# scripts/gpu_check.sh in it; bin/ there has the program, its tests and its benchmarks.
#
#   scripts/gpu_bundle.sh
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

bundle="$root/build/gpu-bundle"
most_mb=64

mapfile -t tests < <(device_tests)
programs=("${tests[@]/#/tests/}" bench/guidegen_gpu_kernels_bench bench/guidegen_step_bench)

if [[ "${GUIDEGEN_SKIP_BUILD:-}" != 1 ]]; then
  (cd "$root" && cmake --preset release -DGUIDEGEN_BENCHMARKS=ON >&2)
  timed "build" cmake --build "$build_dir" --parallel "$(jobs_at_once)" --target \
    guidegen guidegen_cuda "${tests[@]}" guidegen_gpu_kernels_bench guidegen_step_bench >&2
fi
[[ -f "$build_dir/libguidegen_cuda.so" ]] || die "the CUDA plug-in is not built (is nvcc there?)"

rm -rf "$bundle"
cmake --install "$build_dir" --prefix "$bundle" --strip >/dev/null
for program in "${programs[@]}"; do
  cp "$build_dir/$program" "$bundle/libexec/"
  strip "$bundle/libexec/$(basename "$program")"
  cp "$root/cmake/launcher.sh" "$bundle/bin/$(basename "$program")"
  chmod +x "$bundle/bin/$(basename "$program")"
done

# What the test programs need beyond what the program does, without LibTorch and its libraries and
# without what each Linux has.
ldd "$bundle"/libexec/* | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | sort -u |
  grep -vE '/(ld-linux|lib(c|m|dl|rt|pthread|resolv|util|mvec|stdc\+\+|gcc_s|gomp)\.so|lib(torch|c10|cudart|cupti|nccl|cudnn|cublas))' |
  while read -r library; do
    target="$bundle/lib/guidegen/$(basename "$library")"
    [[ -e "$target" ]] || { cp -L "$library" "$target"; strip --strip-unneeded "$target"; }
  done

# The same paths as in the source tree, for scripts that run from either.
mkdir -p "$bundle/scripts" "$bundle/tests" "$bundle/bench" "$bundle/third_party"
cp "$root/third_party/versions.env" "$bundle/third_party/"
cp "$root"/scripts/*.sh "$bundle/scripts/"
cp "$root"/bench/*.py "$bundle/bench/"
git -C "$root" describe --always --dirty >"$bundle/commit.txt" 2>/dev/null || true
cp -r "$root/tests/oracle" "$bundle/tests/"
rm -rf "$bundle/tests/oracle/__pycache__"
ln -s share/guidegen/models "$bundle/models"
ln -s share/guidegen/configs "$bundle/configs"

size_mb="$(du -sm --apparent-size "$bundle" | cut -f1)"
((size_mb < most_mb)) || die "$bundle holds $size_mb MiB, expected less than $most_mb"
say "$bundle: $size_mb MiB"
