#!/usr/bin/env python3
"""Renders the JSON of run.py as tables, between markers of a Markdown page.

    report.py RESULTS.json [PAGE.md]

The page keeps its text; what lies between `<!-- NAME:begin -->` and `<!-- NAME:end -->` is
replaced, for NAME of `machine`, `train`, `sample`, `kernels` and `scaling`, and of what a GPU adds,
`gpu_kernels` and `large`. Without a page the tables go to the terminal, as Markdown.
"""

import json
import pathlib
import re
import sys

STAGES = {1: "I", 2: "II", 3: "III"}


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def seconds(value):
    for unit, scale in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if value * scale >= 1:
            break
    return f"{value * scale:.3g} {unit}"


def times(case, variant):
    found = case["results"].get(variant)
    return seconds(found["seconds_median"]) if found else "–"


def ratio(case, other, ours="guidegen"):
    """How many times as fast as `other` ours is."""
    results = case["results"]
    if other not in results or ours not in results:
        return "–"
    return f"{results[other]['seconds_median'] / results[ours]['seconds_median']:.2f}"


def memory(case, variant):
    found = case["results"].get(variant)
    return f"{found['peak_mib']:.0f}" if found else "–"


def share_of_bound(case, peaks):
    """The least seconds that the operations with FLOPs need, over the seconds that we took."""
    if not case.get("cost") or not peaks:
        return "–"
    bound = sum(max(flops / peaks["flops_per_second"], moved / peaks["bytes_per_second"])
                for flops, moved in case["cost"]["operations"])
    return f"{100 * bound / case['results']['guidegen']['seconds_median']:.0f} %"


def shape(case):
    return " × ".join(str(n) for n in case["results"]["guidegen"]["shape"])


def render_machine(found):
    machine, peaks = found["machine"], found.get("steps", {}).get("peaks")
    rows = [[key.replace("_", " "), str(value)] for key, value in machine.items() if value != ""]
    if peaks:
        rows += [["matrix product", f"{peaks['matrix_product_flops'] / 1e9:.0f} GFLOP/s"],
                 ["convolution", f"{peaks['convolution_flops'] / 1e9:.0f} GFLOP/s"],
                 ["copy", f"{peaks['bytes_per_second'] / 1e9:.1f} GB/s"]]
    return table(["", ""], rows)


def flops(case):
    return f"{case['cost']['flops'] / 1e9:.1f}" if case.get("cost") else "–"


def render_train(found):
    steps = found["steps"]
    cases = [c for c in steps["cases"] if c["mode"] == "train" and "guidegen" in c["results"]]
    main = [c for c in cases if not {"pytorch naive", "guidegen fresh"} & set(c["variants"])]
    text = table(
        ["stage", "preset", "batch × D × H × W", "guidegen", "PyTorch", "PyTorch compiled",
         "PyTorch / guidegen", "compiled / guidegen", "MiB: guidegen", "PyTorch", "GFLOP",
         "share of the bound"],
        [[STAGES[c["stage"]], c["preset"], shape(c), times(c, "guidegen"), times(c, "pytorch"),
          times(c, "pytorch compiled"), ratio(c, "pytorch"), ratio(c, "pytorch compiled"),
          memory(c, "guidegen"), memory(c, "pytorch"), flops(c),
          share_of_bound(c, steps.get("peaks"))] for c in main])
    for c in cases:
        if "pytorch naive" in c["results"]:
            text += (f"\n\nStage I with the loss as a table of K × K transitions a voxel, "
                     f"{shape(c)}: PyTorch {times(c, 'pytorch naive')} and "
                     f"{memory(c, 'pytorch naive')} MiB, PyTorch in closed form "
                     f"{times(c, 'pytorch')} and {memory(c, 'pytorch')} MiB, guidegen "
                     f"{times(c, 'guidegen')} and {memory(c, 'guidegen')} MiB.")
        if "guidegen fresh" in c["results"]:
            text += (f"\n\nStage I from cases in memory, noise and plans drawn within the step: "
                     f"{times(c, 'guidegen fresh')} instead of {times(c, 'guidegen')}.")
    return text


