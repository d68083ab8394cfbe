#!/usr/bin/env python3
"""Writes a feature network as TorchScript, for the perceptual loss of the autoencoder
(network.losses.perceptual.network).

    python3 scripts/export_perceptual.py --network resnet50 --weights weights.pth --out features.pt

Needs torch and torchvision. The networks are torchvision's; what the file of weights is trained on
is up to you: ImageNet (torchvision's own files), RadImageNet, or anything else that fits the
architecture. The network that is written takes images [N,3,H,W] in [0,1], normalizes them and
returns the features of a few layers.
"""
import argparse
import sys

import torch
import torchvision
from torch import nn

# Layers whose features are compared: for VGG, AlexNet and SqueezeNet those of LPIPS (Zhang et al.,
# CVPR 2018), for ResNets the ends of the first three stages.
LAYERS = {
    "vgg16": [3, 8, 15, 22, 29],
    "alexnet": [1, 4, 7, 9, 11],
    "squeezenet1_1": [1, 4, 7, 9, 10, 11, 12],
    "resnet18": [4, 5, 6],
    "resnet50": [4, 5, 6],
}
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


class Features(nn.Module):
    def __init__(self, layers, keep, mean, deviation):
        super().__init__()
        self.layers = nn.ModuleList(layers[:max(keep) + 1])
        self.keep = keep
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1))

    def forward(self, x):
        x = (x - self.mean) / self.deviation
        kept = []
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if index in self.keep:
                kept.append(x.clone())  # the next layer may work in place
        return tuple(kept)


def layers_of(name, network):
    return list(network.children()) if name.startswith("resnet") else list(network.features)


def read_weights(network, path, prefix):
    state = torch.load(path, map_location="cpu", weights_only=True)
    state = state.get("state_dict", state)
    state = {key.removeprefix(prefix): value for key, value in state.items()}
    missing = [key for key in network.load_state_dict(state, strict=False).missing_keys
               if not key.startswith(("fc.", "classifier."))]
    if missing:
        sys.exit(f"{path}: lacks {missing[0]} and {len(missing) - 1} more, expected the weights of "
                 "this network (see --prefix)")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", required=True, choices=sorted(LAYERS))
    parser.add_argument("--weights", help="state dictionary (.pth); default: torchvision's own, "
                        "which it downloads")
    parser.add_argument("--prefix", default="", help="to take off the names in that file")
    parser.add_argument("--mean", type=float, nargs=3, default=IMAGENET[0])
    parser.add_argument("--deviation", type=float, nargs=3, default=IMAGENET[1])
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    network = torchvision.models.get_model(options.network,
                                           weights=None if options.weights else "DEFAULT")
    if options.weights:
        read_weights(network, options.weights, options.prefix)
    features = Features(layers_of(options.network, network), LAYERS[options.network],
                        options.mean, options.deviation).eval()
    with torch.no_grad():
        torch.jit.trace(features, torch.rand(1, 3, 64, 64)).save(options.out)


if __name__ == "__main__":
    main()
