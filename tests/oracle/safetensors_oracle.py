#!/usr/bin/env python3
"""Writes and checks one safetensors file through the reference library, for tests/nn.

    safetensors_oracle.py write PATH   writes the known tensors
    safetensors_oracle.py check PATH   exits with 1 unless PATH holds exactly them

Values are i % 5 for the i-th element; every type that guidegen reads occurs once, except that
the written file has no bfloat16.
"""

import struct
import sys

import numpy
import safetensors
import safetensors.numpy

SHAPE = [2, 3]
METADATA = {"format": "pt", "note": 'gr\u00f6\u00dfe "1"'}
# Name in the file: name of the NumPy type (None: NumPy has no bfloat16, so it is only checked),
# struct code.
TYPES = {
    "F64": ("float64", "d"),
    "F32": ("float32", "f"),
    "F16": ("float16", "e"),
    "BF16": (None, None),
    "I64": ("int64", "q"),
    "I32": ("int32", "i"),
    "I16": ("int16", "h"),
    "I8": ("int8", "b"),
    "U8": ("uint8", "B"),
    "BOOL": ("bool_", "?"),
}


def data_of(code):
    values = [i % 5 for i in range(6)]
    if code is None:  # the upper half of a float32
        return b"".join(struct.pack("<f", v)[2:] for v in values)
    if code == "?":
        values = [v != 0 for v in values]
    return struct.pack("<6" + code, *values)


def write(path):
    values = numpy.arange(6).reshape(SHAPE) % 5
    tensors = {
        "tensor." + name: values.astype(getattr(numpy, dtype))
        for name, (dtype, _) in TYPES.items()
        if dtype is not None
    }
    safetensors.numpy.save_file(tensors, path, metadata=METADATA)


def check(path):
    with safetensors.safe_open(path, framework="numpy") as file:
        assert file.metadata() == METADATA, file.metadata()
    with open(path, "rb") as file:
        tensors = dict(safetensors.deserialize(file.read()))
    assert sorted(tensors) == sorted("tensor." + name for name in TYPES), sorted(tensors)
    for name, (_, code) in TYPES.items():
        tensor = tensors["tensor." + name]
        assert tensor["dtype"] == name, tensor
        assert tensor["shape"] == SHAPE, tensor
        assert bytes(tensor["data"]) == data_of(code), tensor


if __name__ == "__main__":
    {"write": write, "check": check}[sys.argv[1]](sys.argv[2])
