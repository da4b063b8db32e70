#!/usr/bin/env python3
"""Makes a small diffusers folder of a family with random weights: all the parts and files of a real one, no pictures.

It shows in seconds that an exporter, an engine or a pipeline agrees with diffusers; the same family and seed give the
same weights. scripts/export/model.py makes a lapis model of it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import torch
from diffusers import (AutoencoderKL, DiffusionPipeline, EulerDiscreteScheduler, FlowMatchEulerDiscreteScheduler,
                       FluxPipeline, FluxTransformer2DModel, StableDiffusionPipeline, StableDiffusionXLPipeline,
                       UNet2DConditionModel)
from torch import nn
from transformers import (AutoTokenizer, CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer,
                          T5Config, T5EncoderModel)

from program import ROOT
from train.tiny.recipes import CLIP, RECIPES
from train.tiny.tokenizer import build_t5_tokenizer, lexicon

CLIP_TOKENIZER = ROOT / "models" / "tiny-sd15" / "tokenizer"
T5_LENGTH = 64
SD2_TEXT = CLIP | dict(hidden_size=1024, num_attention_heads=16, intermediate_size=256, num_hidden_layers=2,
                       hidden_act="gelu")
FAMILIES = ("sd15", "sd2", "sdxl", "flux", "flux-schnell")


def clip_tokenizer(folder: Path, pad: str) -> CLIPTokenizer:
    """Copies tiny-sd15's tokenizer to `folder`, with `pad` as its padding."""
    shutil.copytree(CLIP_TOKENIZER, folder, dirs_exist_ok=True)
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        facts = json.loads((folder / name).read_text(encoding="utf-8"))
        (folder / name).write_text(json.dumps(facts | {"pad_token": pad}, indent=2) + "\n", encoding="utf-8")
    return CLIPTokenizer.from_pretrained(folder)


def clip_text(tokenizer: CLIPTokenizer, config: dict[str, Any], projects: bool) -> nn.Module:
    kind = CLIPTextModelWithProjection if projects else CLIPTextModel
    return kind(CLIPTextConfig(**config, vocab_size=len(tokenizer), bos_token_id=tokenizer.bos_token_id,
                               eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id))


def build(family: str, folder: Path) -> DiffusionPipeline:
    """The pipeline of `family`; its tokenizers are written to `folder` at once."""
    recipe = RECIPES[{"sd2": "sd15", "flux-schnell": "flux"}.get(family, family)]
    ending = "!" if family == "sd2" else "<|endoftext|>"
    tokenizer = clip_tokenizer(folder / "tokenizer", ending)
    text = clip_text(tokenizer, SD2_TEXT if family == "sd2" else CLIP, projects=False)
    parts = dict(vae=AutoencoderKL(**recipe.vae), text_encoder=text, tokenizer=tokenizer)
    if family == "sdxl":
        second = clip_tokenizer(folder / "tokenizer_2", "!")
        return StableDiffusionXLPipeline(
            unet=UNet2DConditionModel(**recipe.denoiser), scheduler=EulerDiscreteScheduler(**recipe.scheduler),
            text_encoder_2=clip_text(second, recipe.texts["text_encoder_2"].config, projects=True),
            tokenizer_2=second, add_watermarker=False, **parts)
    if family.startswith("flux"):
        build_t5_tokenizer(lexicon(), folder / "tokenizer_2", T5_LENGTH)
        pieces = AutoTokenizer.from_pretrained(folder / "tokenizer_2")
        dev = family == "flux"
        flow = recipe.scheduler if dev else dict(num_train_timesteps=1000, shift=1.0, use_dynamic_shifting=False)
        t5 = T5Config(**recipe.texts["text_encoder_2"].config, vocab_size=len(pieces))
        denoiser = recipe.denoiser | dict(guidance_embeds=dev, num_layers=2, num_single_layers=2)
        return FluxPipeline(transformer=FluxTransformer2DModel(**denoiser), text_encoder_2=T5EncoderModel(t5),
                            scheduler=FlowMatchEulerDiscreteScheduler(**flow), tokenizer_2=pieces, **parts)
    width = text.config.hidden_size
    scheduler = recipe.scheduler | (dict(prediction_type="v_prediction") if family == "sd2" else {})
    return StableDiffusionPipeline(
        unet=UNet2DConditionModel(**recipe.denoiser | dict(cross_attention_dim=width)),
        scheduler=EulerDiscreteScheduler(**scheduler), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False, **parts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="example: python scripts/export/random_model.py sdxl /tmp/random-sdxl && python "
                                            "scripts/export/model.py /tmp/random-sdxl --steps 4")
    parser.add_argument("family", choices=FAMILIES, help="flux has a guidance input (dev), flux-schnell has none")
    parser.add_argument("folder", type=Path, help="the diffusers folder to write, which must not be there yet")
    parser.add_argument("--seed", type=int, default=0, help="seed of the weights (default: %(default)s)")
    arguments = parser.parse_args()
    if arguments.folder.exists():
        print(f"error: {arguments.folder} is there already. Remove it or name another folder.", file=sys.stderr)
        return 2
    torch.manual_seed(arguments.seed)
    pipeline = build(arguments.family, arguments.folder)
    kept = {path: path.read_bytes() for path in arguments.folder.glob("tokenizer*/*")}
    pipeline.to(torch.float16).save_pretrained(arguments.folder)
    for path in arguments.folder.glob("tokenizer*/*"):
        path.unlink()  # what transformers adds says the same again
    for path, content in kept.items():
        path.write_bytes(content)
    print(arguments.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
