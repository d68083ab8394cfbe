#!/usr/bin/env python3
"""Recomputes the figures of `guidegen evaluate fidelity` with NumPy, SciPy and scikit-image.

Usage: fidelity_oracle.py REFERENCE RECONSTRUCTION MASK REPORT [CASE]
       NIfTI files in RAS orientation and the JSON report; CASE is an index into its cases.
Says how many figures agree; the exit code is 1 where one does not.
"""

import json
import sys

import nibabel
import numpy
from scipy import ndimage
from skimage.metrics import structural_similarity

BODY, TUMOR = 1, 29
HOMOGENEOUS = {"liver": 6, "spleen": 2, "bladder": 21}
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
    return numpy.asarray(image.dataobj, dtype=numpy.float64).transpose(2, 1, 0), image.header


def ssim(a, b, span):
    options = dict(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True)
    mean, volume = structural_similarity(a, b, data_range=span, **options)
    slices = [structural_similarity(x, y, data_range=span, **options) for x, y in zip(a, b)]
    return mean, volume, numpy.mean([s[0] for s in slices]), numpy.stack([s[1] for s in slices])


def psnr(a, b, span):
    with numpy.errstate(divide="ignore"):
        return 10 * numpy.log10(span**2 / numpy.mean((a - b) ** 2))


class Views:
    """Both images clamped to each window, with their maps."""

    def __init__(self, a, b, windows):
        self.all = {}
        for name, low, high in windows:
            x, y = numpy.clip(a, low, high) - low, numpy.clip(b, low, high) - low
            self.all[name] = (x, y, high - low, ssim(x, y, high - low))


def check_region(key, row, a, b, views, where):
    check(key + "/voxels", row["voxels"], where.sum())
    check(key + "/reference_hu", row["reference_hu"], a[where].mean())
    check(key + "/mae_hu", row["mae_hu"], numpy.abs(b - a)[where].mean())
    check(key + "/bias_hu", row["bias_hu"], (b - a)[where].mean())
    for name, (x, y, span, (_, volume, _, slices)) in views.all.items():
        seen = row["windows"][name]
        check(f"{key}/{name}/psnr_db", seen["psnr_db"], psnr(x[where], y[where], span))
        check(f"{key}/{name}/ssim_3d", seen["ssim_3d"], volume[where].mean())
        check(f"{key}/{name}/ssim_2d", seen["ssim_2d"], slices[where].mean())


def beside_another(values):
    """Voxels with a face neighbor of another value, by the extremes of the neighborhood."""
    cross = ndimage.generate_binary_structure(3, 1)
    options = dict(footprint=cross, mode="nearest")
    return ndimage.maximum_filter(values, **options) != ndimage.minimum_filter(values, **options)


def gradient(image, spacing):
    return numpy.sqrt(sum(g**2 for g in numpy.gradient(image, *spacing)))


def check_border(key, row, a, b, slopes, where):
    check(key + "/border_mae_hu", row["border_mae_hu"], numpy.abs(b - a)[where].mean())
    wanted, made = (slope[where].mean() for slope in slopes)
    check(key + "/border_gradient", row["border_gradient_hu_per_mm"], wanted)
    check(key + "/sharpness", row["sharpness"], made / wanted)


