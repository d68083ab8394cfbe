"""The three networks of guidegen in plain PyTorch, written from their descriptions.

Names of parameters are those of the shipped .safetensors files, so that both load the same weights.
Used as an oracle (compare_networks.py) and as the yardstick of benchmarks (pytorch_steps.py).
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F
from torch import nn

from pytorch_prompts import AttributeEncoder

ROOT = pathlib.Path(__file__).resolve().parents[2]

UNET = {"channels": [24, 48, 96], "blocks": 1, "attention_from": 1, "self_attention": True,
        "heads": 4, "injection_queries": 4, "dropout": 0.0}
EXPOSURES = [{"name": "lung", "center": -600, "width": 1500},
             {"name": "soft_tissue", "center": 40, "width": 400},
             {"name": "bone", "center": 500, "width": 1800},
             {"name": "full", "center": 1024, "width": 4096}]
DEFAULTS = {
    1: {"label_width": 8, "head_width": 16, "text_width": 64, "embedding_width": 128,
        "schedule": "cosine", "timesteps": 1000, "kl_weight": 20.0, "ce_weight": 1.0,
        "plan_voxel_weight": 4.0, "sampling_steps": 25},
    2: {"exposures": EXPOSURES, "latent_channels": 4, "half_width": 32, "quarter_width": 64,
        "blocks": 2, "norm": "voxel", "full_width": 16, "label_width": 8, "mask_dropout": 0.25, "crop": 32,
        "losses": {"fused_weight": 1.0, "window_weight": 0.5, "kl_weight": 1e-5}},
    3: {"label_width": 8, "mask_width": 48, "text_width": 64, "embedding_width": 128,
        "sampling_steps": 20},
}
PLAN_CHANNELS = 9  # five organs, halo, three coordinates
MIN_HU, MAX_HU = -1024.0, 3071.0


def preset(name, stage):
    """Network configuration of configs/<name>/stage<n>.json (or a path) with defaults filled in."""
    path = pathlib.Path(name) if name.endswith(".json") else ROOT / f"configs/{name}/stage{stage}.json"
    given = json.loads(path.read_text()).get("network", {})
    config = {**DEFAULTS[stage], **given}
    if stage != 2:
        config["unet"] = {**UNET, **given.get("unet", {})}
    return config


def vocabulary(name="torso"):
    """How many labels there are, and which one is the tumor."""
    document = json.loads((ROOT / f"configs/vocabularies/{name}.json").read_text())
    names = [label["name"] for label in document["labels"]]
    return len(names), names.index("tumor")


def norm(channels):
    groups = next(g for g in range(min(8, channels), 0, -1) if channels % g == 0)
    return nn.GroupNorm(groups, channels)


def conv(inputs, outputs, kernel, stride=1):
    return nn.Conv3d(inputs, outputs, kernel, stride=stride, padding=kernel // 2)


def sinusoidal(value, width, scale=1.0):
    half = width // 2
    rate = torch.exp(torch.arange(half, device=value.device) * (-math.log(10000.0) / half))
    angle = (value * scale)[:, None] * rate[None]
    return torch.cat([angle.sin(), angle.cos()], 1)


def space_to_depth(x, f):
    b, c, d, h, w = x.shape
    x = x.permute(0, 2, 3, 4, 1).reshape(b, d // f, f, h // f, f, w // f, f, c)
    x = x.permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(b, d // f, h // f, w // f, f**3 * c)
    return x.permute(0, 4, 1, 2, 3)


def depth_to_space(x, f):
    b, c, d, h, w = x.shape
    x = x.permute(0, 2, 3, 4, 1).reshape(b, d, h, w, f, f, f, c // f**3)
    x = x.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(b, d * f, h * f, w * f, c // f**3)
    return x.permute(0, 4, 1, 2, 3)


class VoxelNorm(nn.LayerNorm):
    """Over the channels of each voxel."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 4, 1)).permute(0, 4, 1, 2, 3)


