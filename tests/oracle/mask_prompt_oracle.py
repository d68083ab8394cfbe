"""Recomputes the figures of `guidegen evaluate mask-prompt` from the cases in its JSON, with SciPy.

    mask_prompt_oracle.py REPORT.json

Pairing by scipy.optimize.linear_sum_assignment, Wilson intervals by scipy.stats.binomtest, rank
correlation by scipy.stats.spearmanr, bootstrap with NumPy's random numbers. Exits 1 and says what
differs.
"""

import json
import math
import re
import sys
from collections import Counter, defaultdict

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import binomtest, rankdata, spearmanr

problems = []


def same(what, got, expected, tolerance=1e-9):
    if expected is None or not math.isfinite(expected):
        ok = got is None
    else:
        ok = got is not None and abs(got - expected) <= tolerance
    if not ok:
        problems.append(f"{what}: {got}, recomputed {expected}")


def cost(asked, found):
    value = 0 if asked["organ"] == found["organ"] else 1e6
    if asked["position"] and (
        found["organ"] != asked["organ"] or found["position"] != asked["position"]
    ):
        value += 1e3
    if asked["size_mm"]:
        value += min(1, abs(math.log(found["diameter_mm"] / asked["size_mm"])) / 5)
    return value


def units(case):
    keys = ("organ", "position", "size_mm")
    return [
        {key: request.get(key) for key in keys}
        for request in case["requested"]
        for _ in range(request.get("count", 1))
    ]


def check_pairing(case):
    asked, found = case["asked"], case["found"]
    if [{k: a[k] for k in ("organ", "position", "size_mm")} for a in asked] != units(case):
        problems.append(f"{case['id']}: asked is not what was requested")
    taken = [a["found"] for a in asked if a["found"] is not None]
    if len(set(taken)) != len(taken) or len(taken) != min(len(asked), len(found)):
        problems.append(f"{case['id']}: tumors are not paired one to one")
    if not taken:
        return
    matrix = np.array([[cost(a, f) for f in found] for a in asked])
    best = matrix[linear_sum_assignment(matrix)].sum()
    chosen = sum(matrix[i, a["found"]] for i, a in enumerate(asked) if a["found"] is not None)
    same(f"{case['id']}: cost of the pairing", chosen, best, 1e-4)


def contributions(case, organ=None, size=None):
    """Per case: shares as (hits, total), absolute count error, pairs of sizes."""
    out = {"organ": [0, 0], "position": [0, 0], "count": [0, 0], "count_error": 0, "pairs": []}

    def fits(a):
        if organ and a["organ"] != organ:
            return False
        return size is None or (a["size_mm"] is not None and size(a["size_mm"]))

    for a in case["asked"]:
        if not fits(a):
            continue
        f = case["found"][a["found"]] if a["found"] is not None else None
        right = f is not None and f["organ"] == a["organ"]
        out["organ"] = [out["organ"][0] + right, out["organ"][1] + 1]
        if a["position"]:
            there = right and f["position"] == a["position"]
            out["position"] = [out["position"][0] + there, out["position"][1] + 1]
        if right and a["size_mm"]:
            out["pairs"].append((a["size_mm"], f["diameter_mm"]))
    for name in {request["organ"] for request in case["requested"]}:
        requests = [r for r in case["requested"] if r["organ"] == name]
        if any("count" not in r for r in requests):
            continue
        if not all(fits(a) for a in case["asked"] if a["organ"] == name):
            continue
        wanted = sum(r["count"] for r in requests)
        there = sum(f["organ"] == name for f in case["found"])
        out["count"] = [out["count"][0] + (wanted == there), out["count"][1] + 1]
        out["count_error"] += abs(wanted - there)
    return out


def fast_spearman(x, y):
    return np.corrcoef(rankdata(x), rankdata(y))[0, 1]


def figures(tallies):
    totals = {k: np.sum([t[k] for t in tallies], axis=0) for k in ("organ", "position", "count")}
    out = {k: v[0] / v[1] if v[1] else math.nan for k, v in totals.items()}
    errors = sum(t["count_error"] for t in tallies)
    out["count_error"] = errors / totals["count"][1] if totals["count"][1] else math.nan
    x, y = (np.array(v) for v in zip(*[p for t in tallies for p in t["pairs"]])) if any(
        t["pairs"] for t in tallies
    ) else (np.array([]), np.array([]))
    varied = len(x) > 1 and np.ptp(x) > 0 and np.ptp(y) > 0
    out["size_spearman"] = fast_spearman(x, y) if varied else math.nan
    out["size_error_mm"] = np.abs(x - y).mean() if len(x) else math.nan
    out["size_relative_error"] = (np.abs(x - y) / x).mean() if len(x) else math.nan
    return out, totals, (x, y)


