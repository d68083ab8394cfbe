"""Finding and running the programs that are measured."""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
STEPS = ROOT / "tests/oracle/pytorch_steps.py"

failures = []  # one line a program that failed


def say(text):
    print(f"== {text}", file=sys.stderr, flush=True)


def program(options, name):
    """Our program `name`: a build tree keeps benchmarks in bench/, the GPU bundle all in one folder."""
    for folder in (options.build, options.build / "bench"):
        if (folder / name).is_file():
            return folder / name
    raise SystemExit(f"{options.build}: no {name} here nor in bench/ (-DGUIDEGEN_BENCHMARKS=ON)")


def is_ours(command):
    return pathlib.Path(command[0]).name.startswith(("guidegen", "bench_"))


def environment(options):
    return {**os.environ, "OMP_NUM_THREADS": str(options.threads), "PYTHONDONTWRITEBYTECODE": "1"}


def failed(command, reason):
    who = "guidegen" if is_ours(command) else "pytorch"
    failures.append({"who": who, "command": [str(part) for part in command], "reason": reason})
    say(f"{pathlib.Path(command[0]).name}: {reason}")


def run(command, options):
    """What a program prints; None, noted in `failures`, where it fails."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                              env=environment(options), timeout=options.limit)
    except subprocess.TimeoutExpired:
        return failed(command, f"not done after {options.limit} s")
    except OSError as error:
        return failed(command, str(error))
    if done.returncode == 0:
        return done.stdout
    message = (done.stderr.strip().splitlines() or ["no message"])[-1]
    return failed(command, f"exit code {done.returncode}: {message}")


def run_json_lines(command, options):
    """The JSON lines that a program prints; empty where it fails."""
    lines = (run(command, options) or "").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def run_json(command, options):
    """The JSON that a program prints last; None where it fails."""
    return (run_json_lines(command, options) or [None])[-1]