class ResidualBlock3d(nn.Module):
    def __init__(self, inputs, outputs, embedding, norm=norm):
        super().__init__()
        self.norm1, self.conv1 = norm(inputs), conv(inputs, outputs, 3)
        self.norm2, self.conv2 = norm(outputs), conv(outputs, outputs, 3)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)
        self.skip = conv(inputs, outputs, 1) if inputs != outputs else None
        self.modulation = nn.Linear(embedding, 2 * outputs) if embedding else None

    def forward(self, x, embedding=None):
        h = self.norm2(self.conv1(F.silu(self.norm1(x))))
        if self.modulation is not None:
            scale, shift = self.modulation(F.silu(embedding))[:, :, None, None, None].chunk(2, 1)
            h = torch.addcmul(shift, h, 1 + scale)
        h = self.conv2(F.silu(h))
        return h + (x if self.skip is None else self.skip(x))


class Attention(nn.Module):
    def __init__(self, queries, context, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(queries, queries), nn.Linear(context, queries)
        self.value, self.output = nn.Linear(context, queries), nn.Linear(queries, queries)

    def forward(self, queries, context, present=None):
        def split(x):
            return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        out = F.scaled_dot_product_attention(
            split(self.query(queries)), split(self.key(context)), split(self.value(context)),
            None if present is None else present[:, None, None])
        return self.output(out.transpose(1, 2).flatten(2))


class KnowledgeInjection(nn.Module):
    def __init__(self, queries, context, heads, dropout):
        super().__init__()
        self.queries = nn.Parameter(torch.randn(1, queries, context) * 0.5)
        self.attention = Attention(context, context, heads)
        self.norm, self.projection = nn.LayerNorm(context), nn.Linear(context, context)
        self.dropout = nn.Dropout(dropout)

    def forward(self, context, present):
        queries = self.queries.expand(context.shape[0], -1, -1)
        return self.dropout(
            self.projection(self.norm(queries + self.attention(queries, context, present))))


class SpatialAttention(nn.Module):
    def __init__(self, channels, context, heads, self_attention):
        super().__init__()
        self.norm, self.cross_norm = norm(channels), nn.LayerNorm(channels)
        self.self = Attention(channels, channels, heads) if self_attention else None
        self.cross = Attention(channels, context, heads)

    def forward(self, x, context, present):
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        if self.self is None:
            change = self.cross(self.cross_norm(tokens), context, present)
        else:
            change = self.self(tokens, tokens)
            change = change + self.cross(self.cross_norm(tokens + change), context, present)
        return x + change.transpose(1, 2).reshape(x.shape)


class UNet3d(nn.Module):
    def __init__(self, config, inputs, embedding, context):
        super().__init__()
        channels, self.blocks = config["channels"], config["blocks"]
        self.levels, self.attention_from = len(channels), config["attention_from"]
        self.inject = config["injection_queries"] > 0
        self.input = conv(inputs, channels[0], 3)
        for level, here in enumerate(channels):
            coarsest = level + 1 == self.levels
            for i in range(self.blocks):
                self.add_module(f"down{level}_block{i}", ResidualBlock3d(here, here, embedding))
                wide = 2 * here if i == 0 else here
                self.add_module(f"up{level}_block{i}", ResidualBlock3d(wide, here, embedding))
            if not coarsest:
                self.add_module(f"downsample{level}", conv(here, channels[level + 1], 3, 2))
                self.add_module(f"upsample{level}", conv(channels[level + 1], here, 1))
            if level < self.attention_from:
                continue
            for way in ("down", "up"):
                self.add_module(f"{way}{level}_attention", SpatialAttention(
                    here, context, config["heads"], coarsest and config["self_attention"]))
            if self.inject:
                self.add_module(f"injection{level}", KnowledgeInjection(
                    config["injection_queries"], context, config["heads"], config["dropout"]))
        self.middle0 = ResidualBlock3d(channels[-1], channels[-1], embedding)
        self.middle1 = ResidualBlock3d(channels[-1], channels[-1], embedding)

    def attend(self, way, level, x, tokens, present):
        if level < self.attention_from:
            return x
        if self.inject:
            injected = getattr(self, f"injection{level}")(tokens, present)
            tokens = torch.cat([tokens, injected.to(tokens.dtype)], 1)
            present = torch.cat([present, present.new_ones(injected.shape[:2])], 1)
        return getattr(self, f"{way}{level}_attention")(x, tokens, present)

    def forward(self, x, embedding, tokens, present):
        skips, h = [], self.input(x)
        for level in range(self.levels):
            for i in range(self.blocks):
                h = getattr(self, f"down{level}_block{i}")(h, embedding)
            h = self.attend("down", level, h, tokens, present)
            skips.append(h)
            if level + 1 < self.levels:
                h = getattr(self, f"downsample{level}")(h)
        h = self.middle1(self.middle0(h, embedding), embedding)
        for level in reversed(range(self.levels)):
            if level + 1 < self.levels:
                h = getattr(self, f"upsample{level}")(h)
                h = F.interpolate(h, skips[level].shape[2:], mode="nearest")
            h = torch.cat([h, skips[level]], 1)
            for i in range(self.blocks):
                h = getattr(self, f"up{level}_block{i}")(h, embedding)
                if i == 0:
                    h = self.attend("up", level, h, tokens, present)
        return h


class Conditioned(nn.Module):
    """What stages I and III share: the embedding of time, geometry and pooled text."""

    def __init__(self, config, labels):
        super().__init__()
        wide = config["embedding_width"]
        self.config = config
        self.prompt_encoder = AttributeEncoder(config["text_width"])
        self.label_embedding = nn.Embedding(labels, config["label_width"])
        self.time, self.geometry = nn.Linear(64, wide), nn.Linear(6, wide)
        self.pooled = nn.Linear(config["text_width"], wide)

    def embed(self, time, geometry, pooled):
        return self.time(sinusoidal(time, 64, 1000.0)) + self.geometry(geometry) + self.pooled(pooled)


class Synthesizer(Conditioned):
    """Stage I: logits of p(x_0 | x_t, t, prompt, plan)."""

    def __init__(self, config, labels, tumor):
        super().__init__(config, labels)
        self.labels, self.tumor, head = labels, tumor, config["head_width"]
        self.unet = UNet3d(config["unet"], 8 * config["label_width"] + PLAN_CHANNELS,
                           config["embedding_width"], config["text_width"])
        self.expand = conv(config["unet"]["channels"][0], 8 * head, 1)
        self.full = conv(head + config["label_width"], head, 3)
        self.head_blocks = config.get("head_blocks", 0)
        for i in range(self.head_blocks):
            setattr(self, f"head{i}", conv(head, head, 3))
        self.output = conv(head, labels, 1)
        if config.get("text_encoder_width", 0):
            self.text = nn.Linear(config["text_encoder_width"], config["text_width"])
        if config.get("sentence_width", 0):  # of training alone
            self.distilled = nn.Linear(config["unet"]["channels"][-1], config["sentence_width"])
        if config.get("class_weight_exponent", 0):
            self.register_buffer("class_weights", torch.ones(labels))

    def read(self, text, tokens, present):
        """Tokens of a language model [B,T,C] after those of the prompt's fields."""
        return {**text, "tokens": torch.cat([text["tokens"], self.text(tokens)], 1),
                "present": torch.cat([text["present"], present], 1)}

    def context(self, xt, t, text, plan, geometry):
        labels = self.label_embedding(xt.int()).permute(0, 4, 1, 2, 3)
        x = torch.cat([space_to_depth(labels, 2), plan], 1)
        x = x.contiguous(memory_format=torch.channels_last_3d)
        embedding = self.embed(t / self.config["timesteps"], geometry, text["pooled"])
        h = self.unet(x, embedding, text["tokens"], text["present"])
        h = F.silu(depth_to_space(self.expand(F.silu(h)), 2))
        h = self.full(torch.cat([h, labels.to(h.dtype)], 1))
        for i in range(self.head_blocks):
            h = h + getattr(self, f"head{i}")(F.silu(h))
        with torch.autocast(h.device.type, enabled=False):
            return self.output(F.silu(h.float()))

    def add_evidence(self, context, xt, signal, odds):
        """`signal` [B] is alpha_bar(t) in float64."""
        ratio = torch.log1p(self.labels * signal / (1 - signal).clamp_min(1e-12)).clamp_max(12)
        index = xt.long().unsqueeze(1)
        logits = context.scatter_add(
            1, index, ratio.float().view(-1, 1, 1, 1, 1).expand(index.shape))
        logits[:, self.tumor] += odds
        return logits

    def forward(self, xt, t, signal, text, plan, odds, geometry):
        return self.add_evidence(self.context(xt, t, text, plan, geometry), xt, signal, odds)


class HdrAutoencoder(nn.Module):
    """Stage II: CT <-> latent, guided by the mask where there is one."""

    def __init__(self, config, labels):
        super().__init__()
        self.config, self.labels, self.blocks = config, labels, config["blocks"]
        exposures, half, quarter = len(config["exposures"]), config["half_width"], config["quarter_width"]
        width, full = config["label_width"], config["full_width"]
        centers = torch.tensor([float(e["center"]) for e in config["exposures"]])
        widths = torch.tensor([float(e["width"]) for e in config["exposures"]])
        self.register_buffer("centers", centers.view(1, -1, 1, 1, 1), persistent=False)
        self.register_buffer("halves", widths.view(1, -1, 1, 1, 1) / 2, persistent=False)
        linear = torch.tensor([e.get("curve", "shoulder") == "linear" for e in config["exposures"]])
        self.register_buffer("linear", linear.view(1, -1, 1, 1, 1), persistent=False)
        self.encoder_in = conv(8 * exposures, half, 3)
        self.encoder_down = conv(half, quarter, 3, 2)
        self.encoder_out = conv(quarter, 2 * config["latent_channels"], 1)
        self.decoder_in = conv(config["latent_channels"], quarter, 3)
        self.decoder_up = conv(quarter, half, 1)
        self.label_embedding = nn.Embedding(labels + 1, width)
        norm_type = VoxelNorm if config["norm"] == "voxel" else norm
        for i in range(self.blocks):
            for way in ("encoder", "decoder"):
                self.add_module(f"{way}_half{i}", ResidualBlock3d(half, half, 0, norm_type))
                self.add_module(f"{way}_quarter{i}", ResidualBlock3d(quarter, quarter, 0, norm_type))
            self.add_module(f"quarter_modulation{i}", conv(width, 2 * quarter, 1))
            self.add_module(f"half_modulation{i}", conv(width, 2 * half, 1))
        self.expand = conv(half, 8 * full, 1)
        self.full = conv(full + width, full, 3)
        self.output = conv(full, 2 * exposures, 1)
        self.fusion_prior = conv(width, exposures, 1) if config.get("fusion_prior") else None

    def curve(self, hu):
        u = (hu - self.centers) / self.halves
        return torch.where(self.linear, u.clamp(-1, 1), u * torch.rsqrt(1 + u * u))

    def expose(self, hu):
        return self.curve(hu.clamp(MIN_HU, MAX_HU))

    def fuse(self, exposed, log_weights):
        low, high = self.curve(hu=torch.tensor(MIN_HU)), self.curve(hu=torch.tensor(MAX_HU))
        y = exposed.float().clamp(low, high)
        room = (1 - y) * (1 + y)
        hu = torch.where(self.linear, y, y * room.rsqrt()) * self.halves + self.centers
        inside = (y.abs() < 1).float().clamp_min(1e-6)
        slope = torch.where(self.linear, inside, room.pow(1.5)) / self.halves
        weights = (2 * slope.log() + log_weights.float()).softmax(1)
        return (weights * hu).sum(1, keepdim=True)

    def encode(self, hu):
        h = self.encoder_in(space_to_depth(self.expose(hu), 2))
        for i in range(self.blocks):
            h = getattr(self, f"encoder_half{i}")(h)
        h = self.encoder_down(h)
        for i in range(self.blocks):
            h = getattr(self, f"encoder_quarter{i}")(h)
        mean, log_variance = self.encoder_out(F.silu(h)).float().chunk(2, 1)
        return mean, log_variance.clamp(-12.0, 4.0)

    def modulate(self, name, x, mask):
        scale, shift = getattr(self, name)(mask).chunk(2, 1)
        return torch.addcmul(shift, x, 1 + scale)

    def decode(self, z, mask):
        labels = self.label_embedding(mask.int()).permute(0, 4, 1, 2, 3)
        half = F.avg_pool3d(labels, 2)
        quarter = F.avg_pool3d(half, 2)
        h = self.decoder_in(z.contiguous(memory_format=torch.channels_last_3d))
        for i in range(self.blocks):
            h = getattr(self, f"decoder_quarter{i}")(self.modulate(f"quarter_modulation{i}", h, quarter))
        h = F.interpolate(self.decoder_up(h), half.shape[2:], mode="nearest")
        for i in range(self.blocks):
            h = getattr(self, f"decoder_half{i}")(self.modulate(f"half_modulation{i}", h, half))
        h = F.silu(depth_to_space(self.expand(F.silu(h)), 2))
        h = self.full(torch.cat([h, labels.to(h.dtype)], 1))
        with torch.autocast(h.device.type, enabled=False):
            exposures, log_weights = self.output(F.silu(h.float())).chunk(2, 1)
            if self.fusion_prior is not None:
                log_weights = log_weights + self.fusion_prior(labels.float())
            exposures = torch.where(self.linear, exposures, torch.tanh(exposures))
            return exposures, self.fuse(exposures, log_weights)


class FeatureGenerator(Conditioned):
    """Stage III: velocity of the rectified flow over latents."""

    def __init__(self, config, labels, latents):
        super().__init__(config, labels + 1)  # the last one stands for "no mask"
        self.geometry = nn.Linear(9, config["embedding_width"])
        width, mask = config["label_width"], config["mask_width"]
        self.mask_fold = conv(64 * width, mask, 1)
        self.mask_block = ResidualBlock3d(mask, mask, 0)
        self.unet = UNet3d(config["unet"], latents + mask + width, config["embedding_width"],
                           config["text_width"])
        self.output_norm = norm(config["unet"]["channels"][0])
        self.output = conv(config["unet"]["channels"][0], latents, 3)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        self.register_buffer("latent_mean", torch.zeros(latents))
        self.register_buffer("latent_deviation", torch.ones(latents))

    def forward(self, z, time, text, mask, geometry):
        labels = self.label_embedding(mask.int()).permute(0, 4, 1, 2, 3)
        encoded = self.mask_block(self.mask_fold(space_to_depth(labels, 4)))
        x = torch.cat([z.to(encoded.dtype), encoded, F.avg_pool3d(labels, 4).to(encoded.dtype)], 1)
        x = x.contiguous(memory_format=torch.channels_last_3d)
        h = self.unet(x, self.embed(time, geometry, text["pooled"]), text["tokens"], text["present"])
        with torch.autocast(h.device.type, enabled=False):
            return self.output(F.silu(self.output_norm(h.float())))


def make_network(stage, config, labels, tumor, latents=4):
    if stage == 1:
        return Synthesizer(config, labels, tumor)
    return HdrAutoencoder(config, labels) if stage == 2 else FeatureGenerator(config, labels, latents)
