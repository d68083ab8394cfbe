#!/usr/bin/env python3
"""Reads a folder of event files the way TensorBoard does, for tests/train.

    read_events.py FOLDER OUTPUT

OUTPUT is a JSON object: "scalars" and "images" map each tag to a list of [step, content], where
content is a number or a picture {"width", "height", "pixels"}; what TensorBoard hides is not there.
"first_event" is the version that the first file begins with.
"""

import io
import json
import os
import sys

import PIL.Image
from tensorboard.backend.event_processing import event_file_loader
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def picture(event):
    decoded = PIL.Image.open(io.BytesIO(event.encoded_image_string))
    assert (decoded.width, decoded.height) == (event.width, event.height), decoded
    assert decoded.mode == "RGB", decoded.mode
    return {"width": event.width, "height": event.height, "pixels": list(decoded.tobytes())}


def main(folder, output):
    events = EventAccumulator(folder, size_guidance={"scalars": 0, "images": 0}).Reload()
    first = os.path.join(folder, sorted(os.listdir(folder))[0])
    loader = event_file_loader.LegacyEventFileLoader(first)
    result = {
        "scalars": {
            tag: [[event.step, event.value] for event in events.Scalars(tag)]
            for tag in events.Tags()["scalars"]
        },
        "images": {
            tag: [[event.step, picture(event)] for event in events.Images(tag)]
            for tag in events.Tags()["images"]
        },
        "first_event": next(loader.Load()).file_version,
    }
    with open(output, "w", encoding="utf-8") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
