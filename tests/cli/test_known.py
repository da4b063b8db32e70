#!/usr/bin/env python3
"""What stands in the models folder changes nothing about what is accepted: twenty-two checkpoints of the published
architectures, at their real sizes, each imported after each.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from checkpoints import (POSITIONS, SECOND_TABLE, graph, original, original_vae, prefixed, single_sd15, single_sdxl,
                         unet, vae, write_folder, write_sparse)
from support import SPIECE, CliTest, has_engine, main, needs, run

T5 = {name: shape for name, shape in graph("t5-xxl").items() if name != "shared.weight"}
CLIP = graph("clip-l")
FLUX = ("--vae", "ae.safetensors", "--clip-l", "clip.safetensors", "--t5xxl", "t5.safetensors", "--tokenizer", "spiece.model")


class Case:
    def __init__(self, *words: str, code: int = 0) -> None:
        self.words, self.code = words, code


CASES = {
    "v1": Case("v1.safetensors"), "v1-kohya": Case("v1-kohya.safetensors"), "v1-folder": Case("v1-folder"),
    "v1-bf16": Case("v1-bf16"), "v1-inpaint": Case("v1-inpaint.safetensors", code=3),
    "v1-inpaint-folder": Case("v1-inpaint-folder", code=3), "v1-bare": Case("v1-bare.safetensors", code=2),
    "v1-with-vae": Case("v1-bare.safetensors", "--vae", "vae.safetensors"),
    "xl": Case("xl.safetensors"), "xl-kohya": Case("xl-kohya.safetensors"), "xl-folder": Case("xl-folder"),
    "refiner": Case("refiner.safetensors", code=3), "dev": Case("dev.safetensors", *FLUX),
    "schnell": Case("schnell.safetensors", *FLUX), "dev-folder": Case("dev-folder"),
    "schnell-folder": Case("schnell-folder"), "dev-bare": Case("dev.safetensors", code=2),
    "dev-whole": Case("dev-whole.safetensors", "--tokenizer", "spiece.model"),
    "wrong-vae": Case("v1-bare.safetensors", "--vae", "ae.safetensors", code=4),
    "clip": Case("clip.safetensors", code=3), "t5": Case("t5.safetensors", code=3), "vae": Case("vae.safetensors", code=3),
}


def write_cases(place: Path) -> None:
    """Names and dtypes as diffusers' and kohya's writers give them, of several years."""
    def file(name: str, tensors: dict, dtype: str = "F16") -> None:
        write_sparse(place / f"{name}.safetensors", tensors, dtype)

    def flux_folder(name: str, denoiser: str, text: dict) -> None:
        write_folder(place / name, "FluxPipeline", {"transformer": graph(denoiser), "vae": vae("flux"), "text_encoder": CLIP,
                                                    "text_encoder_2": text}, "BF16")
        (place / name / "tokenizer_2").mkdir()
        shutil.copy(SPIECE, place / name / "tokenizer_2")

    v1, xl = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")
    process = {"betas": [1000], "alphas_cumprod": [1000], "model_ema.num_updates": [1]}
    file("v1", single_sd15(text=CLIP | POSITIONS) | process, "F32")
    file("v1-kohya", single_sd15())
    file("v1-inpaint", single_sd15("sd15-inpaint-unet", CLIP | POSITIONS))
    file("v1-bare", unet("sd15-unet") | prefixed("cond_stage_model.transformer.", CLIP))
    parts = {"vae": vae("sd"), "text_encoder": CLIP | POSITIONS}
    write_folder(place / "v1-folder", v1, {"unet": graph("sd15-unet")} | parts)
    write_folder(place / "v1-bf16", v1, {"unet": graph("sd15-unet"), "vae": vae("sd"), "text_encoder": CLIP}, "BF16")
    write_folder(place / "v1-inpaint-folder", "StableDiffusionInpaintPipeline", {"unet": graph("sd15-inpaint-unet")} | parts)
    file("xl", single_sdxl(CLIP | POSITIONS))
    file("xl-kohya", single_sdxl(), "BF16")
    write_folder(place / "xl-folder", xl, {"unet": graph("sdxl-unet"), "text_encoder_2": graph("clip-g") | POSITIONS} | parts)
    file("refiner", unet("sdxl-refiner-unet") | original("clip-g", "conditioner.embedders.0.model.")
         | original_vae("sd", "first_stage_model."))
    for name in ("dev", "schnell"):
        file(name, original(f"flux-{name}"), "BF16")
    file("dev-whole", original("flux-dev", "model.diffusion_model.") | original_vae("flux", "vae.")
         | prefixed("text_encoders.clip_l.transformer.", CLIP | POSITIONS)
         | prefixed("text_encoders.t5xxl.transformer.", graph("t5-xxl") | SECOND_TABLE), "F8_E4M3")
    flux_folder("dev-folder", "flux-dev", graph("t5-xxl") | SECOND_TABLE)
    flux_folder("schnell-folder", "flux-schnell", T5 | SECOND_TABLE)
    file("clip", CLIP | POSITIONS)
    file("t5", graph("t5-xxl") | SECOND_TABLE)
    file("vae", original_vae("sd", ""))
    file("ae", original_vae("flux", ""), "F32")
    shutil.copy(SPIECE, place)


@needs(has_engine, "400 imports take minutes under the sanitizers")
class Known(CliTest):
    def setUp(self) -> None:
        super().setUp()
        write_cases(self.folder)

    def verdict(self, name: str, home: Path, *more: str) -> tuple:
        """What an import comes to: exit code, report, notes and messages, all but the folder and the time."""
        result = run("import", *CASES[name].words, "--name", f"as-{name}", "--json", *more, cwd=self.folder,
                     env={**os.environ, "XDG_DATA_HOME": str(home)})
        report = json.loads(result.stdout) if result.stdout else {}
        for key in ("path", "seconds"):
            report.pop(key, None)
        return result.returncode, report, result.stderr.decode()

    def test_an_import_comes_to_the_same_whatever_was_imported_before(self) -> None:
        alone = {name: self.verdict(name, self.folder / "alone" / name) for name in CASES}
        for name, case in CASES.items():
            self.assertEqual(alone[name][0], case.code, f"{name}: {alone[name][2]}")
        halves = sum(math.prod(shape) for name in ("flux-dev", "clip-l", "t5-xxl") for shape in graph(name).values())
        self.assertIn(f"take {4 * halves / 1e9:.3g} GB of memory", alone["dev"][2])  # T5's second table is not needed
        made = [name for name, case in CASES.items() if case.code == 0]
        self.assertGreater(len(made), 10)

        def after(first: str) -> list[str]:
            home = self.folder / "alone" / first
            return [f"{name} after {first}" for name in CASES
                    if name != first and self.verdict(name, home, "--dry-run") != alone[name]]

        with ThreadPoolExecutor(2) as pool:
            changed = [line for lines in pool.map(after, made) for line in lines]
        self.assertEqual(changed, [])
        everything = self.folder / "everything"
        for name in [*reversed(CASES), *CASES]:  # the second time each finds itself and all others there
            self.assertEqual(self.verdict(name, everything, "--overwrite"), alone[name], name)


if __name__ == "__main__":
    main(__doc__)
