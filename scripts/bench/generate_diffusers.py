#!/usr/bin/env python3
"""The shortest diffusers script that renders a picture, or some with one pipeline, with timers around its module calls, for bench/generate.py.

Prints one JSON line: seconds in each module, seconds of the denoising loop that were no module call (of one picture), and
seconds of each picture.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import torch

TEXT_ENCODERS = ("text_encoder", "text_encoder_2")


class Timer:
    """Seconds inside one function, and when it was first entered and last left."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.seconds = function, 0.0
        self.entered: float | None = None
        self.left = 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        self.entered = self.entered or start
        result = self.function(*args, **kwargs)
        self.left = time.perf_counter()
        self.seconds += self.left - start
        return result


def timed(module: torch.nn.Module, name: str) -> Timer:
    """Puts a timer in the place of a method."""
    timer = Timer(getattr(module, name))
    setattr(module, name, timer)
    return timer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python scripts/bench/generate_diffusers.py "
                                     "models/tiny-sd15 'a red house' out.png --width 256 --height 256 --threads 1")
    parser.add_argument("model", type=Path)
    parser.add_argument("prompt")
    parser.add_argument("output", type=Path)
    parser.add_argument("--width", type=int, required=True, help="pixels")
    parser.add_argument("--height", type=int, required=True, help="pixels")
    parser.add_argument("--steps", type=int, default=20, help="steps (default: %(default)s)")
    parser.add_argument("--guidance", type=float, help="guidance (default: the pipeline's)")
    parser.add_argument("--t5-length", type=int, metavar="N", help="tokens of a prompt for T5, where there is one")
    parser.add_argument("--count", type=int, default=1, help="pictures, one after the other (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (default: %(default)s)")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    kind = json.loads((arguments.model / "model_index.json").read_text(encoding="utf-8"))["_class_name"]
    pipeline = getattr(diffusers, kind).from_pretrained(arguments.model, dtype=torch.float32)
    flux = kind == "FluxPipeline"
    if not flux:
        pipeline.scheduler = diffusers.EulerDiscreteScheduler.from_config(pipeline.scheduler.config)
    options = {"guidance_scale": arguments.guidance, "max_sequence_length": arguments.t5_length}
    texts = [timed(getattr(pipeline, name), "forward") for name in pipeline.components if name in TEXT_ENCODERS]
    denoiser = timed(pipeline.transformer if flux else pipeline.unet, "forward")
    vae = timed(pipeline.vae, "decode")
    given = {name: value for name, value in options.items() if value is not None}
    pictures = []
    for seed in range(arguments.count):
        start = time.perf_counter()
        pipeline(arguments.prompt, width=arguments.width, height=arguments.height, num_inference_steps=arguments.steps,
                 generator=torch.Generator().manual_seed(seed), **given).images[0].save(arguments.output)
        pictures.append(time.perf_counter() - start)
    print(json.dumps({"text_encoder": sum(text.seconds for text in texts), "denoiser": denoiser.seconds,
                      "vae_decoder": vae.seconds, "loop": denoiser.left - denoiser.entered - denoiser.seconds,
                      "pictures": pictures}))


if __name__ == "__main__":
    main()
