#!/usr/bin/env python3
"""Recomputes the figures of `guidegen evaluate image-mask` with NumPy and SciPy.

Usage: image_mask_oracle.py CASES REPORT REFERENCE FOUND VOCABULARY
       CASES holds <id>/{mask,ct}.nii.gz in RAS orientation, REPORT and REFERENCE are JSON reports
       (of the reference, the cases are read), FOUND holds <id>.nii.gz, what the segmenter found,
       VOCABULARY is the JSON of the labels.
Says how many figures agree; the exit code is 1 where one does not.
"""

import json
import os
import sys

import nibabel
import numpy
from scipy import ndimage

LABELS = {}  # name -> id
GROUPS = {}  # name -> ids
HOSTS = {
    "lung": ["lung_upper_left", "lung_lower_left", "lung_upper_right", "lung_middle_right",
             "lung_lower_right"],
    "kidney": ["kidney_left", "kidney_right"],
    "liver": ["liver"], "colon": ["colon"], "pancreas": ["pancreas"],
}
FIGURES = ["median_hu", "deviation_hu", "gradient_hu_per_mm", "noise_variance_hu2",
           "noise_frequency_per_mm"]
compared = 0
wrong = []


def check(key, got, expected, tolerance=1e-6):
    """One figure; null stands for what is not finite."""
    global compared
    compared += 1
    if got is None or not numpy.isfinite(expected):
        if got is not None or numpy.isfinite(expected):
            wrong.append(f"{key}: {got}, expected {expected}")
    elif abs(got - expected) > tolerance * max(1, abs(expected)):
        wrong.append(f"{key}: {got}, expected {expected}")


def load(path):
    image = nibabel.load(path)
    data = numpy.asarray(image.dataobj, dtype=numpy.float64).transpose(2, 1, 0)
    return data, [float(d) for d in image.header.get_zooms()[2::-1]]


def border(labels):
    cross = ndimage.generate_binary_structure(3, 1)
    options = dict(footprint=cross, mode="nearest")
    return ndimage.maximum_filter(labels, **options) != ndimage.minimum_filter(labels, **options)


