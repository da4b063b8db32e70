#!/usr/bin/env python3
"""Trains a bundled tiny model from nothing but drawn scenes, and writes it as a diffusers folder.

Stages, each resumable and each a function of the seed alone:

    tokenizer   the words of the captions, out of the public CLIP merges list or as SentencePiece's pieces
    text        the text encoders, taught to name what a caption shows; then frozen
    vae         encoder and decoder together, then the decoder alone
    latents     scenes encoded once, for each picture size
    denoiser    the denoiser, phase after phase of the recipe
    folder      the diffusers folder in half precision
    report      a sheet of pictures; scripts/train/lineages.py measures the autoencoder, eval_model.py the model

`latents` needs `vae`, `denoiser` needs `text` and `latents`: stages that do not need each other can run
side by side as two processes (`--stage`). Runs in the environment that scripts/parity/pictures.py makes, .venv/parity, with the
merges list added to it: .venv/parity/bin/pip install --no-deps open-clip-torch

sdxl and flux share sd15's text encoder, as the large models do: train sd15's first, in the folder beside
(.train/sd15 for .train/sdxl).
"""

from __future__ import annotations

import argparse
import copy
import functools
import json
import shutil
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import torch
from diffusers import (AutoencoderKL, DiffusionPipeline, EulerDiscreteScheduler, FlowMatchEulerDiscreteScheduler,
                       FluxPipeline, FluxTransformer2DModel, StableDiffusionPipeline, StableDiffusionXLPipeline,
                       UNet2DConditionModel)
from PIL import Image
from torch import nn
from transformers import (CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer, PreTrainedModel,
                          PreTrainedTokenizerBase, T5EncoderModel, T5Tokenizer)

from program import ROOT
from train.tiny import conditions, denoiser, text, transformer, unet, vae
from train.tiny.recipes import RECIPES, SIZE, Phase, Size, rehearsal
from train.tiny.tokenizer import build_clip_tokenizer, build_t5_tokenizer, caption_words, lexicon

STAGES = ("tokenizer", "text", "vae", "latents", "denoiser", "folder", "report")
REHEARSED = STAGES[:5]
LOSSES = Path(__file__).parent / "losses.json"  # by family: the first losses of every stage of a rehearsal
LOSS_TOLERANCE = 0.01  # processors round their sums differently, and some multiply in bfloat16
DENOISER_SCENES = 1_200_000_000  # the first scene the denoiser learns from
SHEET_PROMPTS = (
    "a serene lakeside at sunset",
    "a red house on the left, snow field at night, mountains",
    "a meadow by day with a blue tent on the left and a yellow tree on the right",
    "a white boat on the right, lake at dawn, hills",
    "a purple balloon",
    "a green lighthouse on the right, lake by day, mountains",
    "a red star on a blue background",
    "two red houses and a blue boat",
    "a red house",
    "three green trees in the snow at sunset",
    "an empty desert at night, no house",
    "a yellow tent to the right of a purple house",
)