def render_sample(found):
    steps = found["steps"]
    return table(
        ["stage", "preset", "size", "network calls", "guidegen", "PyTorch", "PyTorch / guidegen",
         "MiB: guidegen", "PyTorch", "share of the bound"],
        [[STAGES[c["stage"]], c["preset"], shape(c),
          str(c["results"]["guidegen"]["sampling_steps"]), times(c, "guidegen"),
          times(c, "pytorch"), ratio(c, "pytorch"), memory(c, "guidegen"), memory(c, "pytorch"),
          share_of_bound(c, steps.get("peaks"))]
         for c in steps["cases"] if c["mode"] == "sample" and "guidegen" in c["results"]])


def rate(entry):
    if "bytes_per_second" in entry:
        return f"{entry['bytes_per_second'] / 1e9:.2f} GB/s"
    if "items_per_second" in entry:
        rate_of = entry["items_per_second"]
        return f"{rate_of / 1e6:.1f} M items/s" if rate_of >= 1e6 else f"{rate_of:.3g} items/s"
    return "–"


def render_kernels(found):
    unit = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
    rows = [[program, entry["name"], seconds(entry["real_time"] * unit[entry["time_unit"]]),
             rate(entry)]
            for program, entries in found["kernels"].items() for entry in entries
            if entry.get("run_type") != "aggregate" and not entry.get("error_occurred")]
    return table(["program", "case", "time", "rate"], rows)


def render_gpu_kernels(found):
    return table(
        ["kernel", "shape", "type", "time", "GB/s", "share of a copy"],
        [[k["kernel"], " × ".join(str(n) for n in k["shape"]), k["type"], seconds(k["ms"] / 1e3),
          f"{k['GB/s']:.0f}", f"{100 * k['share']:.0f} %"] for k in found["gpu_kernels"]])


def of_variant(case, variant):
    """Columns of one program in the table of large volumes."""
    found = case["results"].get(variant)
    if not found:
        return ["–"] * 3
    call = seconds(found["seconds_of_call"]) if "seconds_of_call" in found else "–"
    return [call, seconds(found["seconds_of_case"]), f"{found['peak_mib']:.0f}"]


def render_large(found):
    columns = ["network call", "case", "MiB"]
    rows = []
    for case in found["large"]:
        any_result = next(iter(case["results"].values()), {})
        rows.append([STAGES[case["stage"]], f"{case['side']}³",
                     str(any_result.get("calls_of_preset", "–")), *of_variant(case, "guidegen"),
                     *of_variant(case, "pytorch")])
    head = [f"{who}: {what}" for who in ("guidegen", "PyTorch") for what in columns]
    return table(["stage", "voxels", "calls a case", *head], rows)


def render_failures(found):
    return table(["program", "reason", "command"],
                 [[f["who"], f["reason"].replace("|", "\\|"), f"`{' '.join(f['command'])}`"]
                  for f in found["failures"]])


def render_scaling(found):
    scaling = found["scaling"]
    if not scaling.get("runs"):
        return f"Not measured: {scaling.get('note', 'no run succeeded')}."
    first = scaling["runs"][0]
    return table(
        ["processes", "batch of each", "seconds a step", "cases a second", "efficiency"],
        [[str(r["processes"]), str(r["batch_each"]), seconds(r["seconds"]),
          f"{r['processes'] * r['batch_each'] / r['seconds']:.2f}",
          f"{100 * first['seconds'] / r['seconds']:.0f} %"] for r in scaling["runs"]])


def render(found):
    parts = {"machine": render_machine(found)}
    if "steps" in found:
        parts.update(train=render_train(found), sample=render_sample(found))
    if "kernels" in found:
        parts["kernels"] = render_kernels(found)
    if "gpu_kernels" in found:
        parts["gpu_kernels"] = render_gpu_kernels(found)
    if "large" in found:
        parts["large"] = render_large(found)
    if "scaling" in found:
        parts["scaling"] = render_scaling(found)
    return parts


def main():
    found = json.loads(pathlib.Path(sys.argv[1]).read_text())
    parts = render(found)
    if len(sys.argv) < 3:
        if found.get("failures"):
            parts["failures"] = render_failures(found)
        print("\n\n".join(f"## {name}\n\n{text}" for name, text in parts.items()))
        return
    page = pathlib.Path(sys.argv[2])
    text = page.read_text()
    for name, part in parts.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        text, count = re.subn(f"{begin}.*?{end}", lambda _: f"{begin}\n{part}\n{end}", text,
                              flags=re.DOTALL)
        if count != 1:
            raise SystemExit(f"{page}: expected {begin} … {end} once, found {count}")
    page.write_text(text)


if __name__ == "__main__":
    main()
