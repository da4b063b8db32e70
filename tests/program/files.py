"""The files that the recorded commands read: small, seeded, the same on every machine."""

from __future__ import annotations

import json
import shutil
import struct
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "cli"))

from checkpoints import graph, single_file, single_sd15, single_sdxl, unet, vae, write_folder, write_sparse  # noqa: E402
from loras import RANK, factors, kohya, lora_bytes, peft, weights  # noqa: E402
from support import MODEL, SPACES, SPIECE, f32, passport, safetensors, smooth  # noqa: E402


def latent(space: str = "sd15", lineage: str = "", cells: tuple[int, int] = (8, 8), batch: int = 1,
           fill: float | None = None, **facts: str) -> bytes:
    """A latent of lapis' own format; `facts` change what it says of itself."""
    shape = (batch, SPACES[space][0], *cells)
    values = smooth(shape) if fill is None else [fill] * (batch * shape[1] * cells[0] * cells[1])
    return safetensors({"latent": f32(shape, values)}, passport(space, lineage or f"tiny-{space}", shape, **facts))


def npy(shape: tuple[int, ...]) -> bytes:
    """The same numbers as NumPy keeps them, which says nothing of their space."""
    header = str({"descr": "<f4", "fortran_order": False, "shape": shape}).encode().ljust(117) + b"\n"
    values = smooth(shape)
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header + struct.pack(f"<{len(values)}f", *values)


