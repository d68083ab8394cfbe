"""Training of stage I on one and on two processes, through `guidegen train` itself."""

import json
import os
import pathlib
import socket
import statistics
import subprocess
import tempfile

BATCH = 2  # of each process


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def train(program, data, out, world, steps):
    """Seconds a step of `world` processes with a core each; None, where one of them fails."""
    cores = sorted(os.sched_getaffinity(0))
    port, processes = free_port(), []
    for rank in range(world):
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        if world > 1:
            environment.update(RANK=str(rank), WORLD_SIZE=str(world), LOCAL_RANK=str(rank),
                               MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        command = ["taskset", "-c", str(cores[rank]), program, "train", "stage1", "--data", data,
                   "--out", out, f"training.steps={steps}", f"training.batch={BATCH * world}",
                   "training.log_every=1", f"training.checkpoint_every={steps}",
                   "training.preview_every=0", "network.planner_steps=1"]
        processes.append(subprocess.Popen([str(part) for part in command], env=environment,
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    if any([process.wait() for process in processes]):
        return None
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    steps = [line["seconds_per_step"] for line in lines if "seconds_per_step" in line]
    return statistics.median(steps[len(steps) // 2:])


def run(program, quick, say):
    """One entry a number of processes, or a note that says why there are none."""
    cores = len(os.sched_getaffinity(0))
    worlds = [n for n in (1, 2, 4, 8) if n <= cores][:2 if quick else None]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        subprocess.run([program, "phantom", "--out", folder / "data", "--count", "8",
                        "--size", "64", "64", "80", "--seed", "1"],
                       check=True, capture_output=True)
        for world in worlds:
            say(f"scaling: {world} processes")
            seconds = train(program, folder / "data", folder / f"run{world}", world,
                            4 if quick else 16)
            if seconds is None:
                say(f"scaling: training on {world} processes failed")
                continue
            found.append({"processes": world, "batch_each": BATCH, "seconds": seconds})
    return {"runs": found}
