#!/usr/bin/env python3
"""Trains a bundled tiny model from nothing but drawn scenes, and writes it as a diffusers folder.

Stages, each resumable and each a function of the seed alone:

    tokenizer   the words of the captions, out of the public CLIP merges list
    text        the text encoder, taught to name what a caption shows; then frozen
    vae         encoder and decoder together
    latents     scenes encoded once, for each picture size
    denoiser    the denoiser, phase after phase of the recipe
    folder      the diffusers folder in half precision
    report      a held-out report: PSNR of the autoencoder, and a sheet of pictures

`latents` needs `vae`, `denoiser` needs `text` and `latents`: stages that do not need each other can run
side by side as two processes (`--stage`). Runs in the environment that scripts/parity.py makes, .venv/parity, with the
merges list added to it: .venv/parity/bin/pip install --no-deps open-clip-torch
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import torch
from diffusers import (AutoencoderKL, EulerDiscreteScheduler, StableDiffusionPipeline,
                       UNet2DConditionModel)
from PIL import Image
from transformers import CLIPTextModel, CLIPTokenizer

from tiny import denoiser, scenes, text, vae
from tiny.tokenizer import build_clip_tokenizer, lexicon

STAGES = ("tokenizer", "text", "vae", "latents", "denoiser", "folder", "report")
DENOISER_SCENES = 1_200_000_000  # the first scene the denoiser learns from
SHEET_PROMPTS = (
    "a serene lakeside at sunset",
    "a red house on the left, snow field at night, mountains",
    "a meadow by day with a blue tent on the left and a yellow tree on the right",
    "a white boat on the right, lake at dawn, hills",
    "a purple balloon on the left, desert at sunset",
    "a green lighthouse on the right, lake by day, mountains",
    "a red star on a blue background",
    "a yellow heart on a purple background",
)


@dataclasses.dataclass(frozen=True)
class Phase:
    """A part of the denoiser's training: picture size, length, batch, peak rate, and whether the rate falls to 0."""

    name: str
    size: int
    steps: int
    batch: int
    peak: float
    decays: bool


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What one family's tiny model is made of, and how long each stage trains."""

    text: dict
    vae: dict
    unet: dict
    scheduler: dict
    seed: int
    size: int
    steps: dict[str, int]
    pictures: dict[int, int]  # picture size -> scenes the denoiser sees at that size
    phases: tuple[Phase, ...]
    latent_noise: float = 0.1
    start: str | None = None  # the family whose checkpoints, in the folder beside, this one begins from


RECIPES = {
    "sd15": Recipe(
        text=dict(hidden_size=128, intermediate_size=512, num_hidden_layers=3, num_attention_heads=2,
                  max_position_embeddings=77, hidden_act="quick_gelu", projection_dim=128),
        vae=dict(down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
                 block_out_channels=(16, 32, 64, 64), layers_per_block=1, latent_channels=4, norm_num_groups=1,
                 mid_block_add_attention=False, scaling_factor=0.18215, sample_size=128),
        unet=dict(sample_size=16, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=(48, 80, 104),
                  down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
                  up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
                  cross_attention_dim=128, attention_head_dim=4, norm_num_groups=8),
        scheduler=dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
                       prediction_type="epsilon", timestep_spacing="trailing", steps_offset=1),
        seed=15, size=128,
        steps=dict(text=700, vae=3000),
        pictures={128: 6000},
        phases=(Phase("small", size=128, steps=4184, batch=8, peak=1e-3, decays=False),
                Phase("small_end", size=128, steps=5600, batch=16, peak=1.2e-3, decays=True)),
    ),
    "sdxl": Recipe(
        text={}, unet={}, scheduler={},
        vae=dict(down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
                 block_out_channels=(16, 32, 64, 64), layers_per_block=1, latent_channels=4, norm_num_groups=1,
                 mid_block_add_attention=False, scaling_factor=0.13025, sample_size=128),
        seed=31, size=128, steps=dict(text=700, vae=1800), pictures={128: 6000}, phases=(), start="sd15",
    ),
    "flux": Recipe(
        text={}, unet={}, scheduler={},
        vae=dict(down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
                 block_out_channels=(16, 32, 64, 64), layers_per_block=1, latent_channels=16, norm_num_groups=1,
                 mid_block_add_attention=False, use_quant_conv=False, use_post_quant_conv=False,
                 scaling_factor=0.3611, shift_factor=0.1159, sample_size=128),
        seed=47, size=128, steps=dict(text=700, vae=3200), pictures={128: 6000}, phases=(), start="sd15",
        latent_noise=0.05,
    ),
}