def noise_spectrum(image, inside, side, pixel):
    """Two-dimensional NPS, patch by patch, with a least-squares plane taken off each."""
    v, u = numpy.mgrid[:side, :side]
    design = numpy.stack([numpy.ones(side * side), v.ravel(), u.ravel()], axis=1)
    total, count = numpy.zeros((side, side)), 0
    step = side // 4
    for z in range(image.shape[0]):
        for y in range(0, image.shape[1] - side + 1, step):
            for x in range(0, image.shape[2] - side + 1, step):
                if not inside[z, y : y + side, x : x + side].all():
                    continue
                patch = image[z, y : y + side, x : x + side].ravel()
                plane = design @ numpy.linalg.lstsq(design, patch, rcond=None)[0]
                total += numpy.abs(numpy.fft.fft2((patch - plane).reshape(side, side))) ** 2
                count += 1
    spectrum = total / count * pixel[0] * pixel[1] / side**2
    fx, fy = (numpy.abs(numpy.fft.fftfreq(side, d)) for d in pixel)
    step = 1 / (side * max(pixel))
    bins = numpy.rint(numpy.hypot(fy[:, None], fx[None, :]) / step).astype(int)
    radial = numpy.array([spectrum[bins == k].mean() for k in range(side // 2 + 1)])
    return count, spectrum.sum() / (side**2 * pixel[0] * pixel[1]), radial, step


def check_noise(case, a, b, labels, border, pixel):
    side = int(numpy.clip(2 * numpy.floor(15 / max(pixel) + 0.5), 8, 64))
    for name, label in HOMOGENEOUS.items():
        row = case["noise"].get(name)
        if row is None:
            continue
        inside = (labels == label) & ~border
        means = []
        for image, end, kind in ((a, "", "reference"), (b, "_made", "reconstruction")):
            count, variance, radial, step = noise_spectrum(image, inside, side, pixel)
            frequency = numpy.arange(len(radial)) * step
            means.append((frequency * radial).sum() / radial.sum())
            key = f"noise/{name}/{kind}"
            check(key + "/patches", row["patches"], count)
            check(key + "/variance", row[f"variance{end}_hu2"], variance)
            check(key + "/mean frequency", row[f"frequency{end}_per_mm"], means[-1])
            spectrum = case["noise_spectra"][name][kind + "_hu2_mm2"]
            for k, power in enumerate(radial):
                check(f"{key}/{k}", spectrum[k], power)
        check(f"noise/{name}/ratio", row["frequency_ratio"], means[1] / means[0])


def check_windows(case, a, b, views, windows):
    for name, low, high in windows:
        row = case["windows"][name]
        x, y, span, (volume, _, slices, _) = views.all[name]
        where = (a >= low) & (a <= high)
        check(f"windows/{name}/voxels", row["voxels"], where.sum())
        check(f"windows/{name}/mae_hu", row["mae_hu"], numpy.abs(b - a)[where].mean())
        check(f"windows/{name}/bias_hu", row["bias_hu"], (b - a)[where].mean())
        check(f"windows/{name}/psnr_db", row["psnr_db"], psnr(x, y, span))
        check(f"windows/{name}/ssim_3d", row["ssim_3d"], volume)
        check(f"windows/{name}/ssim_2d", row["ssim_2d"], slices)


def main(reference, reconstruction, mask, report, case="0"):
    a, header = load(reference)
    b, _ = load(reconstruction)
    labels = load(mask)[0].astype(int)
    dx, dy, dz = (float(d) for d in header.get_zooms()[:3])
    with open(report, encoding="utf-8") as file:
        report = json.load(file)
    windows = [
        (w["name"], w["center"] - w["width"] / 2, w["center"] + w["width"] / 2)
        for w in report["windows"]
    ] + [("overall", -1024, 3071)]
    case = report["cases"][int(case)]
    views = Views(a, b, windows)
    check_windows(case, a, b, views, windows)
    for name, edges in report["tissue_classes"].items():
        low = -numpy.inf if edges["low_hu"] is None else edges["low_hu"]
        high = numpy.inf if edges["high_hu"] is None else edges["high_hu"]
        where = (a >= low) & (a < high)
        if where.any():
            check_region(f"tissues/{name}", case["tissues"][name], a, b, views, where)

    organs = numpy.where(labels == BODY, 0, labels)
    border = beside_another(organs)
    slopes = [gradient(image, (dz, dy, dx)) for image in (a, b)]
    rows = case["organs"]
    present = [int(label) for label in numpy.unique(labels) if label != 0]
    if len(rows) != len(present):
        wrong.append(f"organs: {len(rows)}, expected {len(present)}")
    for (name, row), label in zip(rows.items(), present):
        check_region(f"organs/{name}", row, a, b, views, labels == label)
        if label != BODY:
            check_border(f"organs/{name}", row, a, b, slopes, (labels == label) & border)
    kinds = {
        "organ_borders": border,
        "tumor_borders": beside_another((labels == TUMOR).astype(int)),
        "inside_organs": (organs != 0) & ~border,
    }
    for name, row in case["borders"].items():
        check_region(f"borders/{name}", row, a, b, views, kinds[name])
        if name != "inside_organs":
            check_border(f"borders/{name}", row, a, b, slopes, kinds[name])
    check_noise(case, a, b, labels, border, (dx, dy))

    print(f"{compared} figures compared, {len(wrong)} differ")
    for line in wrong[:20]:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
