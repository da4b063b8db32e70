"""The published architectures whose graphs lie in models/graphs, each with its configuration and where that stands.

A configuration is written out here, so that no checkpoint is needed to trace its graph; what the published model counts
(tensors, parameters) is written beside it, and the export fails where the two disagree. Keys that choose nothing in the
graph (sample_size, scaling_factor, dropout) are left out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import torch

from . import ExportError, clip, flux, t5, unet, vae
from .part import Config, Part, Sizes

Case = tuple[torch.dtype, Sizes]
FP32, BF16 = torch.float32, torch.bfloat16


def case(dtype: torch.dtype, batch: int, width: int, height: int, tokens: int = 77) -> Case:
    return dtype, {"batch": batch, "height": height, "width": width, "tokens": tokens}


@dataclasses.dataclass(frozen=True)
class Architecture:
    """One graph of models/graphs."""

    name: str
    part: Part
    config: Config
    source: str  # where the configuration is published
    tensors: int
    parameters: int
    cases: tuple[Case, ...]  # what --check compares


UNET = dict(
    act_fn="silu", center_input_sample=False, downsample_padding=1, flip_sin_to_cos=True, freq_shift=0, in_channels=4,
    layers_per_block=2, mid_block_scale_factor=1, norm_eps=1e-5, norm_num_groups=32, out_channels=4)
SD15_UNET = UNET | dict(
    attention_head_dim=8, block_out_channels=[320, 640, 1280, 1280], cross_attention_dim=768,
    down_block_types=["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
    up_block_types=["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"])
SDXL_UNET = UNET | dict(
    addition_embed_type="text_time", addition_time_embed_dim=256, attention_head_dim=[5, 10, 20],
    block_out_channels=[320, 640, 1280], cross_attention_dim=2048, projection_class_embeddings_input_dim=2816,
    transformer_layers_per_block=[1, 2, 10], use_linear_projection=True,
    down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"])
REFINER_UNET = SDXL_UNET | dict(
    attention_head_dim=[6, 12, 24, 24], block_out_channels=[384, 768, 1536, 1536], cross_attention_dim=1280,
    projection_class_embeddings_input_dim=2560, transformer_layers_per_block=4,
    down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
    up_block_types=["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"])
FLUX = dict(
    attention_head_dim=128, axes_dims_rope=[16, 56, 56], guidance_embeds=True, in_channels=64, joint_attention_dim=4096,
    num_attention_heads=24, num_layers=19, num_single_layers=38, patch_size=1, pooled_projection_dim=768)
SD_VAE = dict(
    act_fn="silu", block_out_channels=[128, 256, 512, 512], down_block_types=["DownEncoderBlock2D"] * 4, in_channels=3,
    latent_channels=4, layers_per_block=2, norm_num_groups=32, out_channels=3, up_block_types=["UpDecoderBlock2D"] * 4)
FLUX_VAE = SD_VAE | dict(latent_channels=16, mid_block_add_attention=True, use_post_quant_conv=False,
                         use_quant_conv=False)
CLIP_TEXT = dict(bos_token_id=0, eos_token_id=2, layer_norm_eps=1e-5, max_position_embeddings=77, pad_token_id=1,
                 vocab_size=49408)
CLIP_L = CLIP_TEXT | dict(
    architectures=["CLIPTextModel"], hidden_act="quick_gelu", hidden_size=768, intermediate_size=3072,
    num_attention_heads=12, num_hidden_layers=12, projection_dim=768)
CLIP_G = CLIP_TEXT | dict(
    architectures=["CLIPTextModelWithProjection"], hidden_act="gelu", hidden_size=1280, intermediate_size=5120,
    num_attention_heads=20, num_hidden_layers=32, projection_dim=1280)
T5_XXL = dict(
    d_ff=10240, d_kv=64, d_model=4096, feed_forward_proj="gated-gelu", is_encoder_decoder=True, layer_norm_epsilon=1e-6,
    num_decoder_layers=24, num_heads=64, num_layers=24, relative_attention_max_distance=128,
    relative_attention_num_buckets=32, tie_word_embeddings=False, vocab_size=32128)

VAE_DECODER, VAE_ENCODER = vae.PARTS
TEXT, T5_TEXT = clip.part("text_encoder"), t5.part("text_encoder")

UNET_CASES = (case(FP32, 1, 64, 64), case(FP32, 2, 24, 13), case(BF16, 1, 64, 64))
SDXL_CASES = (case(FP32, 1, 64, 64), case(FP32, 2, 24, 13, 154), case(BF16, 1, 64, 64))
VAE_CASES = (case(FP32, 1, 32, 32), case(FP32, 2, 11, 6), case(BF16, 1, 32, 32))
TEXT_CASES = (case(FP32, 1, 0, 0), case(FP32, 3, 0, 0, 30), case(BF16, 1, 0, 0))
FLUX_CASES = (case(FP32, 1, 8, 6, 24), case(BF16, 2, 9, 16, 77))
T5_CASES = (case(FP32, 1, 0, 0, 64), case(BF16, 1, 0, 0, 512), case(BF16, 3, 0, 0, 30))

ARCHITECTURES = (
    Architecture("sd15-unet", unet.PART, SD15_UNET, "runwayml/stable-diffusion-v1-5, unet/config.json", 686,
                 859_520_964, UNET_CASES),
    Architecture("sd15-inpaint-unet", unet.PART, SD15_UNET | dict(in_channels=9),
                 "runwayml/stable-diffusion-inpainting, unet/config.json", 686, 859_535_364, UNET_CASES[1:]),
    Architecture("sdxl-unet", unet.ADDED_PART, SDXL_UNET, "stabilityai/stable-diffusion-xl-base-1.0, unet/config.json",
                 1680, 2_567_463_684, SDXL_CASES),
    Architecture("sdxl-refiner-unet", unet.REFINER_PART, REFINER_UNET,
                 "stabilityai/stable-diffusion-xl-refiner-1.0, unet/config.json", 1220, 2_259_526_660, SDXL_CASES[1:]),
    Architecture("flux-dev", flux.PART, FLUX, "black-forest-labs/FLUX.1-dev, transformer/config.json", 1160,
                 11_901_408_320, FLUX_CASES),
    Architecture("flux-schnell", flux.PART, FLUX | dict(guidance_embeds=False),
                 "black-forest-labs/FLUX.1-schnell, transformer/config.json", 1156, 11_891_178_560,
                 FLUX_CASES[1:]),
    Architecture("sd-vae-decoder", VAE_DECODER, SD_VAE, "runwayml/stable-diffusion-v1-5, vae/config.json", 140,
                 49_490_199, VAE_CASES),
    Architecture("sd-vae-encoder", VAE_ENCODER, SD_VAE, "runwayml/stable-diffusion-v1-5, vae/config.json", 108,
                 34_163_664, VAE_CASES),
    Architecture("flux-vae-decoder", VAE_DECODER, FLUX_VAE, "black-forest-labs/FLUX.1-dev, vae/config.json", 138,
                 49_545_475, VAE_CASES),
    Architecture("flux-vae-encoder", VAE_ENCODER, FLUX_VAE, "black-forest-labs/FLUX.1-dev, vae/config.json", 106,
                 34_274_208, VAE_CASES),
    Architecture("clip-l", TEXT, CLIP_L, "openai/clip-vit-large-patch14, as text_encoder/config.json of "
                 "runwayml/stable-diffusion-v1-5", 196, 123_060_480, TEXT_CASES),
    Architecture("clip-g", TEXT, CLIP_G, "laion/CLIP-ViT-bigG-14-laion2B-39B-b160k, as text_encoder_2/config.json of "
                 "stabilityai/stable-diffusion-xl-base-1.0", 517, 694_659_840, TEXT_CASES),
    Architecture("t5-xxl", T5_TEXT, T5_XXL, "google/t5-v1_1-xxl, config.json", 219, 4_762_310_656, T5_CASES),
)


def chosen(names: Iterable[str]) -> list[Architecture]:
    """The rows of these names, in the order of the table; all for none."""
    wanted, known = set(names), {row.name for row in ARCHITECTURES}
    if wanted - known:
        raise ExportError(f"{sorted(wanted - known)[0]}: no architecture of this name. Expected one of "
                          f"{', '.join(row.name for row in ARCHITECTURES)}.")
    return [row for row in ARCHITECTURES if not wanted or row.name in wanted]