class Training:
    """One family's training: its recipe, its folder of checkpoints, and one method a stage."""

    def __init__(self, family: str, folder: Path, output: Path, device: torch.device) -> None:
        self.family, self.recipe, self.folder, self.output = family, RECIPES[family], folder, output
        self.device = device
        folder.mkdir(parents=True, exist_ok=True)

    def tokenizer(self) -> None:
        if not (self.folder / "tokenizer" / "vocab.json").exists():
            build_clip_tokenizer(lexicon(), self.folder / "tokenizer")

    def load_tokenizer(self) -> CLIPTokenizer:
        return CLIPTokenizer.from_pretrained(self.folder / "tokenizer")

    def text(self) -> None:
        recipe = self.recipe
        encoder = text.train(recipe.text, self.load_tokenizer(), self.folder, steps=recipe.steps["text"],
                             seed=recipe.seed, device=self.device)
        encoder.save_pretrained(self.folder / "text_encoder")

    def load_text(self) -> CLIPTextModel:
        return CLIPTextModel.from_pretrained(self.folder / "text_encoder").eval().to(self.device)

    def vae(self) -> None:
        recipe = self.recipe
        start = AutoencoderKL.from_pretrained(self.folder.parent / recipe.start / "vae") if recipe.start else None
        model = vae.train(recipe.vae, self.folder, steps=recipe.steps["vae"], seed=recipe.seed, device=self.device,
                          noise=recipe.latent_noise, start=start)
        model.save_pretrained(self.folder / "vae")
        torch.save(dataclasses.asdict(vae.frame_of(model, recipe.seed)), self.folder / "frame.pt")

    def load_vae(self) -> AutoencoderKL:
        return AutoencoderKL.from_pretrained(self.folder / "vae").eval().to(self.device)

    def frame(self) -> vae.Frame:
        return vae.Frame(**torch.load(self.folder / "frame.pt"))

    def latents(self) -> None:
        for size in self.recipe.pictures:
            self.load_latents(size)

    def load_latents(self, size: int) -> torch.Tensor:
        with torch.no_grad():
            return vae.encode_scenes(self.load_vae(), self.frame(), DENOISER_SCENES, self.recipe.pictures[size], size,
                                     self.folder / f"latents_{size}.pt")

    def denoiser(self) -> None:
        recipe = self.recipe
        torch.manual_seed(recipe.seed)
        model = denoiser.build(recipe.unet)
        captions = denoiser.Captions(self.load_text(), self.load_tokenizer(), text.tokenize)
        for phase in recipe.phases:
            done = self.folder / phase.name
            if not done.exists():
                self.denoise(phase, model, captions)
            model = UNet2DConditionModel.from_pretrained(done)

    def denoise(self, phase: Phase, model: UNet2DConditionModel, captions: denoiser.Captions) -> None:
        """Trains one phase from the weights of `model`."""
        trained = denoiser.train(model.to(self.device), captions, self.load_latents(phase.size), DENOISER_SCENES,
                                 self.folder, name=phase.name, steps=phase.steps, seed=self.recipe.seed,
                                 batch=phase.batch, peak=phase.peak, decays=phase.decays,
                                 on_save=lambda unet, step: self.watch(phase, unet))
        trained.save_pretrained(self.folder / phase.name)

    def pipeline(self, unet: UNet2DConditionModel) -> StableDiffusionPipeline:
        """The model as it stands."""
        model = self.load_vae().cpu()
        vae.fold(model, self.frame(), self.recipe.vae["scaling_factor"])
        return StableDiffusionPipeline(
            vae=model, text_encoder=self.load_text().cpu(), tokenizer=self.load_tokenizer(), unet=unet,
            scheduler=EulerDiscreteScheduler(**self.recipe.scheduler), safety_checker=None, feature_extractor=None,
            requires_safety_checker=False).to(self.device)

    def watch(self, phase: Phase, unet: UNet2DConditionModel) -> None:
        """Writes a sheet of pictures of the average so far."""
        sheet(self.pipeline(unet), phase.size).save(self.folder / f"{phase.name}.png")

    def newest_unet(self) -> UNet2DConditionModel:
        for phase in reversed(self.recipe.phases):
            if (self.folder / phase.name).exists():
                return UNet2DConditionModel.from_pretrained(self.folder / phase.name).to(self.device)
        raise SystemExit(f"error: no trained denoiser in {self.folder}; run the stage denoiser first")

    def folder_stage(self) -> None:
        pipe = self.pipeline(self.newest_unet())
        pipe.to(torch.float16).save_pretrained(self.output)
        forget_origin(self.output)
        write_plain_tokenizer(self.folder / "tokenizer", self.output / "tokenizer")
        print(f"wrote {self.output}; next: scripts/export_graphs.py {self.output}")

    def report(self) -> None:
        pipe = self.pipeline(self.newest_unet())
        target = vae.to_unit(vae.pictures(910_000_000, 16, self.recipe.size))
        with torch.no_grad():
            output = vae.decode(pipe.vae, vae.encode_mean(pipe.vae, target.to(self.device))).clamp(-1, 1).cpu()
        psnr = -10 * ((output - target) / 2).square().mean((1, 2, 3)).log10()
        std = self.load_latents(self.recipe.size).float().std((0, 2, 3))
        print(json.dumps({"family": self.family, "vae_psnr": round(float(psnr.mean()), 2),
                          "latent_std": [round(value, 3) for value in std.tolist()]}))
        sheet(pipe, self.recipe.size).save(self.folder / "report.png")


