#!/usr/bin/env python3
"""Encodes texts with transformers and compares with what BertEncoder gave.

    compare_bert.py TEXT_IO TEACHER_DIR [--tolerance 1e-4]

TEXT_IO is the program guidegen_text_io. Hidden states are compared by their largest absolute
difference, float32. Exit codes: 0 agree, 1 differ, 77 transformers is not installed.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import torch
    import transformers
    from safetensors.torch import load_file
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

TEMPLATES = [
    "A {age}-year-old {who} with a {size} mm tumor in the {place}.",
    "Age: {age}. Sex: {who}. Cancer: {place} cancer. Number of tumors: 2.",
    "CT of a {who}, {age}, without contrast. No focal lesion in the {place}.",
    "{place} mass, {size} mm, T1b",
    "Patient ({who}, {age} Jahre): Raumforderung, {place}, größter Durchmesser {size} mm.",
    "{age}岁 {who} 肺结节 {size} 毫米; 종양 {place} опухоль",
]
PLACES = ["left kidney", "right lobe of the liver", "sigmoid colon", "tail of the pancreas"]


def batches():
    texts = [
        template.format(
            age=20 + 7 * i, who=["man", "woman", "patient"][i % 3], size=10 + 3 * i,
            place=PLACES[(i + k) % len(PLACES)])
        for i in range(10) for k, template in enumerate(TEMPLATES)]
    texts += ["", "a", "[UNK] 🫁 zzzzqqq", "tumor " * 700, "colon " * 200]
    # Neighbors of different length, so that most rows are padded.
    return [texts[i::6] for i in range(6)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("text_io")
    parser.add_argument("teacher", type=pathlib.Path)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    options = parser.parse_args()
    work = batches()
    with tempfile.TemporaryDirectory() as folder:
        texts, out = pathlib.Path(folder) / "texts.json", pathlib.Path(folder) / "out.safetensors"
        texts.write_text(json.dumps(work), encoding="utf-8")
        subprocess.run([options.text_io, options.teacher, texts, out], check=True)
        ours = load_file(out)
    tokenizer = transformers.AutoTokenizer.from_pretrained(options.teacher)
    model = transformers.BertModel.from_pretrained(
        options.teacher, add_pooling_layer=False, attn_implementation="eager").float().eval()
    worst_hidden = worst_sentence = 0.0
    for i, batch in enumerate(work):
        given = tokenizer(
            batch, padding="longest", truncation=True, max_length=512, return_tensors="pt")
        present = given["attention_mask"].bool()
        if not torch.equal(ours[f"{i}.ids"], given["input_ids"]) or not torch.equal(
                ours[f"{i}.present"], present):
            print(f"batch {i}: ids differ")
            return 1
        with torch.no_grad():
            hidden = model(**given).last_hidden_state
        weight = present.unsqueeze(-1).float()
        mean = (hidden * weight).sum(1) / weight.sum(1)
        sentence = torch.nn.functional.normalize(mean, dim=1)
        difference = (ours[f"{i}.tokens"] - hidden).abs()[present].max().item()
        worst_hidden = max(worst_hidden, difference)
        difference = (ours[f"{i}.sentence"] - sentence).abs().max().item()
        worst_sentence = max(worst_sentence, difference)
    print(f"{sum(map(len, work))} texts: hidden states differ by {worst_hidden:.1e}, "
          f"sentences by {worst_sentence:.1e}, allowed {options.tolerance:.0e}")
    return 0 if max(worst_hidden, worst_sentence) <= options.tolerance else 1


if __name__ == "__main__":
    sys.exit(main())
