#!/usr/bin/env python3
"""The shortest diffusers script that renders one picture, with timers around the module calls, for scripts/bench.py.

Prints one JSON line: seconds in each module, and seconds of the denoising loop that were no module call.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python scripts/bench_diffusers.py "
                                     "models/tiny-sd15 'a red house' out.png --width 256 --height 256 --threads 1")
    parser.add_argument("model", type=Path)
    parser.add_argument("prompt")
    parser.add_argument("output", type=Path)
    parser.add_argument("--width", type=int, required=True, help="pixels")
    parser.add_argument("--height", type=int, required=True, help="pixels")
    parser.add_argument("--steps", type=int, default=20, help="steps (default: %(default)s)")
    parser.add_argument("--guidance", type=float, default=7.5, help="guidance (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (default: %(default)s)")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    pipeline = StableDiffusionPipeline.from_pretrained(arguments.model, dtype=torch.float32)
    pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config)
    text, denoiser, vae = (Timer(function) for function in (pipeline.text_encoder.forward, pipeline.unet.forward,
                                                            pipeline.vae.decode))
    pipeline.text_encoder.forward, pipeline.unet.forward, pipeline.vae.decode = text, denoiser, vae
    pipeline(arguments.prompt, width=arguments.width, height=arguments.height, num_inference_steps=arguments.steps,
             guidance_scale=arguments.guidance,
             generator=torch.Generator().manual_seed(0)).images[0].save(arguments.output)
    print(json.dumps({"text_encoder": text.seconds, "denoiser": denoiser.seconds, "vae_decoder": vae.seconds,
                      "loop": denoiser.left - denoiser.entered - denoiser.seconds}))


if __name__ == "__main__":
    main()
