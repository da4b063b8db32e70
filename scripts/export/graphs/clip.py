"""A CLIP text encoder, with and without a projection of what it pools."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from .part import Config, Part, Port, Reference


class ClipText(nn.Module):
    """A CLIP text encoder whose mask, positions and pooling follow its input."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        facts = CLIPTextConfig(**config)
        self.text_model = CLIPTextModel(facts)
        self.text_projection = (nn.Linear(facts.hidden_size, facts.projection_dim, bias=False)
                                if has_projection(config) else nn.Identity())
        self.heads, self.end = facts.num_attention_heads, facts.eos_token_id

    def forward(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """ids i64 [B, L] -> states [layers + 1, B, L, W]: the embeddings, then what each layer makes of them; normed,
        the final norm of each; pooled [B, P], the normed end token of the last, projected where there is a projection.
        """
        model = self.text_model
        state = model.embeddings.token_embedding(ids) + model.embeddings.position_embedding.weight[:ids.shape[1]]
        states = [state]
        for layer in model.encoder.layers:
            state = state + self._attention(layer.self_attn, layer.layer_norm1(state))
            state = state + layer.mlp(layer.layer_norm2(state))
            states.append(state)
        normed = [model.final_layer_norm(state) for state in states]
        row = self._end_position(ids)[:, None, None].expand(-1, -1, state.shape[2])
        return torch.stack(states), torch.stack(normed), self.text_projection(normed[-1].gather(1, row).squeeze(1))

    def _attention(self, attention: nn.Module, states: torch.Tensor) -> torch.Tensor:
        """Causal self attention, [B, L, W] -> [B, L, W]."""
        query, key, value = (projection(states).unflatten(-1, (self.heads, -1)).transpose(1, 2)
                             for projection in (attention.q_proj, attention.k_proj, attention.v_proj))
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        return attention.out_proj(mixed.transpose(1, 2).flatten(2))

    def _end_position(self, ids: torch.Tensor) -> torch.Tensor:
        """Where each prompt ends, [B]. Early configurations name token 2; their end token is the highest id."""
        return ids.argmax(1) if self.end == 2 else (ids == self.end).type_as(ids).argmax(1)


def has_projection(config: Config) -> bool:
    """Whether the checkpoint projects what it pools. `projection_dim` does not tell: others have it too."""
    return "CLIPTextModelWithProjection" in config.get("architectures", ())


def ports(config: Config) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    width = config["hidden_size"]
    states = (config["num_hidden_layers"] + 1, "batch", "tokens", width)
    pooled = config["projection_dim"] if has_projection(config) else width
    return ((Port("ids", "i64", ("batch", "tokens")),),
            (Port("states", "model", states), Port("normed", "model", states),
             Port("pooled", "model", ("batch", pooled))))


def eager(config: Config) -> type[nn.Module]:
    return CLIPTextModelWithProjection if has_projection(config) else CLIPTextModel


def reference(model: nn.Module) -> Reference:
    projects = isinstance(model, CLIPTextModelWithProjection)
    norm = model.text_model.final_layer_norm if projects else model.final_layer_norm

    def encode(ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
        output = model(ids, output_hidden_states=True)
        states = torch.stack(output.hidden_states)
        normed = torch.stack([*map(norm, output.hidden_states[:-1]), output.last_hidden_state])
        return states, normed, output.text_embeds if projects else output.pooler_output

    return encode


def names(name: str) -> tuple[str, ...]:
    """Checkpoints written before transformers 5 have the level `text_model.`, later ones do not."""
    return name, name.removeprefix("text_model.")


def part(folder: str) -> Part:
    """The part of a text encoder in `folder`, which is its name too."""
    return Part(folder, folder, "model", ClipText, ports, eager, reference, names)
