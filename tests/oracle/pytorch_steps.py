#!/usr/bin/env python3
"""Times training steps, or sampling, of one stage in PyTorch and prints one JSON line.

The counterpart of guidegen_step_bench (bench/step_bench.cpp), with the same options: the same
networks, batch, sizes and losses, inputs prepared beforehand, channels last, fused AdamW, EMA with
one foreach call. Options of its own: --loss closed|naive (of stage I), --compile, --cost (counts
the operations of a step instead of timing it), --peaks (speed of this machine).
"""

import argparse
import contextlib
import json
import pathlib
import statistics
import sys
import time

import torch

import pytorch_cost as cost
import pytorch_losses as losses
import pytorch_networks as networks
from pytorch_prompts import encode_prompts

PROMPT = {"sex": "female", "age": 63, "race": "white", "contrast": "portal-venous",
          "tumors": [{"organ": "liver", "position": "right", "count": 1, "size_mm": 40.0}]}
LATENTS = 4
BETAS, TOTAL_STEPS = (0.9, 0.99), 1000


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", type=int, choices=(1, 2, 3), default=1)
    parser.add_argument("--preset", default="demo")
    parser.add_argument("--size", type=int, nargs=3, default=(64, 64, 80))
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sampling-steps", type=int, default=0)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--mode", choices=("train", "sample"), default="train")
    parser.add_argument("--loss", choices=tuple(losses.SYNTHESIZER_LOSSES), default="closed")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--peaks", action="store_true")
    return parser.parse_args()


class Subject:
    """One stage with made-up inputs of the sizes of a training step or of one case."""

    def __init__(self, options, device):
        self.options, self.device = options, device
        labels, tumor = networks.vocabulary()
        self.config = networks.preset(options.preset, options.stage)
        network = networks.make_network(options.stage, self.config, labels, tumor, LATENTS)
        self.network = network.to(device, memory_format=torch.channels_last_3d)
        torch.backends.cudnn.benchmark = options.mode == "train"  # as our trainer does
        x, y, z = options.size
        crop = (self.config["crop"],) * 3 if options.stage == 2 and options.mode == "train" else (z, y, x)
        batch = options.batch if options.mode == "train" else 1
        self.shape, self.labels = (batch, *crop), labels
        coarse = torch.rand(batch, 1, *(n // 4 for n in crop)) * labels
        self.mask = torch.nn.functional.interpolate(coarse, crop).squeeze(1).byte().to(device)
        self.geometry = torch.randn(batch, 9 if options.stage == 3 else 6, device=device)
        self.prompts = {name: tensor.to(device) for name, tensor in
                        encode_prompts([PROMPT] * batch).items()}
        getattr(self, f"prepare{options.stage}")()
        self.forward = self.network
        if options.compile:
            self.compile()

    def compile(self):
        if self.options.stage == 2:  # it has no forward: these two are what its loss calls
            self.network.encode = torch.compile(self.network.encode)
            self.network.decode = torch.compile(self.network.decode)
        else:
            # Without it, Inductor of PyTorch 2.11 takes the layout of a convolution of stage I on
            # processors for another one than it is, and stops.
            if self.options.stage == 1 and self.options.device == "cpu":
                from torch._inductor import config as inductor
                inductor.layout_optimization = False
            self.forward = torch.compile(self.network)

    def prepare1(self):
        b, d, h, w = self.shape
        self.schedule = losses.alpha_bar(self.config["timesteps"], self.config["schedule"])
        # The sampler reads the schedule on the CPU; a training step needs it beside the logits.
        self.schedule_there = self.schedule.to(self.device)
        self.t = torch.randint(1, self.config["timesteps"] + 1, (b,)).to(self.device)
        self.signal = self.schedule_there[self.t]
        self.xt = losses.add_noise(self.mask, self.signal, self.labels)
        self.plan = torch.randn(b, networks.PLAN_CHANNELS, d // 2, h // 2, w // 2, device=self.device)
        self.odds = torch.randn(b, d, h, w, device=self.device).clamp(-4, 4)
        self.weight = 1 + self.config["plan_voxel_weight"] * (0.5 * self.odds + 1).clamp(0, 1)
        loss = losses.SYNTHESIZER_LOSSES[self.options.loss]
        self.criterion = torch.compile(loss) if self.options.compile else loss

    def prepare2(self):
        b, d, h, w = self.shape
        self.hu = torch.randn(b, 1, d, h, w, device=self.device).mul(500).clamp(-1024, 3071)

    def prepare3(self):
        b, d, h, w = self.shape
        self.latents = torch.randn(b, LATENTS, d // 4, h // 4, w // 4, device=self.device)

    def loss(self):
        if self.options.stage == 2:
            return losses.autoencoder_loss(self.forward, self.hu, self.mask)
        text = self.network.prompt_encoder(**self.prompts)
        if self.options.stage == 3:
            return losses.generator_loss(self.forward, self.latents, text, self.mask, self.geometry)
        logits = self.forward(self.xt, self.t, self.signal, text, self.plan, self.odds,
                              self.geometry)
        with torch.autocast(self.device.type, enabled=False):
            return self.criterion(logits, self.mask, self.xt, self.t, self.schedule_there,
                                  self.config, self.weight)

    def sampling_steps(self):
        return self.options.sampling_steps or self.config.get("sampling_steps", 1)

    def sample(self):
        if self.options.stage == 2:
            mean, _ = self.network.encode(self.hu)
            return self.network.decode(mean, self.mask)[1]
        text = self.network.prompt_encoder(**self.prompts)
        calls = self.sampling_steps()
        return self.sample_mask(text, calls) if self.options.stage == 1 else self.sample_latents(
            text, calls)

    def sample_mask(self, text, calls):
        x = torch.randint_like(self.mask, self.labels)
        times = torch.linspace(self.config["timesteps"], 0, calls + 1).round().long()
        for t, s in zip(times[:-1], times[1:]):
            now, before = self.schedule[t], self.schedule[s].item()
            logits = self.forward(x, t.view(1).to(self.device), now.view(1).to(self.device), text,
                                  self.plan, self.odds, self.geometry)
            x = losses.sample_step(logits, x, before, now.item())
        return x

    def sample_latents(self, text, calls):
        z = torch.randn_like(self.latents)
        for i in range(calls):
            t = torch.full((1,), 1 - i / calls, device=self.device)
            z = z - self.forward(z, t, text, self.mask, self.geometry) / calls
        return z


class Trainer:
    def __init__(self, subject, options):
        self.subject, self.options = subject, options
        self.parameters = list(subject.network.parameters())
        self.averages = [p.detach().clone() for p in self.parameters]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=8e-4, betas=BETAS, fused=True)
        self.scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, TOTAL_STEPS)

    def step(self):
        with autocast(self.options):
            loss = self.subject.loss()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.scheduler.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.averages, self.parameters, 1e-3)
        self.optimizer.zero_grad(set_to_none=True)


def autocast(options):
    if options.precision == "fp32":
        return contextlib.nullcontext()
    return torch.autocast(options.device, dtype=torch.bfloat16)


def status_mib(name):
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


class MemoryPeak:
    """Of a GPU, the most that tensors hold, the network's included. Of the CPU, by how much the
    process grows beyond what is resident at the start: PyTorch itself is most of that."""

    def __init__(self, device):
        self.device, self.before = device, 0.0
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        else:
            self.before = status_mib("VmRSS")
            pathlib.Path("/proc/self/clear_refs").write_text("5")  # VmHWM starts again

    def mib(self):
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) / 2**20
        return status_mib("VmHWM") - self.before


