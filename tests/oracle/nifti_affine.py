#!/usr/bin/env python3
"""Compares NIfTI files with what the C++ test says about them, through nibabel.

Usage: nifti_affine.py write FOLDER   writes oblique volumes in many forms for the C++ side to read
       nifti_affine.py check FOLDER   checks every *.nii* there against its .json, written by C++
"""

import json
import pathlib
import sys

import nibabel
import numpy


def rotation(a, b, c):
    """Rotation by Euler angles about x, then y, then z."""
    ca, sa, cb, sb, cc, sc = (f(v) for v in (a, b, c) for f in (numpy.cos, numpy.sin))
    x = numpy.array([[1, 0, 0], [0, ca, -sa], [0, sa, ca]])
    y = numpy.array([[cb, 0, sb], [0, 1, 0], [-sb, 0, cb]])
    z = numpy.array([[cc, -sc, 0], [sc, cc, 0], [0, 0, 1]])
    return z @ y @ x


def write(folder):
    """Volumes of every orientation code and form; each .json holds nibabel's own reading in RAS."""
    shape = (6, 5, 4)
    voxels = numpy.arange(numpy.prod(shape)).reshape(shape) * 7 - 400
    count = 0
    for angles in [(0, 0, 0), (0.3, -0.2, 0.4), (2.9, 0.1, -0.3), (0.1, 3.0, 1.7)]:
        for mirror in (1, -1):
            for form in ("sform", "qform", "both"):
                affine = numpy.eye(4)
                affine[:3, :3] = rotation(*angles) @ numpy.diag([0.75 * mirror, 1.3, 3.1])
                affine[:3, 3] = [-31.5, 12.25, 404.75]
                image = nibabel.Nifti1Image(voxels.astype("<i2"), affine)
                image.header.set_xyzt_units("mm", "sec")
                image.set_sform(affine, code=0 if form == "qform" else 2)
                image.set_qform(affine, code=0 if form == "sform" else 1)
                if form == "both":  # a qform that disagrees: the sform must win
                    other = affine.copy()
                    other[:3, 3] += 50
                    image.set_qform(other, code=1)
                suffix = ".nii.gz" if count % 2 else ".nii"
                path = folder / f"case{count:02d}{suffix}"
                nibabel.save(image, path)
                ras = nibabel.as_closest_canonical(nibabel.load(path))
                note = {"affine": ras.affine.tolist(), "size": list(ras.shape),
                        "voxels": numpy.asarray(ras.dataobj).flatten(order="F").tolist()}
                (folder / f"case{count:02d}.json").write_text(json.dumps(note))
                count += 1
    print(count, "files")


def check(folder):
    """Affine (both forms), codes, units, type and voxels of the files that C++ wrote."""
    notes = sorted(folder.glob("*.json"))
    assert notes, "nothing to check"
    for note in notes:
        expected = json.loads(note.read_text())
        image = nibabel.load(folder / expected["file"])
        header = image.header
        affine = numpy.array(expected["affine"])
        for found in (image.affine, image.get_qform(), image.get_sform()):
            numpy.testing.assert_allclose(found, affine, atol=2e-4, err_msg=str(note))
        numpy.testing.assert_allclose(header.get_zooms(), expected["spacing"], rtol=1e-6)
        assert (header["qform_code"], header["sform_code"]) == (1, 1), note
        assert header.get_xyzt_units()[0] == "mm", note
        assert header.get_data_dtype() == numpy.dtype(expected["dtype"]), note
        assert image.dataobj.slope == 1 and image.dataobj.inter == 0, note
        found = numpy.asarray(image.dataobj).flatten(order="F")
        numpy.testing.assert_array_equal(found, expected["voxels"], err_msg=str(note))
        # nibabel's own audit of the header finds nothing to complain about.
        assert not header.diagnose_binaryblock(header.binaryblock), note
    print(len(notes), "files")


if __name__ == "__main__":
    {"write": write, "check": check}[sys.argv[1]](pathlib.Path(sys.argv[2]))
