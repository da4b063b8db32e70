"""The parts of family sd15: a CLIP text encoder, a UNet with cross attention, an AutoencoderKL in two halves."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from . import ExportError
from .part import Config, Part, Port

Reference = Callable[..., tuple[torch.Tensor, ...]]


# ---- text encoder ----


class ClipText(nn.Module):
    """A CLIP text encoder whose mask, positions and pooling follow its input."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        facts = CLIPTextConfig(**config)
        self.text_model = CLIPTextModel(facts)
        self.heads, self.end = facts.num_attention_heads, facts.eos_token_id

    def forward(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """ids i64 [B, L] -> last [B, L, W] after the final norm, penultimate [B, L, W], pooled [B, W]."""
        model = self.text_model
        states = model.embeddings.token_embedding(ids) + model.embeddings.position_embedding.weight[:ids.shape[1]]
        penultimate = states
        for layer in model.encoder.layers:
            penultimate = states
            states = states + self._attention(layer.self_attn, layer.layer_norm1(states))
            states = states + layer.mlp(layer.layer_norm2(states))
        last = model.final_layer_norm(states)
        row = self._end_position(ids)[:, None, None].expand(-1, -1, last.shape[2])
        return last, penultimate, last.gather(1, row).squeeze(1)

    def _attention(self, attention: nn.Module, states: torch.Tensor) -> torch.Tensor:
        """Causal self attention, [B, L, W] -> [B, L, W]."""
        query, key, value = (projection(states).unflatten(-1, (self.heads, -1)).transpose(1, 2)
                             for projection in (attention.q_proj, attention.k_proj, attention.v_proj))
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        return attention.out_proj(mixed.transpose(1, 2).flatten(2))

    def _end_position(self, ids: torch.Tensor) -> torch.Tensor:
        """Where each prompt ends, [B]. Early configurations name token 2; their end token is the highest id."""
        return ids.argmax(1) if self.end == 2 else (ids == self.end).type_as(ids).argmax(1)


def text_ports(config: Config) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    states = ("batch", "tokens", config["hidden_size"])
    return ((Port("ids", "i64", ("batch", "tokens")),),
            (Port("last", "model", states), Port("penultimate", "model", states),
             Port("pooled", "model", ("batch", config["hidden_size"]))))


def text_reference(folder: Path, dtype: torch.dtype) -> Reference:
    model = CLIPTextModel.from_pretrained(folder, dtype=dtype).eval()

    def encode(ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
        output = model(ids, output_hidden_states=True)
        return output.last_hidden_state, output.hidden_states[-2], output.pooler_output

    return encode


def text_names(name: str) -> tuple[str, ...]:
    """Checkpoints written before transformers 5 have the level `text_model.`, later ones do not."""
    return name, name.removeprefix("text_model.")


# ---- denoiser ----


class Sinusoid(nn.Module):
    """Timestep embedding of Vaswani et al. (2017) with its frequencies in a buffer."""

    def __init__(self, width: int, cosine_first: bool, shift: float) -> None:
        super().__init__()
        steps = torch.arange(width // 2, dtype=torch.float32, device="cpu")
        self.register_buffer("frequencies", torch.exp(-math.log(10000) * steps / (width // 2 - shift)))
        self.cosine_first = cosine_first

    def forward(self, timestep: torch.Tensor) -> torch.Tensor:
        """timestep f32 [B] -> f32 [B, width]."""
        angle = timestep[:, None] * self.frequencies[None, :]
        waves = (angle.cos(), angle.sin()) if self.cosine_first else (angle.sin(), angle.cos())
        return torch.cat(waves, -1)


class Denoiser(nn.Module):
    """The UNet with positional arguments and a sinusoid that has no device constant."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        refuse_extras(config)
        self.unet = UNet2DConditionModel.from_config(config)
        self.unet.time_proj = Sinusoid(config["block_out_channels"][0], config.get("flip_sin_to_cos", True),
                                       config.get("freq_shift", 0))

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, context: torch.Tensor) -> tuple[torch.Tensor]:
        """sample [B, 4, h, w], timestep f32 [B], context [B, L, W] -> prediction [B, 4, h, w]."""
        return self.unet(sample, timestep, context, return_dict=False)


def refuse_extras(config: Config) -> None:
    """An sd15 denoiser takes a sample, a time and a context: configurations that want more are another family's."""
    wants = {"addition_embed_type": None, "class_embed_type": None, "num_class_embeds": None, "encoder_hid_dim": None,
             "time_cond_proj_dim": None, "time_embedding_type": "positional"}
    for key, plain in wants.items():
        if config.get(key, plain) != plain:
            raise ExportError(f"unet/config.json: {key} is {config[key]!r}, expected {plain!r}: this denoiser takes "
                              f"inputs that family sd15 does not have. Export a text-to-image model of that family.")


def denoiser_ports(config: Config) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    sample = ("batch", config["in_channels"], "height", "width")
    return ((Port("sample", "model", sample), Port("timestep", "f32", ("batch",)),
             Port("context", "model", ("batch", "tokens", config["cross_attention_dim"]))),
            (Port("prediction", "model", sample),))


def denoiser_reference(folder: Path, dtype: torch.dtype) -> Reference:
    model = UNet2DConditionModel.from_pretrained(folder, dtype=dtype).eval()
    return lambda sample, timestep, context: model(sample, timestep, context, return_dict=False)


def denoiser_names(name: str) -> tuple[str, ...]:
    return (name.removeprefix("unet."),)


# ---- autoencoder ----


class VaeDecoder(nn.Module):
    """post_quant_conv, where there is one, and the decoder."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        vae = AutoencoderKL.from_config(config)
        self.post_quant_conv, self.decoder = vae.post_quant_conv, vae.decoder

    def forward(self, latent: torch.Tensor) -> tuple[torch.Tensor]:
        """latent [B, 4, h, w] in raw VAE units -> picture [B, 3, 8h, 8w] in [-1, 1]."""
        return (self.decoder(latent if self.post_quant_conv is None else self.post_quant_conv(latent)),)


class VaeEncoder(nn.Module):
    """The encoder and, where there is one, quant_conv."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        vae = AutoencoderKL.from_config(config)
        self.quant_conv, self.encoder = vae.quant_conv, vae.encoder

    def forward(self, picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """picture [B, 3, H, W] in [-1, 1] -> mean and logvar, both [B, 4, H/8, W/8], in raw VAE units."""
        moments = self.encoder(picture)
        return (moments if self.quant_conv is None else self.quant_conv(moments)).chunk(2, 1)


def decoder_ports(config: Config) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    scale = downscale(config)
    return ((Port("latent", "model", ("batch", config["latent_channels"], "height", "width")),),
            (Port("picture", "model", ("batch", config["out_channels"], f"{scale}*height", f"{scale}*width")),))


def encoder_ports(config: Config) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    scale = downscale(config)
    latent = ("batch", config["latent_channels"], f"height/{scale}", f"width/{scale}")
    return ((Port("picture", "model", ("batch", config["in_channels"], "height", "width")),),
            (Port("mean", "model", latent), Port("logvar", "model", latent)))


def downscale(config: Config) -> int:
    """Picture pixels per latent cell, along one side."""
    return 2 ** (len(config["block_out_channels"]) - 1)


def decoder_reference(folder: Path, dtype: torch.dtype) -> Reference:
    model = AutoencoderKL.from_pretrained(folder, dtype=dtype).eval()
    return lambda latent: model.decode(latent, return_dict=False)


def encoder_reference(folder: Path, dtype: torch.dtype) -> Reference:
    model = AutoencoderKL.from_pretrained(folder, dtype=dtype).eval()

    def encode(picture: torch.Tensor) -> tuple[torch.Tensor, ...]:
        moments = model.encoder(picture)
        return (moments if model.quant_conv is None else model.quant_conv(moments)).chunk(2, 1)

    return encode


def vae_names(name: str) -> tuple[str, ...]:
    """Checkpoints of 2022 call the projections of the attention block query, key, value and proj_attn."""
    old = name
    for new_word, old_word in ((".to_q.", ".query."), (".to_k.", ".key."), (".to_v.", ".value."),
                               (".to_out.0.", ".proj_attn.")):
        old = old.replace(new_word, old_word)
    return name, old


PARTS = (
    Part("text_encoder", "text_encoder", "model", ClipText, text_ports, text_reference, text_names),
    Part("denoiser", "unet", "diffusion_pytorch_model", Denoiser, denoiser_ports, denoiser_reference, denoiser_names),
    Part("vae_decoder", "vae", "diffusion_pytorch_model", VaeDecoder, decoder_ports, decoder_reference, vae_names),
    Part("vae_encoder", "vae", "diffusion_pytorch_model", VaeEncoder, encoder_ports, encoder_reference, vae_names,
         cell=8, optional=True),
)
