#!/usr/bin/env python3
"""Puts the reports of `evaluate mask-prompt` and `evaluate anatomy` in one Markdown table.

    mask_table.py "first column" NAME=FOLDER...

Each FOLDER holds report.json (mask-prompt) and anatomy.json. In parentheses are 95 % intervals.
"volume" is the median over organs of the Wasserstein-1 distance between the volumes and those of
the reference, in standard deviations of the reference.
"""
import json
import pathlib
import statistics
import sys

COLUMNS = ["organ right", "position right", "count exact", "size rank correlation", "false tumors",
           "organ checks", "volume"]


def share(entry):
    if not entry["total"]:
        return "-"
    return f"{100 * entry['share']:.0f} % ({100 * entry['low']:.0f}-{100 * entry['high']:.0f})"


def correlation(value):
    return "-" if value is None or value["value"] is None else f"{value['value']:.2f}"


def row(folder):
    prompt = json.loads((folder / "report.json").read_text())
    anatomy = json.loads((folder / "anatomy.json").read_text())
    every = prompt["all"]
    distances = [organ["wasserstein"] for organ in anatomy["organs"].values()
                 if organ.get("wasserstein") is not None]
    return [share(every["organ"]), share(every["position"]), share(every["count"]),
            correlation(every["size_spearman"]), share(prompt["false_tumors"]),
            share(anatomy["organ_checks"]), f"{statistics.median(distances):.2f}"]


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    lines = [[sys.argv[1], *COLUMNS]]
    for item in sys.argv[2:]:
        name, folder = item.rsplit("=", 1)
        lines.append([name, *row(pathlib.Path(folder))])
    lines.insert(1, ["---"] * len(lines[0]))
    print("\n".join("| " + " | ".join(line) + " |" for line in lines))


if __name__ == "__main__":
    main()