def wait_for(device):
    if device == "cuda":
        torch.cuda.synchronize()


def time_calls(options, body):
    seconds, cpu_seconds = [], []
    wait_for(options.device)
    for index in range(options.warmup + options.steps):
        start, cpu = time.perf_counter(), time.process_time()
        body()
        wait_for(options.device)
        if index >= options.warmup:
            seconds.append(time.perf_counter() - start)
            cpu_seconds.append(time.process_time() - cpu)
    return seconds, cpu_seconds


def body_of(options, subject):
    if options.mode == "train":
        subject.network.train()
        return Trainer(subject, options).step
    subject.network.eval()

    # In inference mode operators reach the counter before they are taken apart.
    quiet = torch.no_grad if options.cost else torch.inference_mode

    def sample():
        with quiet(), autocast(options):
            subject.sample()

    return sample


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    device = torch.device(options.device)
    if options.peaks:
        dtype = torch.bfloat16 if options.precision == "bf16" else torch.float32
        return cost.machine_peaks(device, dtype)
    subject = Subject(options, device)
    found = {
        "program": "pytorch" + (" compiled" if options.compile else ""),
        "torch": torch.__version__, "stage": options.stage, "mode": options.mode,
        "inputs": "ready", "preset": options.preset, "shape": subject.shape,
        "device": options.device, "precision": options.precision, "threads": options.threads,
        "steps": options.steps, "sampling_steps": subject.sampling_steps(),
        "sampling_steps_of_preset": subject.config.get("sampling_steps", 1),
        "parameters": sum(p.numel() for p in subject.network.parameters()),
    }
    if options.stage == 1 and options.mode == "train":
        found["loss"] = options.loss
    body = body_of(options, subject)
    if options.cost:
        return {**found, **cost.count(body)}
    memory = MemoryPeak(device)
    seconds, cpu_seconds = time_calls(options, body)
    return {**found, "seconds_median": statistics.median(seconds), "seconds_min": min(seconds),
            "cpu_seconds_min": min(cpu_seconds), "seconds": seconds, "peak_mib": memory.mib()}


if __name__ == "__main__":
    print(json.dumps(main()))
    sys.exit(0)
