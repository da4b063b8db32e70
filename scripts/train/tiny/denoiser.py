"""How denoisers learn: the errors they are judged by, and the walk over a phase."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from . import scenes
from .conditions import Conditions, captions
from .training import device_of, generator, learning_rate, run_stage
from .transformer import pack

Conditioner = Callable[[list[str], torch.Tensor, torch.Generator], Conditions]
Objective = Callable[[nn.Module, torch.Tensor, Conditioner, list[str], torch.Generator], torch.Tensor]


def alphas_cumprod(steps: int = 1000, start: float = 0.00085, end: float = 0.012) -> torch.Tensor:
    """Share of the picture's variance left at each training step (scaled-linear betas), [steps]."""
    betas = torch.linspace(start**0.5, end**0.5, steps, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0).float()


def stratified(count: int, numbers: torch.Generator) -> torch.Tensor:
    """One random number from each of `count` equal parts of (0, 1), [count]."""
    return (torch.arange(count) + torch.rand(count, generator=numbers)) / count


def noise_error(unet: nn.Module, x0: torch.Tensor, conditioner: Conditioner, texts: list[str],
                numbers: torch.Generator) -> torch.Tensor:
    """The error of v, for a network that predicts the noise.

    The error of v is that of the noise divided by alpha: it asks for a right picture at strong noise, where the error
    of the noise alone would not see a wrong brightness, and for right details at weak noise.
    """
    t = (stratified(len(x0), numbers) * 1000).long().clamp(max=999)
    a = alphas_cumprod()[t][:, None, None, None].to(x0)
    noise = torch.randn(x0.shape, generator=numbers).to(x0)
    conditions = conditioner(texts, x0, numbers)
    predicted = unet(a.sqrt() * x0 + (1 - a).sqrt() * noise, t.to(x0.device), **conditions).sample
    return ((predicted.float() - noise).square() / a).mean()


def flow_sigmas(count: int, numbers: torch.Generator) -> torch.Tensor:
    """Logit-normal noise levels, more of them strong than weak, and 15 % uniform ones, [count] (Esser et al. 2024)."""
    uniform = stratified(count, numbers)
    normal = torch.special.ndtri(uniform.clamp(1e-4, 1 - 1e-4))
    plain = torch.rand(count, generator=numbers) < 0.15
    return torch.where(plain, torch.rand(count, generator=numbers), torch.sigmoid(0.6 + normal))


def velocity_error(transformer: nn.Module, x0: torch.Tensor, conditioner: Conditioner, texts: list[str],
                   numbers: torch.Generator) -> torch.Tensor:
    """The error of the velocity n - x0 at guidance 1 (Lipman et al. 2023, "Flow Matching for Generative Modeling")."""
    sigma = flow_sigmas(len(x0), numbers).to(x0)
    noise = torch.randn(x0.shape, generator=numbers).to(x0)
    x = x0.lerp(noise, sigma[:, None, None, None])
    predicted = transformer(hidden_states=pack(x), timestep=sigma, guidance=torch.ones_like(sigma),
                            **conditioner(texts, x0, numbers)).sample
    return (predicted.float() - pack(noise - x0)).square().mean()


def distilling(teacher: nn.Module, low: float = 1.0, high: float = 5.0) -> Objective:
    """The error against a frozen teacher's guided velocity, for a network that is told the scale of guidance: one call
    a step then does the work of two (Meng et al. 2023, "On Distillation of Guided Diffusion Models", section 3.1)."""
    teacher = teacher.eval().requires_grad_(False)

    def error(transformer: nn.Module, x0: torch.Tensor, conditioner: Conditioner, texts: list[str],
              numbers: torch.Generator) -> torch.Tensor:
        sigma = flow_sigmas(len(x0), numbers).to(x0)
        guidance = low + (high - low) * torch.rand(len(x0), generator=numbers).to(x0)
        noise = torch.randn(x0.shape, generator=numbers).to(x0)
        x = pack(x0.lerp(noise, sigma[:, None, None, None]))
        conditions = conditioner(texts, x0, numbers)
        with torch.no_grad():
            ones = torch.ones_like(sigma)
            with_text = teacher(hidden_states=x, timestep=sigma, guidance=ones, **conditions).sample
            without = teacher(hidden_states=x, timestep=sigma, guidance=ones,
                              **conditioner([""] * len(x0), x0, numbers)).sample
            target = without + guidance[:, None, None] * (with_text - without)
        predicted = transformer(hidden_states=x, timestep=sigma, guidance=guidance, **conditions).sample
        return (predicted.float() - target.float()).square().mean()

    return error


@dataclasses.dataclass(frozen=True)
class Bucket:
    """Scenes of one picture size: their latents [N, C, h, w] in model units, of scenes first..., and the share of the
    batches that come from here."""

    first: int
    latents: torch.Tensor
    share: float

    def count(self, batch: int) -> int:
        """As many of these as make `batch` pictures of 256 x 256, but at most twice that number."""
        cells = self.latents.shape[2] * self.latents.shape[3]
        return max(4, min(2 * batch, round(batch * 32 * 32 / cells)))


def train(model: nn.Module, objective: Objective, conditioner: Conditioner, buckets: list[Bucket], folder: Path, *,
          name: str, steps: int, seed: int, batch: int, peak: float, decays: bool, muon: bool = False,
          on_save: Callable[[nn.Module, int], None] | None = None) -> nn.Module:
    """Trains on one bucket after the other, as chance and their shares will, with a fresh caption each time."""
    device, shares = device_of(model), torch.tensor([bucket.share for bucket in buckets])

    def loss_of(step: int) -> torch.Tensor:
        numbers = generator(seed, name, step)
        bucket = buckets[int(torch.multinomial(shares, 1, generator=numbers))]
        index = torch.randint(len(bucket.latents), (bucket.count(batch),), generator=numbers)
        x0 = bucket.latents[index].float().to(device)
        texts = captions([scenes.random_scene(bucket.first + i) for i in index.tolist()], numbers)
        return objective(model, x0, conditioner, texts, numbers)

    def rate(step: int) -> float:
        return learning_rate(step, steps, peak, 200) if decays else peak * min(1, (step + 1) / 200)

    return run_stage(name, model, loss_of, steps=steps, peak=peak, rate=rate, decay=0.999, folder=folder,
                     on_save=on_save, muon=muon)