def check_summary(name, summary, cases, **filters):
    by_prompt = defaultdict(list)
    for case in cases:
        by_prompt[re.sub(r"-s\d\d+$", "", case["id"])].append(contributions(case, **filters))
    # As documented, prompts to which the filter leaves nothing are not drawn; without a filter,
    # those that ask for none have a part in other shares, and are.
    clusters = [c for c in by_prompt.values()
                if not filters or any(t["organ"][1] + t["count"][1] for t in c)]
    values, totals, (x, y) = figures([t for c in clusters for t in c])
    if len(x) > 1 and math.isfinite(values["size_spearman"]):
        same(f"{name}: NumPy and SciPy", values["size_spearman"], spearmanr(x, y).statistic, 1e-9)
    rng = np.random.default_rng(7)
    draws = defaultdict(list)
    for _ in range(2000):
        chosen = [clusters[i] for i in rng.integers(len(clusters), size=len(clusters))]
        for key, value in figures([t for c in chosen for t in c])[0].items():
            if math.isfinite(value):
                draws[key].append(value)
    for key, value in values.items():
        got = summary[key]
        share = key in totals
        # Diameters are rounded in the report.
        same(f"{name}.{key}", got["share" if share else "value"], value, 1e-3)
        if share:
            hits, total = (int(v) for v in totals[key])
            same(f"{name}.{key}.hits", got["hits"], hits)
            same(f"{name}.{key}.total", got["total"], total)
            if total:
                wilson = binomtest(hits, total).proportion_ci(method="wilson")
                same(f"{name}.{key}.low", got["low"], wilson.low, 1e-9)
                same(f"{name}.{key}.high", got["high"], wilson.high, 1e-9)
        else:
            same(f"{name}.{key}.of", got["of"], int(totals["count"][1]) if key == "count_error" else len(x))
        low, high = ("case_low", "case_high") if share else ("low", "high")
        if len(draws[key]) < 1000:
            continue
        expected = np.percentile(draws[key], [2.5, 97.5])
        # Two bootstraps of 2,000 draws differ by their own noise, and by steps of discrete figures.
        margin = 0.12 * (expected[1] - expected[0]) + 1e-3
        same(f"{name}.{key}.{low}", got[low], expected[0], margin)
        same(f"{name}.{key}.{high}", got[high], expected[1], margin)


def check_positions(report, cases):
    for organ, matrix in report["positions"].items():
        counts = Counter()
        for case in cases:
            taken = set()
            for a in case["asked"]:
                f = case["found"][a["found"]] if a["found"] is not None else None
                taken.add(a["found"])
                if a["organ"] != organ or not a["position"]:
                    continue
                if f is None:
                    column = "none"
                elif f["organ"] is None:
                    column = "elsewhere"
                elif f["organ"] != organ:
                    column = "other organ"
                else:
                    column = f["position"] or "unclear"
                counts[a["position"], column] += 1
            for i, f in enumerate(case["found"]):
                if i not in taken and f["organ"] == organ:
                    counts["not asked", f["position"] or "unclear"] += 1
        cells = [[counts[row, column] for column in matrix["columns"]] for row in matrix["rows"]]
        if cells != matrix["cells"]:
            problems.append(f"positions.{organ}: {matrix['cells']}, recomputed {cells}")


def check_counts(report, cases):
    counts = Counter()
    for case in cases:
        for organ in {r["organ"] for r in case["requested"]}:
            requests = [r for r in case["requested"] if r["organ"] == organ]
            if all("count" in r for r in requests):
                there = sum(f["organ"] == organ for f in case["found"])
                counts[sum(r["count"] for r in requests), there] += 1
    got = {(entry["asked"], entry["found"]): entry["times"] for entry in report["counts"]}
    if got != dict(counts):
        problems.append(f"counts: {got}, recomputed {dict(counts)}")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        report = json.load(file)
    cases = [case for case in report["cases"] if case["requested"] is not None]
    for case in cases:
        check_pairing(case)
    check_summary("all", report["all"], cases)
    for organ, summary in report["by_organ"].items():
        check_summary(organ, summary, cases, organ=organ)
    sizes = {"<16 mm": lambda mm: mm < 16, "16-30 mm": lambda mm: 16 <= mm <= 30,
             ">30 mm": lambda mm: mm > 30}
    for name, summary in report.get("subgroups", {}).get("size", {}).items():
        check_summary(name, summary, cases, size=sizes[name])
    for name, summary in report.get("subgroups", {}).get("sex", {}).items():
        check_summary(name, summary, [case for case in cases if case["sex"] == name])
    check_positions(report, cases)
    check_counts(report, cases)
    if problems:
        sys.exit("\n".join(problems[:20]))


main()
