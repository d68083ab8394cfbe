"""Losses and samplers of the three stages in plain PyTorch operators."""

import math

import torch
import torch.nn.functional as F

MIN_HU, MAX_HU = -1024.0, 3071.0


def alpha_bar(timesteps, kind="cosine"):
    """[T+1] float64, 1 at t = 0 (Nichol & Dhariwal 2021, eq. 17; Ho et al. 2020 for "linear")."""
    t = torch.arange(timesteps + 1, dtype=torch.float64)
    if kind == "cosine":
        f = torch.cos((t / timesteps + 0.008) / 1.008 * math.pi / 2) ** 2
        return (f / f[0]).clamp_min(1e-5)
    scale = 1000.0 / timesteps
    beta = torch.linspace(1e-4, 0.02, timesteps, dtype=torch.float64) * scale
    return torch.cat([torch.ones(1, dtype=torch.float64), (1 - beta).cumprod(0)])


def add_noise(x0, signal, labels):
    """x_t from q(x_t|x_0): each label is kept with probability `signal` [B], else drawn anew."""
    keep = torch.rand(x0.shape, device=x0.device) < signal.float().view(-1, 1, 1, 1)
    return torch.where(keep, x0, torch.randint_like(x0, labels))


def signals(schedule, t, device):
    """(alpha_bar(t-1), alpha_bar(t)/alpha_bar(t-1)) as [B,1,1,1,1] float32."""
    before, now = schedule[t - 1], schedule[t]
    return [v.float().to(device).view(-1, 1, 1, 1, 1) for v in (before, now / before)]


def synthesizer_loss_closed(logits, x0, xt, t, schedule, config, weight):
    """KL of the posteriors and cross-entropy. The uniform kernel makes each posterior a function
    of two values a voxel, so nothing larger than [B,K,D,H,W] appears."""
    labels = logits.shape[1]
    a, alpha = signals(schedule, t, logits.device)
    rest = (1 - alpha) / labels
    log_p0 = F.log_softmax(logits, 1)
    p0 = log_p0.exp()
    here, true = xt.long().unsqueeze(1), x0.long().unsqueeze(1)
    base = (1 - a) / labels
    z_here = a * (alpha + rest) + base  # Z_d for d = x_t
    z_other = a * rest + base           # and for all other d
    share = p0 / z_other
    share = share.scatter(1, here, p0.gather(1, here) / z_here)
    mixed = a * share + base * share.sum(1, keepdim=True)
    a_c = rest.expand_as(p0).scatter(1, here, (alpha + rest).expand(here.shape))
    log_model = (a_c * mixed).clamp_min(1e-30).log()
    z_true = torch.where(true == here, z_here, z_other)
    prior = base.expand_as(p0).scatter(1, true, (a + base).expand(true.shape))
    q = a_c * prior / z_true
    kl = (q * (q.clamp_min(1e-30).log() - log_model)).sum(1)
    cross_entropy = -log_p0.gather(1, true).squeeze(1)
    kl = torch.where((t == 1).to(kl.device).view(-1, 1, 1, 1), cross_entropy, kl)
    return (weight * (config["kl_weight"] * kl + config["ce_weight"] * cross_entropy)).mean()


def synthesizer_loss_naive(logits, x0, xt, t, schedule, config, weight):
    """The same loss the way categorical diffusion is usually written: a table [B,K,K,D,H,W] of
    q(x_{t-1}|x_t,x_0) for every x_0, contracted with p(x_0)."""
    labels = logits.shape[1]
    a, alpha = signals(schedule, t, logits.device)
    log_p0 = F.log_softmax(logits, 1)
    eye = torch.eye(labels, device=logits.device)
    step = alpha * F.one_hot(xt.long(), labels).permute(0, 4, 1, 2, 3) + (1 - alpha) / labels
    # prior[b,d,c]: q(x_{t-1} = c | x_0 = d)
    prior = a.view(-1, 1, 1) * eye + (1 - a.view(-1, 1, 1)) / labels
    table = prior[..., None, None, None] * step.unsqueeze(1)
    table = table / table.sum(2, keepdim=True)
    model = (table * log_p0.exp().unsqueeze(2)).sum(1)
    index = x0.long()[:, None, None].expand(-1, 1, labels, *x0.shape[1:])
    q = table.gather(1, index).squeeze(1)
    kl = (q * (q.clamp_min(1e-30).log() - model.clamp_min(1e-30).log())).sum(1)
    cross_entropy = F.nll_loss(log_p0, x0.long(), reduction="none")
    kl = torch.where((t == 1).to(kl.device).view(-1, 1, 1, 1), cross_entropy, kl)
    return (weight * (config["kl_weight"] * kl + config["ce_weight"] * cross_entropy)).mean()


SYNTHESIZER_LOSSES = {"closed": synthesizer_loss_closed, "naive": synthesizer_loss_naive}


def sample_step(logits, xt, before, now):
    """x_s from p(x_s|x_t) for alpha_bar(s) = before, alpha_bar(t) = now; the most likely at s=0."""
    if before == 1.0:
        return logits.argmax(1).to(xt.dtype)
    labels, a, alpha = logits.shape[1], before, now / before
    rest, base = (1 - alpha) / labels, (1 - a) / labels
    p0, here = logits.softmax(1), xt.long().unsqueeze(1)
    share = p0 / (a * rest + base)
    share = share.scatter(1, here, p0.gather(1, here) / (a * (alpha + rest) + base))
    mixed = a * share + base * share.sum(1, keepdim=True)
    posterior = mixed * rest
    posterior = posterior.scatter(1, here, mixed.gather(1, here) * (alpha + rest))
    # Inverting the distribution is several times faster here than torch.multinomial.
    total = posterior.cumsum(1)
    draw = torch.rand_like(total[:, :1]) * total[:, -1:]
    return (total < draw).sum(1).clamp_max(labels - 1).to(xt.dtype)


def autoencoder_loss(network, hu, mask):
    config, losses = network.config, network.config["losses"]
    mask = mask.int()
    drop = torch.rand(len(mask)) < config["mask_dropout"]
    mask[drop.to(mask.device)] = network.labels
    mean, log_variance = network.encode(hu)
    exposures, fused = network.decode(
        mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean), mask)
    with torch.autocast(hu.device.type, enabled=False):
        target = network.expose(hu)
        weights = torch.tensor(losses.get("exposure_weights") or [1.0] * exposures.shape[1])
        weights = weights.to(hu.device).view(1, -1, 1, 1, 1)
        l1 = ((exposures - target).abs() * weights).mean()
        fused_l1 = ((network.expose(fused) - target).abs() * weights).mean()
        center = 1023.5 + 2047.5 * (2 * torch.rand(()).item() - 1)
        half = 0.5 * 4095.0 * 0.5 * (0.1 + 1.9 * torch.rand(()).item())

        def view(x):
            return ((x - center) / half).clamp(-1.0, 1.0)

        window = (view(fused) - view(hu)).abs().mean()
        kl = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).mean()
        return (l1 + losses["fused_weight"] * fused_l1 + losses["window_weight"] * window +
                losses["kl_weight"] * kl)


def generator_loss(network, latents, text, mask, geometry):
    z = latents - network.latent_mean.view(1, -1, 1, 1, 1)
    z = z / network.latent_deviation.view(1, -1, 1, 1, 1)
    noise = torch.randn_like(z)
    t = torch.randn(len(z), device=z.device).sigmoid()
    noised = torch.lerp(z, noise, t.view(-1, 1, 1, 1, 1))
    return (network(noised, t, text, mask, geometry) - (noise - z)).square().mean()
