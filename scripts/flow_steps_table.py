#!/usr/bin/env python3
"""Puts reports of `evaluate image-mask` for several numbers of solver steps in one Markdown table.

    flow_steps_table.py FOLDER STEPS...

FOLDER holds <steps>.json, and <steps>.seconds where sampling was timed. Shares are of the cases and
organs that lie within the central 95 % of the reference; texture is the median over organs of their
ratio to the reference.
"""
import json
import pathlib
import statistics
import sys


def value(entry):
    return entry.get("value", entry.get("share")) if entry else None


def texture(summary, figure):
    organs = summary["appearance"].get(figure, {}).get("organs", {})
    ratios = [value(row["all"].get("ratio")) for row in organs.values() if "all" in row]
    ratios = [ratio for ratio in ratios if ratio is not None]
    return statistics.median(ratios) if ratios else None


def text(number, digits=2, percent=False):
    if number is None:
        return "-"
    return f"{100 * number:.1f} %" if percent else f"{number:.{digits}f}"


def row(folder, steps):
    report = json.loads((folder / f"{steps}.json").read_text())
    summary = report["summary"]
    seconds = folder / f"{steps}.seconds"
    a_case = float(seconds.read_text()) / len(report["cases"]) if seconds.exists() else None
    contrast = summary["tumor_contrast"].get("all", {})
    segmentation = summary.get("segmentation", {})
    tumors = segmentation.get("tumors", {}).get("all", {})
    return [steps, text(a_case, 1),
            text(value(summary["appearance"]["median_hu"]["inside"]), percent=True),
            text(texture(summary, "deviation_hu")), text(texture(summary, "gradient_hu_per_mm")),
            text(value(contrast.get("visible")), percent=True),
            text(value(segmentation.get("organ_dice"))),
            text(value(tumors.get("detected")), percent=True)]


def main():
    folder = pathlib.Path(sys.argv[1])
    head = ["steps", "seconds a case", "median HU inside", "deviation ratio", "gradient ratio",
            "tumors visible", "Dice of organs", "tumors detected"]
    print("| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for steps in sys.argv[2:]:
        print("| " + " | ".join(row(folder, steps)) + " |")


if __name__ == "__main__":
    main()