class Training:
    """One family's training: its recipe, its folder of checkpoints, and one method a stage."""

    def __init__(self, family: str, folder: Path, output: Path, device: torch.device, rehearses: bool) -> None:
        self.family, self.folder, self.output, self.rehearses = family, folder, output, rehearses
        self.recipe = rehearsal(RECIPES[family]) if rehearses else RECIPES[family]
        self.device = device
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def lender(self) -> Path:
        """The checkpoints of the family whose text encoder this one shares."""
        return self.folder.parent / self.recipe.shares_text_with

    def tokenizer(self) -> None:
        for name, recipe in self.recipe.texts.items():
            place = self.folder / name.replace("text_encoder", "tokenizer")
            if recipe.kind is None:
                shutil.copytree(self.lender / "tokenizer", place, dirs_exist_ok=True)
            elif recipe.kind == "t5":
                build_t5_tokenizer(lexicon(), place, recipe.length)
            else:
                build_clip_tokenizer(lexicon(), place, recipe.pad)

    def load_tokenizer(self, name: str) -> PreTrainedTokenizerBase:
        place = self.folder / name.replace("text_encoder", "tokenizer")
        return (T5Tokenizer if self.recipe.texts[name].kind == "t5" else CLIPTokenizer).from_pretrained(place)

    def text(self) -> None:
        for name, recipe in self.recipe.texts.items():
            if (self.folder / name).exists():
                continue
            if recipe.kind is None:
                shutil.copytree(self.lender / "text_encoder", self.folder / name)
                continue
            stage = name.replace("text_encoder", "text")
            text.train(text.KINDS[recipe.kind], recipe.config, self.load_tokenizer(name), self.folder, name=stage,
                       steps=recipe.steps, seed=self.recipe.seed, width=recipe.width,
                       device=self.device, muon=recipe.muon).save_pretrained(self.folder / name)

    def encoders(self) -> list[conditions.Encoder]:
        return [conditions.Encoder(self.load_text(name), self.load_tokenizer(name)) for name in self.recipe.texts]

    def load_text(self, name: str) -> PreTrainedModel:
        kinds = {None: CLIPTextModel, "clip": CLIPTextModel, "clip with projection": CLIPTextModelWithProjection,
                 "t5": T5EncoderModel}
        return kinds[self.recipe.texts[name].kind].from_pretrained(self.folder / name).eval().to(self.device)

    def vae(self) -> None:
        recipe, raw = self.recipe, self.folder / "vae"
        if not raw.exists():
            vae.train(recipe.vae, self.folder, steps=recipe.vae_steps, seed=recipe.seed, device=self.device,
                      noise=recipe.latent_noise, at_random=recipe.vae_at_random).save_pretrained(raw)
        if (self.folder / "vae_folded").exists():
            return
        model = AutoencoderKL.from_pretrained(raw).eval().to(self.device)
        vae.fold(model.cpu(), vae.frame_of(model, recipe.seed, recipe.turn, recipe.whitens))
        model = vae.settle(model.to(self.device), self.folder, seed=recipe.seed, steps=recipe.settle_steps)
        model.save_pretrained(self.folder / "vae_folded")

    def load_vae(self) -> AutoencoderKL:
        return AutoencoderKL.from_pretrained(self.folder / "vae_folded").eval().to(self.device)

    def latents(self) -> None:
        for size in self.recipe.pictures:
            self.load_bucket(size, 1.0)

    def load_bucket(self, size: Size, share: float) -> denoiser.Bucket:
        pictures = self.recipe.pictures
        first = DENOISER_SCENES + 1_000_000 * list(pictures).index(size)
        file = self.folder / f"latents_{size[0]}x{size[1]}.pt"
        return denoiser.Bucket(first, vae.encode_scenes(self.load_vae(), first, pictures[size], size, file), share)

    def new_denoiser(self) -> nn.Module:
        torch.manual_seed(self.recipe.seed)
        return (transformer if self.family == "flux" else unet).build(self.recipe.denoiser)

    def denoiser(self) -> None:
        model = self.new_denoiser()
        for phase in self.recipe.phases:
            done = self.folder / phase.name
            if not done.exists():
                self.denoise(phase, model)
            model = type(model).from_pretrained(done)
            if self.family != "flux":
                unet.trainable(model)

    def denoise(self, phase: Phase, model: nn.Module) -> None:
        """Trains one phase from the weights of `model`."""
        encoders, conditioner = self.encoders(), conditions.CONDITIONS[self.family]
        objective = denoiser.velocity_error if self.family == "flux" else denoiser.noise_error
        if phase.distils:
            objective = denoiser.distilling(copy.deepcopy(model).to(self.device))
        trained = denoiser.train(model.to(self.device), objective, functools.partial(conditioner, encoders),
                                 [self.load_bucket(*each) for each in phase.sizes.items()], self.folder,
                                 name=phase.name, steps=phase.steps, seed=self.recipe.seed, batch=phase.batch,
                                 peak=phase.peak, decays=phase.decays, muon=self.recipe.muon,
                                 on_save=lambda average, step: self.watch(phase, average))
        trained.save_pretrained(self.folder / phase.name)

    def pipeline(self, model: nn.Module) -> DiffusionPipeline:
        """The tiny model as it stands."""
        parts = {name: self.load_text(name).cpu() for name in self.recipe.texts}
        parts |= {name.replace("text_encoder", "tokenizer"): self.load_tokenizer(name) for name in self.recipe.texts}
        parts["vae"] = self.load_vae().cpu()
        if self.family == "flux":
            return FluxPipeline(transformer=model, scheduler=FlowMatchEulerDiscreteScheduler(**self.recipe.scheduler),
                                **parts).to(self.device)
        scheduler = EulerDiscreteScheduler(**self.recipe.scheduler)
        if self.family == "sdxl":
            return StableDiffusionXLPipeline(unet=model, scheduler=scheduler, add_watermarker=False,
                                             **parts).to(self.device)
        return StableDiffusionPipeline(unet=model, scheduler=scheduler, safety_checker=None, feature_extractor=None,
                                       requires_safety_checker=False, **parts).to(self.device)

    def watch(self, phase: Phase, model: nn.Module) -> None:
        """Writes a sheet of pictures of the average so far."""
        self.sheet(model).save(self.folder / f"{phase.name}.png")

    def newest_denoiser(self) -> nn.Module:
        kind = FluxTransformer2DModel if self.family == "flux" else UNet2DConditionModel
        for phase in reversed(self.recipe.phases):
            if (self.folder / phase.name).exists():
                return kind.from_pretrained(self.folder / phase.name).to(self.device)
        raise SystemExit(f"error: no trained denoiser in {self.folder}; run the stage denoiser first")

    def folder_stage(self) -> None:
        pipe = self.pipeline(self.newest_denoiser())
        pipe.to(torch.float16).save_pretrained(self.output)
        forget_origin(self.output)
        for source in self.folder.glob("tokenizer*"):
            write_plain_tokenizer(source, self.output / source.name)
        words = self.folder / "words.txt"
        words.write_text("\n".join(sorted(caption_words())) + "\n", encoding="utf-8")
        print(f"wrote {self.output}; next: scripts/export/model.py {self.output} --default-size {SIZE} {SIZE} --steps 20 "
              f"--guidance 3 --taught-words {words} --taught-subjects 'landscapes and shapes'")

    def report(self) -> None:
        self.sheet(self.newest_denoiser()).save(self.folder / "report.png")

    def sheet(self, model: nn.Module) -> Image.Image:
        """The same prompts and seeds every time, four a row."""
        pipe = self.pipeline(copy.deepcopy(model).eval())
        pipe.set_progress_bar_config(disable=True)
        more = {"max_sequence_length": self.recipe.texts["text_encoder_2"].length} if self.family == "flux" else {}
        pictures = pipe(list(SHEET_PROMPTS), width=SIZE, height=SIZE, num_inference_steps=20,
                        guidance_scale=self.recipe.guidance,
                        generator=[torch.Generator().manual_seed(i) for i in range(len(SHEET_PROMPTS))], **more).images
        page = Image.new("RGB", (4 * SIZE, -(-len(SHEET_PROMPTS) // 4) * SIZE))
        for i, picture in enumerate(pictures):
            page.paste(picture, (i % 4 * SIZE, i // 4 * SIZE))
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


def compare_losses(family: str, folder: Path) -> None:
    """Ends the program with a line for each stage that does not begin as the one on record did."""
    recorded = json.loads(LOSSES.read_text("utf-8")).get(family, {})
    found = json.loads((folder / "losses.json").read_text("utf-8"))
    faults = [f"{stage}: expected {recorded.get(stage)}, found {losses}" for stage, losses in found.items()
              if stage not in recorded
              or any(abs(a - b) > LOSS_TOLERANCE * abs(a) for a, b in zip(recorded[stage], losses, strict=True))]
    if faults:
        raise SystemExit("error: the training does not repeat:\n" + "\n".join(faults))
    print(f"the first losses of {len(found)} stages are those on record: {', '.join(found)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="example: scripts/train/model.py --family sd15 --folder .train/sd15")
    parser.add_argument("--family", choices=RECIPES, required=True, help="which tiny model")
    parser.add_argument("--folder", type=Path, required=True, help="checkpoints; a second run goes on from them")
    parser.add_argument("--output", type=Path, help="the diffusers folder (default: models/tiny-FAMILY)")
    parser.add_argument("--stage", choices=STAGES, action="append", help="run this stage alone; may be repeated")
    parser.add_argument("--rehearse", action="store_true",
                        help="train a hundredth of it into an empty folder, and compare the first losses with those on "
                             "record: whether this is the training that the bundled models had")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="CPU threads")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"), help="cpu or cuda (default: cpu)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    output = arguments.output or ROOT / "models" / f"tiny-{arguments.family}"
    training = Training(arguments.family, arguments.folder, output, arguments.device, arguments.rehearse)
    for stage in arguments.stage or (REHEARSED if arguments.rehearse else STAGES):
        print(f"stage {stage}", file=sys.stderr)
        getattr(training, "folder_stage" if stage == "folder" else stage)()
    if arguments.rehearse:
        compare_losses(arguments.family, arguments.folder)


if __name__ == "__main__":
    main()