def ppm(width: int, height: int) -> bytes:
    """A picture whose colours change slowly."""
    return b"P6 %d %d 255\n" % (width, height) + bytes(
        value for y in range(height) for x in range(width)
        for value in (255 * x // width, 255 * y // height, 127 * (x + y) // max(width, height)))


def pgm(width: int, height: int, white_from: int) -> bytes:
    """A mask that is white from a column on."""
    return b"P5 %d %d 255\n" % (width, height) + bytes([255 * (x >= white_from) for x in range(width)]) * height


def embedding(width: int) -> bytes:
    return safetensors({"emb_params": f32((1, width), [0.1] * width)})


def loras() -> dict[str, bytes]:
    """LoRAs of several forms for the bundled models, and such as are refused."""
    style = kohya("lora_unet_", factors(weights("tiny-sd15", "unet")), 2)
    text = {name.removeprefix("text_model."): pair
            for name, pair in factors(weights("tiny-sd15", "text_encoder")).items()}
    up = next(name for name in style if name.endswith("up.weight"))
    (rows, _), values = style[up]
    numbers = {
        "loras/style": style, "loras/text": kohya("lora_te_text_model_", text),
        "loras/xl": peft("unet.", factors(weights("tiny-sdxl", "unet"))),
        "loras/flux": peft("transformer.", factors(weights("tiny-flux", "transformer"))),
        "loras/deep/ink": peft("base_model.model.", factors(weights("tiny-sd15", "unet"))),
        "loras/peft/adapter_model": peft("unet.", factors(weights("tiny-sd15", "unet"))),
        "lora_more": style | {"lora_unet_nowhere.lora_down.weight": ([1, 3], [1.0] * 3)},
        "lora_half": {name: pair for name, pair in style.items() if name != up},
        "lora_rank": style | {up: ([rows, RANK - 1], values[:rows * (RANK - 1)])},
        "lora_nan": style | {up: ([rows, RANK], [float("nan"), *values[1:]])},
        "lora_oft": {"lora_unet_x.oft_blocks": ([1], [1.0]), "lora_unet_x.alpha": ([], [1.0])},
        "lora_nobody": {"lora_unet_x.lora_down.weight": ([1, 3], [1.0] * 3),
                        "lora_unet_x.lora_up.weight": ([3, 1], [1.0] * 3)},
        "lora_whole": style | {"unet.conv_in.bias": ([80], [0.0] * 80)}}
    return {f"{name}.safetensors": lora_bytes(tensors) for name, tensors in numbers.items()}


def checkpoints() -> dict[str, bytes]:
    """A bundled model in one file under the original names, and such files as are refused."""
    whole = single_file(MODEL)
    out = "model.diffusion_model.out.2.weight"
    number = ("F32", [1], bytes(4))
    variants = {
        "v1": whole | {"model_ema.decay": number}, "v_pred": whole | {"v_pred": number, "ztsnr": number},
        "ztsnr": whole | {"ztsnr": number},
        "eight_bit": whole | {out: ("U8", whole[out][1], bytes(len(whole[out][2]) // 2))},
        "no_vae": {name: tensor for name, tensor in whole.items() if "first_stage" not in name},
        "lacking": {name: tensor for name, tensor in whole.items() if name != out},
        "lacking_more": {name: tensor for name, tensor in whole.items() if ".out." not in name},
        "misshapen": whole | {out: (whole[out][0], whole[out][1][::-1], whole[out][2])},
        "poisoned": whole | {out: (*whole[out][:2], b"\xff" * len(whole[out][2]))},
        "gligen": whole | {"model.diffusion_model.input_blocks.1.1.transformer_blocks.0.fuser.alpha_attn": number},
        "control": whole | {"control_model.time_embed.0.weight": number},
        "bare": {name: tensor for name, tensor in whole.items() if name.startswith("model.")},
        "no_denoiser": {name: tensor for name, tensor in whole.items() if "first_stage" in name},
        "other": {"some.weight": number}}
    return {f"{name}.safetensors": safetensors(tensors) for name, tensors in variants.items()}


def write_published(place: Path) -> None:
    """Checkpoints of the published models at their real sizes, which take no room on the disk: all zeros."""
    clip = graph("clip-l")
    for name, tensors in {"v1": single_sd15(), "xl": single_sdxl(), "dev": graph("flux-dev"), "ae": vae("flux"),
                          "clip_l": clip, "t5": graph("t5-xxl"), "inpaint": unet("sd15-inpaint-unet"),
                          "refiner": unet("sdxl-refiner-unet")}.items():
        write_sparse(place / f"{name}.safetensors", tensors)
    parts = {"unet": graph("sd15-unet"), "vae": vae("sd"), "text_encoder": clip}
    write_folder(place / "folder", "StableDiffusionPipeline", parts)
    write_folder(place / "pix2pix", "StableDiffusionInstructPix2PixPipeline", {"vae": vae("sd")})
    write_folder(place / "unheard", "UnheardPipeline", {"vae": vae("sd")})
    (place / "t5").mkdir()
    shutil.copy(SPIECE, place / "t5")


def write_all(place: Path) -> None:
    """Every file, below `place`."""
    part = {"sigma": "1.5", "path": "variance_exploding", "step": "1", "draws": "1"}
    config = {"_class_name": "AutoencoderKL", "block_out_channels": [8] * 4, "scaling_factor": 0.13025,
              "latent_channels": 4}
    files = {
        "a.safetensors": latent(), "two.safetensors": latent(batch=2), "odd.safetensors": latent(cells=(9, 9)),
        "xl.safetensors": latent("sdxl"), "flux.safetensors": latent("flux"), "part.safetensors": latent(**part),
        "published.safetensors": latent(lineage="sd15"), "published_xl.safetensors": latent("sdxl", "sdxl"),
        "published_part.safetensors": latent(lineage="sd15", **part),
        "elsewhere.safetensors": latent(lineage="elsewhere"), "changed.safetensors": latent(vae_sha256="ab" * 32),
        "raw_units.safetensors": latent(units="vae"), "contradicts.safetensors": latent(scale="0.13025"),
        "nan.safetensors": latent(fill=float("nan")), "zeros.safetensors": latent(fill=0),
        "large.safetensors": latent(cells=(257, 257), fill=0.5), "cut.safetensors": latent()[:-16],
        "future.safetensors": latent(format="lapis.latent.9"), "a.npy": npy((1, 4, 8, 8)),
        "a.ppm": ppm(64, 64), "b.ppm": ppm(80, 64), "wide.ppm": ppm(96, 64), "tiny.ppm": ppm(24, 24),
        "huge.ppm": ppm(1280, 1280), "cut.ppm": ppm(64, 64)[:-100], "mask.pgm": pgm(64, 64, 32),
        "black.pgm": pgm(64, 64, 64), "thin.pgm": pgm(64, 64, 63), "small.pgm": pgm(32, 32, 0),
        "hello.txt": b"hello, world\n", "prompt.txt": b"a red house in snow\n", "latin1.txt": b"caf\xe9\n",
        "empty": b"", "style.safetensors": embedding(128), "narrow.safetensors": embedding(3),
        "vae/config.json": json.dumps(config).encode(),
        "odd_vae/config.json": json.dumps(config | {"scaling_factor": 0.5}).encode(),
        "loras/peft/adapter_config.json": json.dumps({"r": RANK, "lora_alpha": 6, "unheard_of": 1}).encode(),
        "a.ckpt": b"\x80\x02}q\x00.", "a.gguf": b"GGUF" + bytes(60), "exists.png": b"mine",
        "exists.safetensors": b"mine", **loras(), **checkpoints()}
    for folder in ("home", "folder", "vae", "odd_vae", "loras/deep", "loras/peft"):
        (place / folder).mkdir(parents=True)
    for name, content in files.items():
        (place / name).write_bytes(content)
    write_published(place / "published")
