"""The text encoder of a tiny model: a CLIP text transformer taught to say what a caption shows, then frozen.

A throw-away linear head reads every attribute of the scene from the hidden state at the end token and at one random
padding position behind it, so that all the states a denoiser attends to carry the caption's meaning.
"""

from __future__ import annotations

import random
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from . import scenes
from .training import device_of, generator, run_stage


def sample_captions(count: int, numbers: torch.Generator) -> tuple[list[str], dict[str, torch.Tensor]]:
    """`count` captions of random scenes and, for each attribute, its classes [count] (-1: absent or left unsaid)."""
    captions, targets = [], {name: [] for name in scenes.ATTRIBUTES}
    for seed in torch.randint(0, 1_000_000_000, (count,), generator=numbers).tolist():
        scene = scenes.random_scene(seed)
        text, unsaid = scenes.caption(scene, random.Random(f"caption {seed}"))
        captions.append(text)
        for name, value in scenes.attributes(scene).items():
            targets[name].append(-1 if name in unsaid else value)
    return captions, {name: torch.tensor(values) for name, values in targets.items()}


def tokenize(tokenizer: CLIPTokenizer, captions: list[str], length: int | None = None) -> torch.Tensor:
    """Token ids [len(captions), length]."""
    return tokenizer(captions, padding="max_length", max_length=length or tokenizer.model_max_length, truncation=True,
                     return_tensors="pt").input_ids


class Reader(nn.Module):
    """The encoder with one linear head an attribute."""

    def __init__(self, encoder: CLIPTextModel, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.heads = nn.ModuleDict({name: nn.Linear(width, len(values)) for name, values in scenes.ATTRIBUTES.items()})

    def forward(self, ids: torch.Tensor, position: torch.Tensor) -> dict[str, torch.Tensor]:
        """ids [B, L], position [B] -> logits of every attribute [B, classes], read at that position."""
        state = self.encoder(input_ids=ids).last_hidden_state
        chosen = state[torch.arange(len(ids), device=ids.device), position]
        return {name: head(chosen) for name, head in self.heads.items()}


def positions(ids: torch.Tensor, end: int, numbers: torch.Generator | None) -> torch.Tensor:
    """The first end token's place, or with `numbers` a random place from it to the last, [B]."""
    first = (ids == end).int().argmax(1)
    if numbers is None:
        return first
    room = ids.shape[1] - first
    return first + (torch.rand(len(ids), generator=numbers) * room).long().clamp(max=ids.shape[1] - 1)


def train(config: dict, tokenizer: CLIPTokenizer, folder: Path, *, steps: int, seed: int,
          device: torch.device, batch: int = 48) -> CLIPTextModel:
    """Trains the encoder on the attributes and returns it without its heads."""
    torch.manual_seed(seed)
    encoder = CLIPTextModel(CLIPTextConfig(**config, vocab_size=len(tokenizer), bos_token_id=tokenizer.bos_token_id,
                                           eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id))
    reader = Reader(encoder, config["hidden_size"]).to(device)

    def loss_of(step: int) -> torch.Tensor:
        numbers = generator(seed, "text", step)
        captions, targets = sample_captions(batch, numbers)
        ids = tokenize(tokenizer, captions, 77 if step % 4 == 0 else 44)
        losses = []
        for place in (positions(ids, tokenizer.eos_token_id, None), positions(ids, tokenizer.eos_token_id, numbers)):
            logits = reader(ids.to(device), place.to(device))
            losses += [F.cross_entropy(logits[name], targets[name].to(device), ignore_index=-1, reduction="sum") / batch
                       for name in logits]
        return sum(losses) / 2

    trained = run_stage("text", reader, loss_of, steps=steps, peak=1.5e-3, warmup=100, decay=0.99, folder=folder)
    report(trained, tokenizer)
    return trained.encoder


@torch.no_grad()
def report(reader: Reader, tokenizer: CLIPTokenizer) -> None:
    """Prints each attribute's accuracy on fresh captions, at the end token."""
    captions, targets = sample_captions(600, generator(0, "text held out", 0))
    ids = tokenize(tokenizer, captions)
    place = positions(ids, tokenizer.eos_token_id, None)
    device = device_of(reader)
    logits = {name: values.cpu() for name, values in reader.eval()(ids.to(device), place.to(device)).items()}
    shares = []
    for name, target in targets.items():
        said = target >= 0
        right = (logits[name].argmax(1) == target)[said].float().mean()
        shares.append(f"{name} {float(right):.2f}")
    print("text, held out:", ", ".join(shares), flush=True)
