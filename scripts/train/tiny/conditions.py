"""What a denoiser is told beside the noisy latent and the time: captions of scenes, through the frozen text encoders."""

from __future__ import annotations

import random
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from . import scenes
from .text import read_last, tokenize
from .training import device_of

EMPTY_SHARE = 0.1
Conditions = dict[str, Any]


def captions(chosen: list[scenes.Scene], numbers: torch.Generator) -> list[str]:
    """A fresh caption for each scene; one in ten is empty."""
    seeds = torch.randint(0, 2**31, (len(chosen),), generator=numbers).tolist()
    empty = torch.rand(len(chosen), generator=numbers) < EMPTY_SHARE
    return ["" if empty[i] else scenes.caption(scene, random.Random(seeds[i]))[0] for i, scene in enumerate(chosen)]


class Encoder:
    """A frozen text encoder and its tokenizer."""

    def __init__(self, model: nn.Module, tokenizer: PreTrainedTokenizerBase) -> None:
        self.model, self.tokenizer = model.eval().requires_grad_(False), tokenizer

    def ids(self, texts: list[str]) -> torch.Tensor:
        return tokenize(self.tokenizer, texts).to(device_of(self.model))


@torch.no_grad()
def sd15_conditions(encoders: list[Encoder], texts: list[str], latent: torch.Tensor,
                    numbers: torch.Generator) -> Conditions:
    """The states of one CLIP encoder, [B, 77, W]."""
    [clip] = encoders
    return {"encoder_hidden_states": read_last(clip.model, clip.ids(texts))[0]}


@torch.no_grad()
def sdxl_conditions(encoders: list[Encoder], texts: list[str], latent: torch.Tensor,
                    numbers: torch.Generator) -> Conditions:
    """The joined states of two CLIP encoders [B, 77, W1 + W2], the second's pooled vector, and the picture's sizes.

    An empty caption is nothing but zeros, as for the pipeline's empty negative prompt. Original size and crop are
    random: nothing in the pictures depends on them, and a user may set them to anything.
    """
    states = [read_penultimate_states(encoder, texts) for encoder in encoders]
    context = torch.cat([each for each, _ in states], 2)
    pooled = states[1][1]
    said = torch.tensor([bool(text) for text in texts], device=context.device)
    height, width = 8 * latent.shape[2], 8 * latent.shape[3]
    original = height * 2 ** torch.empty(len(texts), 1).uniform_(-1, 3, generator=numbers)
    crop = torch.rand(len(texts), 2, generator=numbers) * (torch.rand(len(texts), 1, generator=numbers) < 0.3) * height
    plain = torch.rand(len(texts), 1, generator=numbers) < 0.5
    target = torch.tensor([[height, width]]).expand(len(texts), 2)
    sizes = torch.cat([torch.where(plain, target, original.round()), torch.where(plain, 0.0, crop.round()), target], 1)
    return {"encoder_hidden_states": context * said[:, None, None],
            "added_cond_kwargs": {"text_embeds": pooled * said[:, None], "time_ids": sizes.to(context)}}


def read_penultimate_states(encoder: Encoder, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor | None]:
    output = encoder.model(input_ids=encoder.ids(texts), output_hidden_states=True)
    return output.hidden_states[-2], getattr(output, "text_embeds", None)


@torch.no_grad()
def flux_conditions(encoders: list[Encoder], texts: list[str], latent: torch.Tensor,
                    numbers: torch.Generator) -> Conditions:
    """CLIP's pooled vector, T5's states, and where every token stands."""
    clip, t5 = encoders
    states = read_last(t5.model, t5.ids(texts))[0]
    rows, columns = latent.shape[2] // 2, latent.shape[3] // 2
    places = torch.zeros(rows, columns, 3)
    places[..., 1], places[..., 2] = torch.arange(rows)[:, None], torch.arange(columns)[None]
    return {"pooled_projections": clip.model(input_ids=clip.ids(texts)).pooler_output, "encoder_hidden_states": states,
            "txt_ids": torch.zeros(states.shape[1], 3).to(states), "img_ids": places.flatten(0, 1).to(states)}


CONDITIONS = {"sd15": sd15_conditions, "sdxl": sdxl_conditions, "flux": flux_conditions}