def noise(image, inside, spacing):
    """Variance and mean frequency of the noise power spectrum of patches inside an organ."""
    pixel = (spacing[2], spacing[1])
    side = int(numpy.clip(2 * numpy.floor(15 / max(pixel) + 0.5), 8, 64))
    v, u = numpy.mgrid[:side, :side]
    design = numpy.stack([numpy.ones(side * side), v.ravel(), u.ravel()], axis=1)
    total, count = numpy.zeros((side, side)), 0
    for z, y, x in numpy.ndindex(*image.shape):
        if y % (side // 4) or x % (side // 4):
            continue
        if y + side > image.shape[1] or x + side > image.shape[2]:
            continue
        if not inside[z, y : y + side, x : x + side].all():
            continue
        patch = image[z, y : y + side, x : x + side].ravel()
        plane = design @ numpy.linalg.lstsq(design, patch, rcond=None)[0]
        total += numpy.abs(numpy.fft.fft2((patch - plane).reshape(side, side))) ** 2
        count += 1
    if count == 0:
        return numpy.nan, numpy.nan
    spectrum = total / count * pixel[0] * pixel[1] / side**2
    fx, fy = (numpy.abs(numpy.fft.fftfreq(side, d)) for d in pixel)
    step = 1 / (side * max(pixel))
    bins = numpy.rint(numpy.hypot(fy[:, None], fx[None, :]) / step).astype(int)
    radial = numpy.array([spectrum[bins == k].mean() for k in range(side // 2 + 1)])
    frequency = (numpy.arange(len(radial)) * step * radial).sum() / radial.sum()
    return spectrum.sum() / (side**2 * pixel[0] * pixel[1]), frequency


def check_organs(case, ct, labels, spacing):
    edges = border(labels)
    slope = numpy.sqrt(sum(g**2 for g in numpy.gradient(ct, *spacing)))
    present = [name for name, label in LABELS.items() if label and (labels == label).any()]
    if sorted(present) != sorted(case["organs"]):
        wrong.append(f"{case['id']}: organs {sorted(case['organs'])}, expected {sorted(present)}")
    for name in present:
        where = labels == LABELS[name]
        inside = where & ~edges
        row, key = case["organs"][name], f"{case['id']}/{name}"
        check(key + "/voxels", row["voxels"], where.sum())
        check(key + "/inside", row["inside_voxels"], inside.sum())
        check(key + "/median", row["median_hu"], numpy.median(ct[where]))
        enough = inside.sum() >= 8
        expected = [numpy.nan] * 4
        if enough:
            expected = [ct[inside].std(), slope[inside].mean(), *noise(ct, inside, spacing)]
        for figure, value in zip(FIGURES[1:], expected):
            check(f"{key}/{figure}", row[figure], value)


def check_contrast(case, ct, labels, spacing):
    everywhere = numpy.ones((3, 3, 3))
    ids, count = ndimage.label(labels == LABELS["tumor"], everywhere)
    pieces = [ids == k + 1 for k in range(count)]
    for tumor in case["tumors"]:
        size = tumor["diameter_mm"]
        volume = numpy.prod(spacing)
        fits = [p for p in pieces if abs((6 * p.sum() * volume / numpy.pi) ** (1 / 3) - size) < 1e-6]
        host = numpy.isin(labels, [LABELS[name] for name in HOSTS[tumor["organ"]]])
        candidates = []
        for piece in fits:  # of equal size several may be
            shell = host & (ndimage.distance_transform_edt(~piece, spacing) <= 12 + 1e-6)
            contrast = ct[piece].mean() - ct[shell].mean() if shell.sum() >= 4 else numpy.nan
            candidates.append((shell.sum(), contrast))
        best = min(candidates, key=lambda c: abs(c[0] - tumor["shell_voxels"]))
        check(f"{case['id']}/shell", tumor["shell_voxels"], best[0])
        check(f"{case['id']}/contrast", tumor["contrast_hu"], best[1])


def surface(where):
    return where & ~ndimage.binary_erosion(where)


def overlap(a, b, spacing, tolerance):
    """Dice, surface Dice and the 95 % Hausdorff distance."""
    dice = 2 * (a & b).sum() / (a.sum() + b.sum())
    if not a.any() or not b.any():
        return dice, 0, numpy.nan
    sa, sb = surface(a), surface(b)
    there = ndimage.distance_transform_edt(~sb, spacing)[sa]
    back = ndimage.distance_transform_edt(~sa, spacing)[sb]
    near = (there <= tolerance + 1e-6).sum() + (back <= tolerance + 1e-6).sum()
    hd95 = max(numpy.percentile(there, 95), numpy.percentile(back, 95))
    return dice, near / (len(there) + len(back)), hd95


def check_overlaps(case, labels, found, spacing):
    sets = {name: [label] for name, label in LABELS.items() if label}
    for kind, members in (("labels", sets), ("groups", GROUPS)):
        rows = case["segmentation"][kind]
        for name, ids in members.items():
            a, b = numpy.isin(labels, ids), numpy.isin(found, ids)
            if not a.any() and not b.any():
                if name in rows:
                    wrong.append(f"{case['id']}/{name}: in no mask")
                continue
            figures = overlap(a, b, spacing, max(spacing))
            for figure, value in zip(("dice", "surface_dice", "hd95_mm"), figures):
                check(f"{case['id']}/{name}/{figure}", rows[name][figure], value)
    check_tumors(case, labels, found)


def check_tumors(case, labels, found):
    everywhere = numpy.ones((3, 3, 3))
    ids, count = ndimage.label(labels == LABELS["tumor"], everywhere)
    others, pieces = ndimage.label(found == LABELS["tumor"], everywhere)
    expected = []
    for k in range(count):
        piece = ids == k + 1
        if piece.sum() < 2:
            continue
        met = others[piece]
        touching = numpy.isin(others, met[met > 0])
        common = (met > 0).sum()
        expected.append((bool(common and common >= 0.1 * piece.sum()),
                         2 * common / (piece.sum() + touching.sum())))
    got = sorted((t["detected"], t["dice"]) for t in case["segmentation"]["tumors"])
    for (detected, dice), (found_it, found_dice) in zip(sorted(expected), got):
        check(f"{case['id']}/tumor detected", found_it, detected)
        check(f"{case['id']}/tumor dice", found_dice, dice)
    if len(got) != len(expected):
        wrong.append(f"{case['id']}: {len(got)} tumors, expected {len(expected)}")
    false = sum(1 for k in range(pieces)
                if (others == k + 1).sum() >= 2 and not (ids[others == k + 1] > 0).any())
    check(f"{case['id']}/false tumors", case["segmentation"]["false_tumors"], false)


def observations(cases, value_of):
    """(phase, value) by organ; value_of gives pairs of organ and value of a case."""
    out = {}
    for case in cases:
        for organ, value in value_of(case):
            if value is not None:
                out.setdefault(organ, []).append((case["contrast"], value))
    return out


def judged(values, reference):
    """The range of the same phase where it has 20 values, of all phases else; visible where 95 % of
    the range have one sign."""
    inside, visible, offsets = [], [], []
    for phase, value in values:
        own = [v for p, v in reference if p == phase and phase is not None]
        own = own if len(own) >= 20 else [v for _, v in reference]
        if len(own) < 20:
            continue
        low, middle, high = numpy.percentile(own, [2.5, 50, 97.5])
        inside.append(low <= value <= high)
        for sign in (1, -1):
            if numpy.mean(numpy.array(own) * sign > 0) >= 0.95:
                visible.append(value * sign > 0 and min(own) <= value <= max(own))
        offsets.append(value - middle)
    return inside, visible, offsets


def check_agreement(key, row, values, reference):
    inside, visible, offsets = judged(values, reference)
    check(key + "/of", row["of"], len(values))
    check(key + "/inside", row["inside"]["hits"], sum(inside))
    check(key + "/judged", row["inside"]["total"], len(inside))
    check(key + "/visible", row["visible"]["hits"], sum(visible))
    check(key + "/visible of", row["visible"]["total"], len(visible))
    check(key + "/offset", row["offset"]["value"], numpy.median(offsets))


def check_summary(report, reference):
    summary, cases = report["summary"], report["cases"]
    for figure in FIGURES:
        def value_of(case):
            return [(organ, row[figure]) for organ, row in case["organs"].items()]
        values = observations(cases, value_of)
        expected = observations(reference["cases"], value_of)
        for organ, phases in summary["appearance"][figure]["organs"].items():
            check_agreement(f"{figure}/{organ}", phases["all"], values[organ], expected[organ])
    def contrast_of(case):
        return [(tumor["organ"], tumor["contrast_hu"]) for tumor in case["tumors"]]
    values, expected = observations(cases, contrast_of), observations(reference["cases"], contrast_of)
    for organ, row in summary["tumor_contrast"].items():
        if organ != "all":
            check_agreement(f"contrast/{organ}", row, values[organ], expected[organ])
    for name, row in summary["segmentation"]["labels"].items():
        rows = [case["segmentation"]["labels"].get(name) for case in cases]
        rows = [r for r in rows if r and r["wanted_voxels"]]
        for figure in ("dice", "surface_dice", "hd95_mm"):
            known = [r[figure] for r in rows if r[figure] is not None]
            mean = numpy.mean(known) if known else numpy.nan
            check(f"mean {name}/{figure}", row[figure]["value"], mean)


def main(cases, report, reference, found, vocabulary):
    with open(vocabulary, encoding="utf-8") as file:
        document = json.load(file)
    LABELS.update({label["name"]: k for k, label in enumerate(document["labels"])})
    GROUPS.update({name: [LABELS[m] for m in members]
                   for name, members in document["groups"].items()})
    with open(report, encoding="utf-8") as file:
        report = json.load(file)
    with open(reference, encoding="utf-8") as file:
        reference = json.load(file)
    for case in report["cases"]:
        ct, spacing = load(os.path.join(cases, case["id"], "ct.nii.gz"))
        labels = load(os.path.join(cases, case["id"], "mask.nii.gz"))[0].astype(int)
        check_organs(case, ct, labels, spacing)
        check_contrast(case, ct, labels, spacing)
        again = load(os.path.join(found, case["id"] + ".nii.gz"))[0].astype(int)
        check_overlaps(case, labels, again, spacing)
    check_summary(report, reference)
    print(f"{compared} figures compared, {len(wrong)} differ")
    for line in wrong[:20]:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
