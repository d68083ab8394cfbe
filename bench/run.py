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
import sys
import tempfile

import scaling

ROOT = pathlib.Path(__file__).resolve().parents[1]
STEPS = ROOT / "tests/oracle/pytorch_steps.py"
KEEP_IN_MEMORY = 8  # tensors [B,K,K,D,H,W] that the naive loss and its gradient hold at once
LABELS = 30


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build folder")
    parser.add_argument("--python", type=pathlib.Path, help="Python with torch; none: ours alone")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--presets", nargs="+", default=["demo"])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--quick", action="store_true", help="few steps, one round")
    parser.add_argument("--only", choices=("kernels", "steps", "scaling"), nargs="+",
                        default=["kernels", "steps", "scaling"])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    return parser.parse_args()


def say(text):
    print(f"== {text}", file=sys.stderr, flush=True)


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


def machine(options):
    memory = int(field("/proc/meminfo", "MemTotal").split()[0]) / 2**20
    found = {
        "date": datetime.date.today().isoformat(), "cpu": field("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)), "memory_gib": round(memory, 1),
        "kernel": os.uname().release, "compiler": first_line(["c++", "--version"]),
        "guidegen": first_line([options.build / "guidegen", "--version"]),
        "commit": first_line(["git", "-C", ROOT, "describe", "--always", "--dirty"]),
        "threads": options.threads, "device": options.device, "precision": options.precision,
    }
    if options.python:
        found["pytorch"] = first_line([options.python, "-c", "import torch; print(torch.__version__)"])
    if options.device == "cuda":
        found["gpu"] = first_line(["nvidia-smi", "--query-gpu=name,memory.total,driver_version",
                                   "--format=csv,noheader"])
    return found


def environment(options):
    return {**os.environ, "OMP_NUM_THREADS": str(options.threads), "PYTHONDONTWRITEBYTECODE": "1"}


def run_json(command, options):
    """The JSON that a program prints last; None, with a line on stderr, where it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          env=environment(options))
    if done.returncode != 0:
        message = (done.stderr.strip().splitlines() or ["no message"])[-1]
        say(f"{pathlib.Path(command[0]).name}: exit code {done.returncode}: {message}")
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


# --- kernels ------------------------------------------------------------------------------------

def run_kernels(options):
    """Every google-benchmark program of the build: bench_<name>."""
    found = {}
    for program in sorted((options.build / "bench").glob("bench_*")):
        if not os.access(program, os.X_OK) or program.is_dir():
            continue
        name = program.name.removeprefix("bench_")
        if ("gpu" in name) != (options.device == "cuda"):
            continue
        say(f"kernels: {name}")
        with tempfile.NamedTemporaryFile(suffix=".json") as out:
            command = [program, f"--benchmark_out={out.name}", "--benchmark_out_format=json",
                       f"--benchmark_min_time={0.05 if options.quick else 0.5}"]
            done = subprocess.run(command, capture_output=True, text=True, env=environment(options))
            if done.returncode != 0:
                say(f"{name}: exit code {done.returncode}: {done.stderr.strip()[-300:]}")
                continue
            found[name] = json.loads(pathlib.Path(out.name).read_text())["benchmarks"]
    return found


# --- steps --------------------------------------------------------------------------------------

def naive_fits(case):
    x, y, z = case["size"]
    need = KEEP_IN_MEMORY * 4 * case["batch"] * LABELS**2 * x * y * z
    return need < int(field("/proc/meminfo", "MemAvailable").split()[0]) * 1024


def step_cases(options):
    """What is measured: one entry a row of the tables."""
    size = [32, 32, 48] if options.quick else [64, 64, 80]
    cases = []
    for preset in options.presets:
        for stage, batch in ((1, 2), (2, 4), (3, 4)):
            common = {"stage": stage, "preset": preset, "size": size}
            cases.append({**common, "mode": "train", "batch": batch,
                          "variants": ["guidegen", "pytorch", "pytorch compiled"]})
            cases.append({**common, "mode": "sample", "batch": 1,
                          "variants": ["guidegen", "pytorch"]})
    table = {"stage": 1, "preset": options.presets[0], "size": size, "mode": "train", "batch": 1,
             "variants": ["guidegen", "pytorch", "pytorch naive"]}
    while not naive_fits(table) and min(table["size"]) > 16:
        table["size"] = [n // 2 for n in table["size"]]
    return cases + [table, {**cases[0], "variants": ["guidegen", "guidegen fresh"]}]


def command_of(variant, case, options):
    theirs = variant.startswith("pytorch")
    command = ([options.python, STEPS] if theirs else
               [options.build / "bench/guidegen_step_bench", "--inputs",
                "fresh" if variant.endswith("fresh") else "ready"])
    steps = (2 if options.quick else 10) if case["mode"] == "train" else 1 if options.quick else 3
    command += ["--stage", case["stage"], "--preset", case["preset"], "--mode", case["mode"],
                "--batch", case["batch"], "--size", *case["size"], "--steps", steps,
                "--warmup", 3 if case["mode"] == "train" and not options.quick else 1,
                "--threads", options.threads, "--device", options.device,
                "--precision", options.precision]
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
    for index in range(1 if options.quick else 3):
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
    if options.python:
        counted = {**case, "variants": None}
        entry["cost"] = run_json(command_of("pytorch", counted, options) + ["--cost"], options)
    return entry


def run_steps(options):
    found = {"cases": [run_case(case, options) for case in step_cases(options)]}
    if options.python:
        say("speed of the machine")
        found["peaks"] = run_json([options.python, STEPS, "--peaks", "--device", options.device,
                                   "--threads", options.threads], options)
    return found


def main():
    options = parse()
    found = {"machine": machine(options), "quick": options.quick}
    if "kernels" in options.only:
        found["kernels"] = run_kernels(options)
    if "steps" in options.only:
        found["steps"] = run_steps(options)
    if "scaling" in options.only and options.device == "cpu":
        found["scaling"] = scaling.run(options.build / "guidegen", options.quick, say)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=1) + "\n")
    say(f"results in {options.out}")


if __name__ == "__main__":
    main()
