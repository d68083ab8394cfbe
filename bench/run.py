#!/usr/bin/env python3
"""Runs the benchmarks and writes one JSON file; scripts/bench.sh builds what is needed and calls it.

Programs that are compared take turns (A B A B ...), so that a machine that slows down slows both.
Of each the fastest step and the median of the rounds' medians are kept.
"""

import argparse
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

import large
import programs
import scaling
from programs import ROOT, STEPS, program, run_json, say

# What is measured where nothing else is asked for.
PARTS = {"cpu": ["kernels", "steps", "scaling"], "cuda": ["gpu-kernels", "steps", "large"]}
KEEP_IN_MEMORY = 8  # tensors [B,K,K,D,H,W] that the naive loss and its gradient hold at once
LABELS = 30


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True,
                        help="build folder, or the folder that has all the programs")
    parser.add_argument("--python", type=pathlib.Path, help="Python with torch; none: ours alone")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--presets", nargs="+", default=["demo"])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--quick", action="store_true", help="few steps, one round")
    parser.add_argument("--rounds", type=int, help="default: 3, quick 1")
    parser.add_argument("--stages", type=int, nargs="+", choices=(1, 2, 3), default=[1, 2, 3])
    parser.add_argument("--size", type=int, nargs=3, metavar=("X", "Y", "Z"),
                        help="voxels of the steps; default: 64 64 80, quick 32 32 48")
    parser.add_argument("--large-sides", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--no-compile", action="store_true", help="without torch.compile")
    parser.add_argument("--no-bound", action="store_true",
                        help="without counting operations and the machine's peaks")
    parser.add_argument("--limit", type=float, default=1800, help="seconds a program may take")
    parser.add_argument("--only", choices=("kernels", "gpu-kernels", "steps", "large", "scaling"),
                        nargs="+", help="default: what suits the device")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.only = options.only or PARTS[options.device]
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.size = options.size or ([32, 32, 48] if options.quick else [64, 64, 80])
    return options


def first_line(command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0].strip()
    except (OSError, IndexError):
        return ""


def field(path, key):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.split(":")[0].strip() == key:
            return line.split(":", 1)[1].strip()
    return ""


def commit():
    """Of the source tree; the GPU bundle keeps it in a file."""
    noted = ROOT / "commit.txt"
    if noted.is_file():
        return noted.read_text().strip()
    return first_line(["git", "-C", ROOT, "describe", "--always", "--dirty"])


def machine(options):
    memory = int(field("/proc/meminfo", "MemTotal").split()[0]) / 2**20
    found = {
        "date": datetime.date.today().isoformat(), "cpu": field("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)), "memory_gib": round(memory, 1),
        "kernel": os.uname().release, "compiler": first_line(["c++", "--version"]),
        "guidegen": first_line([program(options, "guidegen"), "--version"]),
        "commit": commit(),
        "threads": options.threads, "device": options.device, "precision": options.precision,
    }
    if options.python:
        found["pytorch"] = first_line([options.python, "-c", "import torch; print(torch.__version__)"])
    if options.device == "cuda":
        found["gpu"] = first_line(["nvidia-smi", "--query-gpu=name,memory.total,driver_version",
                                   "--format=csv,noheader"])
    return found


# --- kernels ------------------------------------------------------------------------------------

def run_kernels(options):
    """Every google-benchmark program of the build, bench_<name>: kernels of the CPU."""
    found = {}
    for path in sorted((options.build / "bench").glob("bench_*")):
        if not os.access(path, os.X_OK) or path.is_dir():
            continue
        name = path.name.removeprefix("bench_")
        say(f"kernels: {name}")
        with tempfile.NamedTemporaryFile(suffix=".json") as out:
            command = [path, f"--benchmark_out={out.name}", "--benchmark_out_format=json",
                       f"--benchmark_min_time={0.05 if options.quick else 0.5}"]
            if programs.run(command, options) is not None:
                found[name] = json.loads(pathlib.Path(out.name).read_text())["benchmarks"]
    return found


def run_gpu_kernels(options):
    """Our operators against a copy; on the CPU to try the program only."""
    say("kernels of the GPU")
    tiny = ["--small", "--rounds", 1] if options.device == "cpu" else []
    return programs.run_json_lines([program(options, "guidegen_gpu_kernels_bench"), "--device",
                                    options.device, *tiny], options)


# --- steps --------------------------------------------------------------------------------------

def naive_fits(case):
    x, y, z = case["size"]
    need = KEEP_IN_MEMORY * 4 * case["batch"] * LABELS**2 * x * y * z
    return need < int(field("/proc/meminfo", "MemAvailable").split()[0]) * 1024


def step_cases(options):
    """What is measured: one entry a row of the tables."""
    compiled = [] if options.no_compile else ["pytorch compiled"]
    size, cases = list(options.size), []
    for preset in options.presets:
        for stage in options.stages:
            batch = 2 if stage == 1 else 4
            common = {"stage": stage, "preset": preset, "size": size}
            cases.append({**common, "mode": "train", "batch": batch,
                          "variants": ["guidegen", "pytorch", *compiled]})
            cases.append({**common, "mode": "sample", "batch": 1,
                          "variants": ["guidegen", "pytorch"]})
    if 1 not in options.stages:
        return cases
    table = {"stage": 1, "preset": options.presets[0], "size": size, "mode": "train", "batch": 1,
             "variants": ["guidegen", "pytorch", "pytorch naive"]}
    while not naive_fits(table) and min(table["size"]) > 16:
        table["size"] = [n // 2 for n in table["size"]]
    fresh = {**table, "size": size, "batch": 2, "variants": ["guidegen", "guidegen fresh"]}
    return [*cases, table, fresh]


def command_of(variant, case, options):
    theirs = variant.startswith("pytorch")
    command = ([options.python, STEPS] if theirs else
               [program(options, "guidegen_step_bench"), "--inputs",
                "fresh" if variant.endswith("fresh") else "ready"])
    steps = (2 if options.quick else 10) if case["mode"] == "train" else 1 if options.quick else 3
    command += ["--stage", case["stage"], "--preset", case["preset"], "--mode", case["mode"],
                "--batch", case["batch"], "--size", *case["size"], "--steps", steps,
                "--warmup", 3 if case["mode"] == "train" and not options.quick else 1,
                "--threads", options.threads, "--device", options.device,
                "--precision", options.precision]
    if options.quick and case["mode"] == "sample":
        command += ["--sampling-steps", 2]
    if variant == "pytorch naive":
        command += ["--loss", "naive"]
    return command + (["--compile"] if variant == "pytorch compiled" else [])


def merge(rounds):
    """One result of several rounds of the same program."""
    found = dict(rounds[0])
    found["seconds_min"] = min(r["seconds_min"] for r in rounds)
    found["cpu_seconds_min"] = min(r["cpu_seconds_min"] for r in rounds)
    found["seconds_median"] = statistics.median(r["seconds_median"] for r in rounds)
    found["seconds"] = [s for r in rounds for s in r["seconds"]]
    found["peak_mib"] = max(r["peak_mib"] for r in rounds)
    return found


def check_same(case, results):
    """A comparison counts only between networks of the same size on the same shapes."""
    for key in ("parameters", "shape", "sampling_steps"):
        values = {name: json.dumps(r[key]) for name, r in results.items()}
        if len(set(values.values())) > 1:
            raise SystemExit(f"stage {case['stage']} {case['mode']}: {key} differ: {values}")


def run_case(case, options):
    variants = [v for v in case["variants"] if options.python or not v.startswith("pytorch")]
    rounds = {variant: [] for variant in variants}
    for index in range(options.rounds):
        for variant in variants:
            if index > 0 and not rounds[variant]:
                continue  # it failed before
            say(f"stage {case['stage']} {case['mode']}, round {index + 1}: {variant}")
            found = run_json(command_of(variant, case, options), options)
            if found:
                rounds[variant].append(found)
    results = {variant: merge(found) for variant, found in rounds.items() if found}
    check_same(case, results)
    entry = {**case, "results": results}
    if options.python and not options.no_bound:
        counted = {**case, "variants": None}
        entry["cost"] = run_json(command_of("pytorch", counted, options) + ["--cost"], options)
    return entry


def run_steps(options):
    """Yields what is known so far."""
    found = {"cases": []}
    if options.python and not options.no_bound:
        say("speed of the machine")
        found["peaks"] = run_json([options.python, STEPS, "--peaks", "--device", options.device,
                                   "--precision", options.precision, "--threads",
                                   options.threads], options)
    for case in step_cases(options):
        found["cases"].append(run_case(case, options))
        yield found


def measure(options):
    """Yields the name of a part and what is known of it so far."""
    if "kernels" in options.only:
        yield "kernels", run_kernels(options)
    if "gpu-kernels" in options.only:
        yield "gpu_kernels", run_gpu_kernels(options)
    if "steps" in options.only:
        yield from (("steps", found) for found in run_steps(options))
    if "large" in options.only:
        yield from (("large", found) for found in large.run(options))
    if "scaling" in options.only:
        yield "scaling", scaling.run(program(options, "guidegen"), options.quick, say)


def main():
    options = parse()
    found = {"machine": machine(options), "quick": options.quick, "failures": programs.failures}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    for part, results in measure(options):
        found[part] = results
        # Each time: a run that is stopped leaves what it measured.
        options.out.write_text(json.dumps(found, indent=1) + "\n")
    say(f"results in {options.out}")
    if any(failure["who"] == "guidegen" for failure in programs.failures):
        raise SystemExit("some of our own programs failed: see above")


if __name__ == "__main__":
    main()
