"""The encoder of a T5 (version 1.1) text model."""

from __future__ import annotations

import math
import torch
import torch.nn.functional as F
from torch import nn
from transformers import T5Config, T5EncoderModel

from . import ExportError
from .part import Config, Part, Port, Reference


class T5Text(nn.Module):
    """A T5 encoder without a mask: every token attends to every token, padding included, as Flux wants it."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.facts = T5Config(**config)
        if not self.facts.is_gated_act:
            raise ExportError(f"text_encoder_2/config.json: feed_forward_proj is {config.get('feed_forward_proj')!r}, "
                              f"expected a gated one, as T5 version 1.1 has it. This is another kind of T5.")
        model = T5EncoderModel(self.facts)
        self.shared, self.encoder = model.shared, model.encoder
        del self.encoder.embed_tokens  # another name of `shared`
        self.register_buffer("single", torch.ones((), dtype=torch.float32, device="cpu"))  # what float32 casts follow

    def forward(self, ids: torch.Tensor) -> tuple[torch.Tensor]:
        """ids i64 [B, L] -> last [B, L, W] after the final norm."""
        states, bias = self.shared(ids), self._position_bias(ids)
        for block in self.encoder.block:
            attention, dense = block.layer
            states = states + self._attention(attention.SelfAttention, self._norm(attention.layer_norm, states), bias)
            states = states + dense.DenseReluDense(self._norm(dense.layer_norm, states))
        return (self._norm(self.encoder.final_layer_norm, states),)

    def _norm(self, norm: nn.Module, states: torch.Tensor) -> torch.Tensor:
        """Root mean square norm, its mean taken in float32."""
        variance = states.type_as(self.single).pow(2).mean(-1, keepdim=True)
        return norm.weight * (states * torch.rsqrt(variance + norm.variance_epsilon)).type_as(norm.weight)

    def _attention(self, attention: nn.Module, states: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Unscaled self attention, [B, L, W] -> [B, L, W]."""
        query, key, value = (projection(states).unflatten(-1, (self.facts.num_heads, -1)).transpose(1, 2)
                             for projection in (attention.q, attention.k, attention.v))
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=1.0)
        return attention.o(mixed.transpose(1, 2).flatten(2))

    def _position_bias(self, ids: torch.Tensor) -> torch.Tensor:
        """What the distance of two tokens adds to their score, [1, heads, L, L] (Raffel et al. 2020, section 2.1)."""
        places = torch.ones_like(ids[0]).cumsum(0)
        offset = places[None, :] - places[:, None]
        half = self.facts.relative_attention_num_buckets // 2
        exact, reach = half // 2, self.facts.relative_attention_max_distance
        distance = offset.abs()
        far = torch.log(distance.clamp(min=1).type_as(self.single) / exact) / math.log(reach / exact) * (half - exact)
        bucket = torch.where(distance < exact, distance, (exact + far.type_as(ids)).clamp(max=half - 1))
        table = self.encoder.block[0].layer[0].SelfAttention.relative_attention_bias
        return table((offset > 0) * half + bucket).permute(2, 0, 1)[None]


def ports(config: Config) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    return ((Port("ids", "i64", ("batch", "tokens")),),
            (Port("last", "model", ("batch", "tokens", config["d_model"])),))


def eager(config: Config) -> type[nn.Module]:
    return T5EncoderModel


def reference(model: nn.Module) -> Reference:
    return lambda ids: (model(ids).last_hidden_state,)


def names(name: str) -> tuple[str, ...]:
    """Some checkpoints have the embedding under its other name."""
    return name, name.replace("shared.", "encoder.embed_tokens.")


def part(folder: str) -> Part:
    """The part of a T5 encoder in `folder`, which is its name too."""
    return Part(folder, folder, "model", T5Text, ports, eager, reference, names)
