"""An AutoencoderKL as two parts: its decoder and its encoder."""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL
from torch import nn

from .part import Config, Part, Port, Reference


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


def eager(config: Config) -> type[nn.Module]:
    return AutoencoderKL


def decoder_reference(model: nn.Module) -> Reference:
    return lambda latent: model.decode(latent, return_dict=False)


def encoder_reference(model: nn.Module) -> Reference:
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
    Part("vae_decoder", "vae", "diffusion_pytorch_model", VaeDecoder, decoder_ports, eager, decoder_reference,
         vae_names),
    Part("vae_encoder", "vae", "diffusion_pytorch_model", VaeEncoder, encoder_ports, eager, encoder_reference,
         vae_names, cell=8, optional=True),
)
