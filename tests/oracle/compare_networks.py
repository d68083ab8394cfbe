#!/usr/bin/env python3
"""Runs the networks of a model directory in PyTorch and compares them with what the C++ ones gave.

    compare_networks.py NETWORK_IO MODEL_DIR [--tolerance 1e-4]

NETWORK_IO is the program guidegen_network_io. Errors are the largest difference over the largest
magnitude of each output, float32. Exit codes: 0 agree, 1 differ, 77 PyTorch is not installed.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

import pytorch_losses as losses
import pytorch_networks as networks
from pytorch_prompts import encode_prompts


def load_network(folder, stage, labels, tumor):
    entry = json.loads((folder / "model.json").read_text())["stages"][str(stage)]
    network = networks.make_network(
        stage, entry["config"], labels, tumor, entry.get("latent_channels", 0))
    state = load_file(folder / entry["weights"])
    # The planner draws tumors before the network runs; it is no part of it.
    state = {name: t.float() for name, t in state.items() if not name.startswith("planner.")}
    network.load_state_dict(state, strict=True)
    return network.eval()


def run_stage(stage, network, given, prompts):
    """Outputs by the names that guidegen_network_io gives them."""
    if stage == 2:
        mean, log_variance = network.encode(given["hu"])
        # Its own latents would let an error of the encoder show up in the decoder again.
        exposures, hu = network.decode(given["out.mean"], given["mask"])
        return {"mean": mean, "log_variance": log_variance, "exposures": exposures, "hu": hu}
    text = network.prompt_encoder(**encode_prompts(prompts))
    if stage == 1 and "text_tokens" in given:
        text = network.read(text, given["text_tokens"], given["text_present"])
    found = {name: text[name] * text["present"].unsqueeze(-1) if name == "tokens" else text[name]
             for name in ("tokens", "present", "pooled")}
    if stage == 1:
        found["logits"] = network(given["xt"], given["t"], given["signal"], text, given["plan"],
                                  given["odds"], given["geometry"])
        found.update(synthesizer_losses(network.config, given))
    else:
        found["velocity"] = network(
            given["z"], given["time"], text, given["mask"], given["geometry"])
    return found


def synthesizer_losses(config, given):
    """Loss of stage I and its gradient, twice: in closed form and by the table of transitions."""
    found, schedule = {}, losses.alpha_bar(config["timesteps"], config["schedule"])
    for kind, function in losses.SYNTHESIZER_LOSSES.items():
        logits = given["out.logits"].clone().requires_grad_()
        with torch.enable_grad():
            loss = function(logits, given["x0"], given["xt"], given["t"], schedule, config,
                            given["weight"])
            found[f"loss {kind}"] = loss.detach()
            found[f"gradient {kind}"], = torch.autograd.grad(loss, logits)
    return found


def relative_error(ours, theirs):
    if ours.shape != theirs.shape:
        raise SystemExit(f"shapes differ: {tuple(ours.shape)} and {tuple(theirs.shape)}")
    ours, theirs = ours.double(), theirs.double()
    error = (ours - theirs).abs().max() / theirs.abs().max().clamp_min(1e-30)
    return error.item() if torch.isfinite(error) else float("inf")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network_io")
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "io.safetensors"
        subprocess.run([options.network_io, options.model, path], check=True)
        tensors = load_file(path)
        with safe_open(path, "pt") as file:
            prompts = json.loads(file.metadata()["prompts"])
    labels, tumor = networks.vocabulary()
    worst = 0.0
    for stage in (1, 2, 3):
        network = load_network(options.model, stage, labels, tumor)
        prefix = f"stage{stage}."
        given = {n[len(prefix):]: t for n, t in tensors.items() if n.startswith(prefix)}
        with torch.no_grad():
            found = run_stage(stage, network, given, prompts)
        for name, theirs in found.items():
            ours = given[f"out.{name.split()[0]}"]
            if name == "tokens":  # what padding holds is no part of the contract
                ours = ours * given["out.present"].unsqueeze(-1)
            error = relative_error(ours, theirs)
            worst = max(worst, error)
            print(f"stage {stage} {name:15} {str(tuple(theirs.shape)):24} {error:.1e}")
    print(f"worst relative error {worst:.1e}, allowed {options.tolerance:.0e}")
    return 0 if worst <= options.tolerance else 1


if __name__ == "__main__":
    sys.exit(main())
