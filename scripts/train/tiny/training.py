"""What every stage of training shares: a resumable loop, a learning-rate curve, a moving average of the weights.

A stage draws its numbers from `generator(seed, stage, step)`, so a run that was stopped goes on exactly as an unbroken
one would: only weights, average and optimiser are kept.
"""

from __future__ import annotations

import contextlib
import copy
import json
import math
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn


FIRST_LOSSES = 8  # how many of a stage's losses are kept, to tell whether it repeats


def generator(seed: int, stage: str, step: int) -> torch.Generator:
    """The random numbers of one step of one stage."""
    return torch.Generator().manual_seed(zlib.crc32(f"{seed} {stage} {step}".encode()))


def device_of(module: nn.Module) -> torch.device:
    """Where a module's parameters are. Random numbers are drawn on the CPU, so that a run is the same on any device."""
    return next(module.parameters()).device


def learning_rate(step: int, steps: int, peak: float, warmup: int) -> float:
    """Linear warm-up, flat until 40 % of the run, then half a cosine to 0."""
    if step < warmup:
        return peak * (step + 1) / warmup
    share = max(0.0, (step / steps - 0.4) / 0.6)
    return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def bf16_where_native(device: torch.device) -> contextlib.AbstractContextManager:
    """Matrix products in bfloat16 where the device multiplies it natively, else all as it is. Weights stay in fp32."""
    native = device.type == "cuda" or torch.cpu.get_capabilities().get("avx512_bf16", False)
    return torch.autocast(device.type, torch.bfloat16) if native else contextlib.nullcontext()


class Average(nn.Module):
    """Exponential moving average of a module's parameters, with a short memory at the start."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        super().__init__()
        self.module = copy.deepcopy(module).requires_grad_(False).eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        for mean, value in zip(self.module.parameters(), module.parameters()):
            mean.lerp_(value, 1 - decay)


class Muon(torch.optim.Optimizer):
    """Momentum whose matrices are made orthogonal before they are applied (Jordan et al. 2024, "Muon: An optimizer for
    hidden layers in neural networks"), at a rate that makes updates as large as Adam's (Liu et al. 2025, "Muon is
    Scalable for LLM Training", section 2.2). torch's own works in bfloat16, which most CPUs have not."""

    def __init__(self, parameters: list[nn.Parameter], lr: float, momentum: float = 0.95) -> None:
        super().__init__(parameters, dict(lr=lr, momentum=momentum))

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                mean = state.setdefault("mean", torch.zeros_like(parameter))
                mean.lerp_(parameter.grad, 1 - group["momentum"])
                update = orthogonal(parameter.grad.lerp(mean, group["momentum"]))
                parameter.add_(update, alpha=-group["lr"] * 0.2 * max(parameter.shape) ** 0.5)


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """Nearly the orthogonal factor of `matrix` [m, n]: five steps of Jordan's quintic Newton-Schulz iteration."""
    x = matrix / (matrix.norm() + 1e-7)
    x = x.T if x.shape[0] > x.shape[1] else x
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


def optimisers_of(module: nn.Module, peak: float, betas: tuple[float, float], weight_decay: float,
                  muon: bool) -> list[torch.optim.Optimizer]:
    """AdamW; or with `muon` Muon for the matrices of the blocks, and AdamW for the rest."""
    named = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    hidden = [p for name, p in named if muon and p.ndim == 2 and "block" in name and "bias" not in name]
    kept = {id(p) for p in hidden}
    adam = torch.optim.AdamW([p for _, p in named if id(p) not in kept], lr=peak, betas=betas,
                             weight_decay=weight_decay, fused=True)
    return [adam, Muon(hidden, peak)] if hidden else [adam]


class Progress:
    """A progress bar on a terminal, one line every 30 seconds elsewhere. Both on stderr."""

    def __init__(self, name: str, steps: int, first: int) -> None:
        self.name, self.steps, self.first = name, steps, first
        self.start, self.last = time.time(), 0.0
        self.tty = sys.stderr.isatty()
        self.mean: float | None = None

    def update(self, step: int, loss: float) -> None:
        self.mean = loss if self.mean is None else 0.98 * self.mean + 0.02 * loss
        now, done = time.time(), step + 1
        if now - self.last < (0.5 if self.tty else 30) and done < self.steps:
            return
        self.last = now
        each = (now - self.start) / max(1, done - self.first)
        left = each * (self.steps - done) / 60
        text = f"{self.name} {done}/{self.steps}  loss {self.mean:.4f}  {each:.3f} s/step  {left:.1f} min left"
        print(f"\r{text}\x1b[K" if self.tty else text, end="" if self.tty and done < self.steps else "\n",
              file=sys.stderr, flush=True)


def keep_losses(folder: Path, stage: str, losses: list[float]) -> None:
    """Adds a stage's first losses to folder/losses.json."""
    file = folder / "losses.json"
    kept = json.loads(file.read_text("utf-8")) if file.exists() else {}
    file.write_text(json.dumps(kept | {stage: losses}, indent=1) + "\n", encoding="utf-8")


def run_stage(name: str, module: nn.Module, loss_of: Callable[[int], torch.Tensor], *, steps: int, peak: float,
              folder: Path, warmup: int = 200, decay: float = 0.999, betas: tuple[float, float] = (0.9, 0.99),
              weight_decay: float = 0.0, save_every: float = 600.0, rate: Callable[[int], float] | None = None,
              on_save: Callable[[nn.Module, int], None] | None = None, muon: bool = False,
              bf16: bool = True) -> nn.Module:
    """Trains `module` for `steps` steps of `loss_of(step)` and returns its average. Goes on from `folder/name.pt`.
    With `bf16` losses are computed as `bf16_where_native` does."""
    rate = rate or (lambda step: learning_rate(step, steps, peak, warmup))
    parameters = [p for p in module.parameters() if p.requires_grad]
    optimisers = optimisers_of(module, peak, betas, weight_decay, muon)
    average = Average(module, decay)
    file, first = folder / f"{name}.pt", 0
    if file.exists():
        state = torch.load(file, map_location=device_of(module))
        module.load_state_dict(state["module"])
        average.module.load_state_dict(state["average"])
        for optimiser, kept in zip(optimisers, state["optimisers"]):
            optimiser.load_state_dict(kept)
        first = state["step"]

    def save(step: int) -> None:
        state = dict(module=module.state_dict(), average=average.module.state_dict(),
                     optimisers=[optimiser.state_dict() for optimiser in optimisers], step=step)
        torch.save(state, file.with_suffix(".tmp"))
        file.with_suffix(".tmp").rename(file)
        if on_save:
            on_save(average.module, step)

    progress, saved, first_losses = Progress(name, steps, first), time.time(), []
    module.train()
    for step in range(first, steps):
        for group in (group for optimiser in optimisers for group in optimiser.param_groups):
            group["lr"] = rate(step)
        with bf16_where_native(device_of(module)) if bf16 else contextlib.nullcontext():
            loss = loss_of(step)
        module.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimiser in optimisers:
            optimiser.step()
        average.update(module, step)
        progress.update(step, float(loss.detach()))
        if step < FIRST_LOSSES:
            first_losses.append(float(loss.detach()))
        if step + 1 == min(FIRST_LOSSES, steps):
            keep_losses(folder, name, first_losses)
        if time.time() - saved > save_every or step + 1 == steps:
            save(step + 1)
            saved = time.time()
    return average.module
