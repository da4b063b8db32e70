"""The text encoders of a tiny model, taught to say what a caption shows, then frozen.

Throw-away linear heads read every attribute of the scene from the hidden state at the end token and at one random
padding position behind it, so that all the states a denoiser attends to carry the caption's meaning; and from the
pooled vector, where a denoiser gets one of its own.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from transformers import (CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, PreTrainedModel,
                          PreTrainedTokenizerBase, T5Config, T5EncoderModel)

from . import scenes
from .training import device_of, generator, run_stage

Read = Callable[[nn.Module, torch.Tensor], tuple[torch.Tensor, torch.Tensor | None]]


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of text encoder: how to make one, and what denoisers read: ids [B, L] -> states [B, L, W], pooled [B, W]."""

    build: Callable[[dict, PreTrainedTokenizerBase], PreTrainedModel]
    read: Read


def clip_config(facts: dict, tokenizer: PreTrainedTokenizerBase) -> CLIPTextConfig:
    return CLIPTextConfig(**facts, vocab_size=len(tokenizer), bos_token_id=tokenizer.bos_token_id,
                          eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)


def t5_config(facts: dict, tokenizer: PreTrainedTokenizerBase) -> T5Config:
    return T5Config(**facts, vocab_size=len(tokenizer), eos_token_id=tokenizer.eos_token_id,
                    pad_token_id=tokenizer.pad_token_id)


def read_last(encoder: nn.Module, ids: torch.Tensor) -> tuple[torch.Tensor, None]:
    return encoder(input_ids=ids).last_hidden_state, None


def read_penultimate(encoder: nn.Module, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    output = encoder(input_ids=ids, output_hidden_states=True)
    return output.hidden_states[-2], output.text_embeds


KINDS = {
    "clip": Kind(lambda facts, tokenizer: CLIPTextModel(clip_config(facts, tokenizer)), read_last),
    "clip with projection": Kind(lambda facts, tokenizer: CLIPTextModelWithProjection(clip_config(facts, tokenizer)),
                                 read_penultimate),
    "t5": Kind(lambda facts, tokenizer: T5EncoderModel(t5_config(facts, tokenizer)), read_last),
}


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


def tokenize(tokenizer: PreTrainedTokenizerBase, captions: list[str], length: int | None = None) -> torch.Tensor:
    """Token ids [len(captions), length]."""
    return tokenizer(captions, padding="max_length", max_length=length or tokenizer.model_max_length, truncation=True,
                     return_tensors="pt").input_ids


class Reader(nn.Module):
    """The encoder with one linear head an attribute for the states, and another for the pooled vector."""

    def __init__(self, encoder: nn.Module, read: Read, width: int) -> None:
        super().__init__()
        self.encoder, self.read = encoder, read
        self.heads, self.pooled_heads = (
            nn.ModuleDict({name: nn.Linear(width, len(values)) for name, values in scenes.ATTRIBUTES.items()})
            for _ in range(2))

    def forward(self, ids: torch.Tensor, places: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        """ids [B, L], places of [B] -> logits of every attribute [B, classes] at each place, then those of pooled."""
        states, pooled = self.read(self.encoder, ids)
        rows = torch.arange(len(ids), device=ids.device)
        answers = [{name: head(states[rows, place]) for name, head in self.heads.items()} for place in places]
        if pooled is not None:
            answers.append({name: head(pooled) for name, head in self.pooled_heads.items()})
        return answers


def positions(ids: torch.Tensor, end: int, numbers: torch.Generator | None) -> torch.Tensor:
    """The first end token's place, or with `numbers` a random place from it to the last, [B]."""
    first = (ids == end).int().argmax(1)
    if numbers is None:
        return first
    room = ids.shape[1] - first
    return first + (torch.rand(len(ids), generator=numbers) * room).long().clamp(max=ids.shape[1] - 1)


def train(kind: Kind, facts: dict[str, Any], tokenizer: PreTrainedTokenizerBase, folder: Path, *, name: str,
          steps: int, seed: int, width: int, device: torch.device, muon: bool = False,
          batch: int = 48) -> PreTrainedModel:
    """Trains an encoder of `width` on the attributes and returns it without its heads."""
    torch.manual_seed(seed)
    reader = Reader(kind.build(facts, tokenizer), kind.read, width).to(device)

    def loss_of(step: int) -> torch.Tensor:
        numbers = generator(seed, name, step)
        captions, targets = sample_captions(batch, numbers)
        ids = tokenize(tokenizer, captions, tokenizer.model_max_length if step % 4 == 0 else 48)
        places = [positions(ids, tokenizer.eos_token_id, None), positions(ids, tokenizer.eos_token_id, numbers)]
        answers = reader(ids.to(device), [place.to(device) for place in places])
        losses = [F.cross_entropy(logits[attribute], targets[attribute].to(device), ignore_index=-1, reduction="sum")
                  for logits in answers for attribute in logits]
        return sum(losses) / batch / len(answers)

    trained = run_stage(name, reader, loss_of, steps=steps, peak=1.5e-3, warmup=100, decay=0.99, folder=folder,
                        muon=muon, bf16=False)
    report(trained, tokenizer, name)
    return trained.encoder


@torch.no_grad()
def report(reader: Reader, tokenizer: PreTrainedTokenizerBase, name: str) -> None:
    """Prints each attribute's accuracy on fresh captions, at the end token and, where there is one, in the pooled."""
    captions, targets = sample_captions(600, generator(0, "text held out", 0))
    ids = tokenize(tokenizer, captions)
    device = device_of(reader)
    answers = reader.eval()(ids.to(device), [positions(ids, tokenizer.eos_token_id, None).to(device)])
    for where, logits in zip(("end token", "pooled"), answers):
        shares = []
        for attribute, target in targets.items():
            said = target >= 0
            right = (logits[attribute].cpu().argmax(1) == target)[said].float().mean()
            shares.append(f"{attribute} {float(right):.2f}")
        print(f"{name}, {where}, held out:", ", ".join(shares), flush=True)
