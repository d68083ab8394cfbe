"""Sampling of large volumes: seconds of a network call, seconds of a case, memory.

A case takes as many network calls as the preset says; here it makes a few and then some more. The
difference is the cost of a call, and what remains the cost of all else (prompt, plan, mask).
"""

import programs

VARIANTS = ("guidegen", "pytorch")


def command_of(variant, stage, side, calls, options):
    theirs = variant == "pytorch"
    command = ([options.python, programs.STEPS] if theirs else
               [programs.program(options, "guidegen_step_bench")])
    return command + ["--stage", stage, "--preset", options.presets[0], "--mode", "sample",
                      "--batch", 1, "--size", side, side, side, "--sampling-steps", calls,
                      "--steps", 1 if options.quick else 3, "--warmup", 1,
                      "--threads", options.threads, "--device", options.device,
                      "--precision", options.precision]


def measure(variant, stage, side, options):
    """Of one program; None where it fails (mostly: out of memory)."""
    few, more = (1, 2) if options.quick else (2, 6)
    runs = []
    for calls in (few, more) if stage != 2 else (0,):
        programs.say(f"large: stage {stage}, {side}³, {calls or 'all'} calls: {variant}")
        found = programs.run_json(command_of(variant, stage, side, calls, options), options)
        if not found:
            return None
        runs.append(found)
    first, last = runs[0], runs[-1]
    result = {"peak_mib": max(run["peak_mib"] for run in runs), "shape": first["shape"],
              "calls_of_preset": last["sampling_steps_of_preset"],
              "seconds_of_calls": {str(run["sampling_steps"]): run["seconds_min"] for run in runs}}
    if stage == 2:  # no network called again and again: CT to latent and back once
        return {**result, "seconds_of_case": first["seconds_min"]}
    call = max(0.0, last["seconds_min"] - first["seconds_min"]) / (more - few)
    rest = max(0.0, first["seconds_min"] - few * call)
    return {**result, "seconds_of_call": call,
            "seconds_of_case": rest + call * result["calls_of_preset"]}


def run(options):
    found = []
    variants = [v for v in VARIANTS if options.python or v == "guidegen"]
    for side in options.large_sides:
        for stage in options.stages:
            results = {v: measure(v, stage, side, options) for v in variants}
            found.append({"stage": stage, "side": side, "preset": options.presets[0],
                          "results": {v: r for v, r in results.items() if r}})
            yield found
