#!/usr/bin/env python3
"""Compares DICOM files with what the C++ test says about them, through pydicom and highdicom.

Usage: dicom_oracle.py FOLDER

Each FOLDER/<name>.json describes FOLDER/<name>/ct/*.dcm and, where it has labels, seg.dcm.
"""

import json
import pathlib
import sys

import highdicom
import numpy
import pydicom
from PIL import Image, ImageCms
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

LPS_TO_RAS = numpy.diag([-1.0, -1.0, 1.0, 1.0])


def affine_of(first, position):
    """Index (column, row, slice) of `first` and those after it -> RAS world, mm."""
    down, across = (float(v) for v in first.PixelSpacing)
    row, column = numpy.array(first.ImageOrientationPatient, float).reshape(2, 3)
    assert abs(numpy.linalg.norm(row) - 1) < 1e-6 and abs(row @ column) < 1e-6
    affine = numpy.eye(4)
    affine[:3, 0] = row * across
    affine[:3, 1] = column * down
    affine[:3, 2] = numpy.cross(row, column) * float(first.SpacingBetweenSlices)
    affine[:3, 3] = position
    return LPS_TO_RAS @ affine


def to_ras(voxels, affine, expected):
    """Voxels [slice, row, column] in the order [x, y, z] of the grid that `expected` describes."""
    wanted = numpy.array(expected["affine"])
    index = numpy.linalg.inv(wanted) @ affine  # from index in DICOM to index in RAS
    steps = numpy.round(index)
    numpy.testing.assert_allclose(index, steps, atol=1e-4)
    assert numpy.allclose(numpy.abs(steps[:3, :3]), numpy.eye(3)), steps
    volume = voxels.transpose(2, 1, 0)
    for axis in range(3):
        if steps[axis, axis] < 0:
            volume = numpy.flip(volume, axis)
    assert list(volume.shape) == expected["size"]
    return volume


def read_series(folder):
    slices = [pydicom.dcmread(path) for path in sorted(folder.glob("*.dcm"))]
    for number, image in enumerate(slices, start=1):
        assert image.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        assert image.SOPClassUID == CTImageStorage and image.InstanceNumber == number
        assert image.SyntheticData == "YES" and image.PatientName.family_name == "Synthetic"
        assert image.RescaleType == "HU" and image.PixelRepresentation == 1
    for attribute in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID",
                      "PatientID"):
        assert len({image[attribute].value for image in slices}) == 1
    assert len({image.SOPInstanceUID for image in slices}) == len(slices)
    return slices


def check_ct(slices, expected):
    affine = affine_of(slices[0], slices[0].ImagePositionPatient)
    for k, image in enumerate(slices):
        wanted = LPS_TO_RAS @ affine @ [0, 0, k, 1]
        numpy.testing.assert_allclose(image.ImagePositionPatient, wanted[:3], atol=1e-6)
    hu = numpy.stack([image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept)
                      for image in slices])
    found = to_ras(hu, affine, expected).flatten(order="F")
    numpy.testing.assert_array_equal(found, expected["voxels"])
    for attribute, value in expected["attributes"].items():
        assert str(slices[0].get(attribute, "")) == value, (attribute, slices[0].get(attribute))


def pcs_lab(color):
    """CIELab (D50, as DICOM PS3.3 C.10.7.1.1 asks) by LittleCMS, in eight bits a part."""
    image = Image.fromarray(numpy.array([[color]], dtype=numpy.uint8))
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    lab = numpy.array(ImageCms.profileToProfile(image, *profiles, outputMode="LAB"))[0, 0]
    lightness, a, b = int(lab[0]), *lab[1:].astype(numpy.int8).astype(int)
    return numpy.array([lightness, a + 128, b + 128]) * 65535 / 255


def check_segmentation(path, slices, expected):
    seg = highdicom.seg.segread(path)
    assert seg.segmentation_type == highdicom.seg.SegmentationTypeValues.BINARY
    uids = [image.SOPInstanceUID for image in slices]
    for attribute in ("StudyInstanceUID", "FrameOfReferenceUID", "PatientID"):
        assert seg[attribute].value == slices[0][attribute].value
    referenced = [uid for _, _, uid in seg.get_source_image_uids()]
    assert sorted(referenced) == sorted(uids)
    affine = affine_of(slices[0], slices[0].ImagePositionPatient)
    labels = numpy.array(expected["labels"])
    names = {}
    for number in seg.segment_numbers:
        described = seg.get_segment_description(number)
        assert described.algorithm_type == highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC
        names[described.SegmentDescription] = number
    present = [entry for entry in expected["vocabulary"] if entry["id"] and entry["id"] in labels]
    assert len(present) == len(names) > 0
    pixels = seg.get_pixels_by_source_instance(uids, assert_missing_frames_are_empty=True)
    for entry in present:
        number = names[entry["name"]]
        found = to_ras(pixels[..., number - 1], affine, expected).flatten(order="F")
        numpy.testing.assert_array_equal(found, labels == entry["id"], err_msg=entry["name"])
        described = seg.get_segment_description(number)
        assert described.segment_label == entry["display"]
        if entry["code"]:
            assert described.segmented_property_type.value == entry["code"]
            assert described.segmented_property_type.scheme_designator == "SCT"
        difference = numpy.abs(pcs_lab(entry["color"]) - described.RecommendedDisplayCIELabValue)
        assert difference.max() <= 2 * 65535 / 255, (entry, difference)
    # The frames that are there are those with a voxel in them.
    frames = sum(int(pixels[..., number - 1].any(axis=(1, 2)).sum()) for number in names.values())
    assert frames == seg.NumberOfFrames
    volume = seg.get_volume(combine_segments=True)
    numpy.testing.assert_allclose(
        numpy.abs(volume.direction), numpy.abs(affine[:3, :3] / volume_spacing(affine))[:, ::-1],
        atol=1e-5)


def volume_spacing(affine):
    return numpy.linalg.norm(affine[:3, :3], axis=0)


def main(folder):
    notes = sorted(folder.glob("*.json"))
    assert notes, "nothing to check"
    for note in notes:
        expected = json.loads(note.read_text())
        case = folder / note.stem
        slices = read_series(case / "ct")
        check_ct(slices, expected)
        if "labels" in expected:
            check_segmentation(case / "seg.dcm", slices, expected)
    print(len(notes), "cases")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
