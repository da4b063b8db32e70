"""What each tiny model is made of, and how long each part of it trains."""

from __future__ import annotations

import dataclasses
from typing import Any

Size = tuple[int, int]  # width and height of a picture

SIZE = 256  # width and height of the pictures that the models are made for
PICTURES = {(256, 256): 9000, (192, 192): 5000, (128, 128): 5000, (320, 320): 1200, (288, 192): 2000, (192, 288): 2000,
            (384, 256): 800, (256, 384): 800, (384, 384): 500}  # scenes that a denoiser sees at each size
SMALL = {(128, 128): 0.5, (192, 192): 0.5}
ALL = {(256, 256): 0.58, (192, 192): 0.06, (128, 128): 0.06, (320, 320): 0.06, (288, 192): 0.06, (192, 288): 0.06,
       (384, 256): 0.04, (256, 384): 0.04, (384, 384): 0.04}

CLIP = dict(hidden_size=128, intermediate_size=512, num_hidden_layers=3, num_attention_heads=2,
            max_position_embeddings=77, hidden_act="quick_gelu", projection_dim=128)
VAE = dict(down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
           block_out_channels=(16, 32, 64, 64), layers_per_block=1, norm_num_groups=1, mid_block_add_attention=False,
           sample_size=256)
UNET = dict(sample_size=32, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=(40, 72, 96, 112),
            down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"), attention_head_dim=4,
            norm_num_groups=8)
DIFFUSION = dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
                 prediction_type="epsilon", timestep_spacing="trailing", steps_offset=1)


@dataclasses.dataclass(frozen=True)
class Text:
    """A text encoder: its kind (`text.KINDS`), its configuration, its width, its training steps; or, with no kind, that
    of the family the recipe shares it with. How it learns (`training.Muon`). And the token its tokenizer pads with, or
    the length of a T5 tokenizer."""

    kind: str | None = None
    config: dict[str, Any] = dataclasses.field(default_factory=dict)
    width: int = 128
    steps: int = 1500
    muon: bool = False
    pad: str = "<|endoftext|>"
    length: int = 77


@dataclasses.dataclass(frozen=True)
class Phase:
    """A part of the denoiser's training: the share of each picture size, length, batch (of 256 x 256 pictures; more of
    smaller ones), peak rate, whether the rate falls to 0, and whether a copy of the network as it was before teaches it
    guidance."""

    name: str
    sizes: dict[Size, float]
    steps: int
    batch: int
    peak: float
    decays: bool
    distils: bool = False


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One family's tiny model."""

    texts: dict[str, Text]  # by the folder's name in the pipeline, as the denoiser reads them
    vae: dict[str, Any]
    vae_steps: int
    denoiser: dict[str, Any]
    scheduler: dict[str, Any]
    seed: int
    guidance: float  # of the sheets of pictures
    phases: tuple[Phase, ...]
    pictures: dict[Size, int] = dataclasses.field(default_factory=lambda: PICTURES)  # scenes it sees at each size
    latent_noise: float = 0.1
    vae_at_random: bool = False  # `vae.build`
    settle_steps: int = 6500  # `vae.settle`
    whitens: bool = True  # `vae.frame_of`
    turn: int = 0  # `vae.frame_of`: one in which no other family's decoder comes near (tests/engine/test_lineages.cpp)
    muon: bool = False  # how the denoiser learns: `training.Muon`
    shares_text_with: str = ""  # the family whose text encoder, in the folder beside, `Text()` stands for


RECIPES = {
    "sd15": Recipe(
        texts={"text_encoder": Text("clip", CLIP)},
        vae=VAE | dict(latent_channels=4, scaling_factor=0.18215), vae_steps=12000,
        denoiser=UNET | dict(cross_attention_dim=128), scheduler=DIFFUSION,
        seed=15, turn=3, guidance=3.0,
        phases=(Phase("small", SMALL, steps=3000, batch=16, peak=1e-3, decays=False),
                Phase("large", ALL, steps=11000, batch=20, peak=1.2e-3, decays=True)),
    ),
    "sdxl": Recipe(
        texts={"text_encoder": Text(),
               "text_encoder_2": Text("clip with projection", CLIP | dict(num_hidden_layers=4, hidden_act="gelu"),
                                      pad="!")},
        vae=VAE | dict(latent_channels=4, scaling_factor=0.13025, block_out_channels=(16, 32, 64, 80)),
        vae_steps=14000, vae_at_random=True,
        denoiser=UNET | dict(block_out_channels=(40, 64, 80, 88), cross_attention_dim=256, use_linear_projection=True,
                             addition_embed_type="text_time", addition_time_embed_dim=32,
                             projection_class_embeddings_input_dim=128 + 6 * 32),
        scheduler=DIFFUSION, seed=31, guidance=3.0,
        phases=(Phase("small", SMALL, steps=3000, batch=16, peak=1e-3, decays=False),
                Phase("large", ALL, steps=8000, batch=20, peak=1.2e-3, decays=True),
                Phase("longer", ALL, steps=8000, batch=20, peak=8e-4, decays=True)),
        shares_text_with="sd15",
    ),
    "flux": Recipe(
        texts={"text_encoder": Text(),
               "text_encoder_2": Text("t5", dict(d_model=128, d_kv=32, d_ff=320, num_layers=3, num_heads=4,
                                                 feed_forward_proj="gated-gelu", dropout_rate=0.0),
                                      length=48, steps=2500, muon=True)},
        vae=VAE | dict(latent_channels=16, norm_num_groups=4, use_quant_conv=False, use_post_quant_conv=False,
                       scaling_factor=0.3611, shift_factor=0.1159),
        vae_steps=14000, vae_at_random=True,
        denoiser=dict(in_channels=64, num_layers=2, num_single_layers=6, attention_head_dim=32, num_attention_heads=4,
                      joint_attention_dim=128, pooled_projection_dim=128, axes_dims_rope=(8, 12, 12),
                      guidance_embeds=True),
        scheduler=dict(num_train_timesteps=1000, shift=3.0, use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15,
                       base_image_seq_len=256, max_image_seq_len=4096),
        seed=47, guidance=3.0,
        phases=(Phase("small", SMALL, steps=5000, batch=32, peak=2e-3, decays=True),
                Phase("large", ALL, steps=8000, batch=32, peak=1.5e-3, decays=True),
                Phase("guided", ALL, steps=500, batch=16, peak=4e-4, decays=True, distils=True)),
        muon=True, whitens=False,
        latent_noise=0.05, shares_text_with="sd15",
    ),
}


def rehearsal(recipe: Recipe) -> Recipe:
    """A hundredth of a training. Rates begin alike, so text encoders and autoencoder begin with the whole one's losses."""
    def less(count: int) -> int:
        return max(8, count // 100)

    return dataclasses.replace(
        recipe, texts={name: dataclasses.replace(text, steps=less(text.steps)) for name, text in recipe.texts.items()},
        vae_steps=less(recipe.vae_steps), settle_steps=less(recipe.settle_steps),
        phases=tuple(dataclasses.replace(phase, steps=less(phase.steps)) for phase in recipe.phases),
        pictures={size: less(count) for size, count in recipe.pictures.items()})
