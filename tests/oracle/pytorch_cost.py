"""What a step costs at least, and what the machine can do: the two sides of a roofline.

FLOPs of convolutions and matrix products are counted as they are dispatched, forward and backward,
2 for each multiply-add. Bytes are the least traffic of the same operators: each reads its inputs
and writes its outputs once.
"""

import time

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class Operations(TorchDispatchMode):
    """Collects (FLOPs, bytes) of every operator that has FLOPs; what others move is summed up."""

    def __init__(self):
        super().__init__()
        self.matrix, self.other_bytes = [], 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        out = function(*args, **kwargs)
        moved = tensor_bytes((args, kwargs)) + tensor_bytes(out)
        packet = function._overloadpacket
        if packet in flop_registry:
            self.matrix.append((int(flop_registry[packet](*args, **kwargs, out_val=out)), moved))
        elif not function.is_view:
            self.other_bytes += moved
        return out


def tensor_bytes(tree):
    if isinstance(tree, torch.Tensor):
        return tree.numel() * tree.element_size()
    if isinstance(tree, dict):
        tree = tree.values()
    elif not isinstance(tree, (list, tuple)):
        return 0
    return sum(tensor_bytes(item) for item in tree)


def count(body):
    operations = Operations()
    # The fused attention of CPUs has no entry in the registry; its plain form has.
    with operations, sdpa_kernel(SDPBackend.MATH):
        body()
    return {"flops": sum(f for f, _ in operations.matrix),
            "matrix_bytes": sum(b for _, b in operations.matrix),
            "other_bytes": operations.other_bytes,
            "operations": operations.matrix}


def best_of(body, device, repeats=5):
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        body()
        if device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return best


def machine_peaks(device, dtype=torch.float32):
    """FLOP/s of a large matrix product and of a large convolution, bytes/s of a large copy."""
    n = 2048 if device.type == "cpu" else 8192
    a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
    product = 2 * n**3 / best_of(lambda: a @ b, device)
    layout = {"device": device, "dtype": dtype, "memory_format": torch.channels_last_3d}
    conv = torch.nn.Conv3d(128, 128, 3, padding=1).to(**layout)
    x = torch.randn(1, 128, 32, 32, 32).to(**layout)
    with torch.inference_mode():
        convolution = 2 * 27 * 128 * 128 * 32**3 / best_of(lambda: conv(x), device)
    # Far larger than any cache.
    source = torch.randn(2**28, device=device)
    target = torch.empty_like(source)
    copy = 2 * source.numel() * 4 / best_of(lambda: target.copy_(source), device)
    return {"program": "peaks", "device": device.type, "threads": torch.get_num_threads(),
            "matrix_product_flops": product, "convolution_flops": convolution,
            "flops_per_second": max(product, convolution), "bytes_per_second": copy}
