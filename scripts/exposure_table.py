#!/usr/bin/env python3
"""Puts reports of `evaluate fidelity` in one Markdown table: mean absolute errors in HU by tissue.

    exposure_table.py TEST NAME=FOLDER...

Each FOLDER holds a report <seed>/TEST.json for every training. A figure is the mean over all voxels
of a kind in all cases, its average over trainings, and in parentheses the least and the most of
them. Bold: the lowest average of a column.
"""
import json
import pathlib
import statistics
import sys

TISSUES = ["air", "lung", "fat", "soft_tissue", "bone", "dense", "metal"]
PLACES = {"organ borders": ("borders", "organ_borders"), "tumor": ("organs", "tumor"),
          "tumor borders": ("borders", "tumor_borders")}


def pooled(cases, group, name):
    found = [case[group][name] for case in cases if case[group].get(name)]
    found = [entry for entry in found if entry["voxels"] and entry["mae_hu"] is not None]
    voxels = sum(entry["voxels"] for entry in found)
    return sum(entry["voxels"] * entry["mae_hu"] for entry in found) / voxels if voxels else None


def figures(report):
    cases = json.loads(report.read_text())["cases"]
    values = {name: pooled(cases, "tissues", name) for name in TISSUES}
    return values | {name: pooled(cases, *place) for name, place in PLACES.items()}


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    test, table = sys.argv[1], {}
    for item in sys.argv[2:]:
        name, folder = item.rsplit("=", 1)
        runs = [figures(path) for path in sorted(pathlib.Path(folder).glob(f"*/{test}.json"))]
        if not runs:
            sys.exit(f"{folder}: no */{test}.json")
        table[name] = {key: [run[key] for run in runs] for key in runs[0] if runs[0][key] is not None}
    columns = list(next(iter(table.values())))
    best = {key: min(statistics.mean(row[key]) for row in table.values()) for key in columns}
    lines = [["MAE in HU", "trainings", *(key.replace("_", " ") for key in columns)], ["---"] * (len(columns) + 2)]
    for name, row in table.items():
        cells = [name, str(len(row[columns[0]]))]
        for key in columns:
            mean = statistics.mean(row[key])
            text = f"{mean:.1f}"
            cells.append(f"**{text}**" if mean == best[key] else text)
            if len(row[key]) > 1:
                cells[-1] += f" ({min(row[key]):.1f}-{max(row[key]):.1f})"
        lines.append(cells)
    print("\n".join("| " + " | ".join(line) + " |" for line in lines))


main()