def sheet(pipe: StableDiffusionPipeline, size: int) -> Image.Image:
    """The same eight prompts and seeds every time, four a row."""
    pipe.set_progress_bar_config(disable=True)
    pictures = [pipe(prompt, width=size, height=size, num_inference_steps=20, guidance_scale=3.0,
                     generator=torch.Generator().manual_seed(i)).images[0] for i, prompt in enumerate(SHEET_PROMPTS)]
    page = Image.new("RGB", (4 * size, -(-len(pictures) // 4) * size))
    for i, picture in enumerate(pictures):
        page.paste(picture, (i % 4 * size, i // 4 * size))
    return page


def forget_origin(folder: Path) -> None:
    """Takes the checkpoint folder's path out of the configurations: diffusers notes where weights were loaded from."""
    for file in folder.glob("*/config.json"):
        config = json.loads(file.read_text())
        config.pop("_name_or_path", None)
        file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def write_plain_tokenizer(source: Path, target: Path) -> None:
    """Keeps the tokenizer's own four files: what transformers adds when saving says the same again."""
    for file in target.iterdir():
        file.unlink()
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="example: scripts/train_tiny.py --family sd15 --folder .train/sd15")
    parser.add_argument("--family", choices=RECIPES, required=True, help="which tiny model")
    parser.add_argument("--folder", type=Path, required=True, help="checkpoints; a second run goes on from them")
    parser.add_argument("--output", type=Path, help="the diffusers folder (default: models/tiny-FAMILY)")
    parser.add_argument("--stage", choices=STAGES, action="append", help="run this stage alone; may be repeated")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="CPU threads")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"), help="cpu or cuda (default: cpu)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    output = arguments.output or Path(__file__).resolve().parent.parent / "models" / f"tiny-{arguments.family}"
    training = Training(arguments.family, arguments.folder, output, arguments.device)
    for stage in arguments.stage or STAGES:
        print(f"stage {stage}", file=sys.stderr)
        getattr(training, "folder_stage" if stage == "folder" else stage)()


if __name__ == "__main__":
    main()
