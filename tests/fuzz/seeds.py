"""Sound inputs for every fuzz target, from the tests' own data and writers."""

from __future__ import annotations

import argparse
import json
import random
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
DATA = TESTS / "data"
MODELS = TESTS.parent / "models"
SMALL = 8000  # bytes


def files(folder: Path, *patterns: str) -> Iterator[bytes]:
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            if path.is_file() and path.stat().st_size <= SMALL:
                yield path.read_bytes()


def archives() -> Iterator[bytes]:
    return files(DATA, "*.pt")


def programs() -> Iterator[bytes]:
    """Code and pickles of graphs."""
    for path in sorted(DATA.glob("*.pt")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith((".py", ".pkl")):
                    yield archive.read(name)


def choices(count: int) -> Iterator[bytes]:
    """Random choices for the targets that make names of them; always the same ones."""
    rng = random.Random(count)
    for i in range(count):
        yield bytes([i]) + rng.randbytes(rng.choice((12, 40, 120, 300)))


def configs() -> Iterator[bytes]:
    """Behind the number of the reader that each is for."""
    for number, pattern in enumerate(("*/scheduler/scheduler_config.json", "*/vae/config.json")):
        for text in files(MODELS, pattern):
            yield bytes([number]) + text
    classes = ("DDIM", "PNDM", "EulerDiscrete", "EulerAncestralDiscrete", "DPMSolverMultistep", "UniPCMultistep",
               "FlowMatchEulerDiscrete", "LCM", "EDMEuler", "HeunDiscrete", "KDPM2Discrete", "DEISMultistep")
    for name in classes:
        yield b"\0" + json.dumps({"_class_name": f"{name}Scheduler", "beta_schedule": "scaled_linear", "beta_start": 0.00085,
                                  "beta_end": 0.012, "prediction_type": "v_prediction", "rescale_betas_zero_snr": True,
                                  "use_karras_sigmas": True, "timestep_spacing": "trailing", "shift": 3.0}).encode()
    peft = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "use_rslora": True, "alpha_pattern": {"^a.*to_[qk]$": 2},
            "rank_pattern": {"(mid|up)_block": 8}, "target_modules": ["to_q"], "bias": "none", "use_dora": False}
    yield b"\2" + json.dumps(peft).encode()
    yield b"\2" + json.dumps({f"unet.{key}": value for key, value in peft.items()}).encode()
    yield b"\2" + json.dumps({"peft_type": "LOKR", "r": 4, "alpha": 2, "decompose_both": True}).encode()
    job = {"prompt": "a lake", "negative_prompt": "fog", "model": "tiny-sd15", "steps": 2, "sampler": "euler", "seed": 2**64 - 1,
           "guidance": 7.5, "loras": ["style:0.5"], "width": 64, "height": 64, "prompt_syntax": "a1111", "strength": 0.5}
    yield b"\3" + json.dumps({"version": "0.1.0", "job": job, "model": {"name": "tiny-sd15", "family": "sd15", "files": {}},
                              "loras": [{"name": "style", "sha256": "0" * 64, "denoiser": 0.5}]}).encode()


def infotexts() -> Iterator[bytes]:
    yield (b"a lake\nNegative prompt: fog\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 1, "
           b'Size: 64x64, Model: tiny, Lora hashes: "a: 12, b: 34", Version: lapis')
    yield b'a "quoted, value"\nSteps: 1, X: "\\u00e4\\n\\ud83d\\ude00", Y: "", Z: \\"'
    yield "größe\n人生:\n\u2028".encode()


def prompts() -> Iterator[bytes]:
    """Behind the number of the syntax, and whether the text is repeated."""
    texts = ("a serene lakeside, birches", "a (red:1.3) house [fog], ((a)) <lora:style:0.8> BREAK a lake", "\\(x\\) a:1.1)",
             "embedding:cat-toy, (a:1.5) <b>", "größe 人生 👩\u200d🚀 <|endoftext|> </s> <extra_id_3>", "((((", "[a:b:0.5]", "x AND y")
    for text in texts:
        for syntax in range(3):
            for repeat in (0, 249, 255):
                yield bytes([syntax, repeat]) + text.encode()


def pictures() -> Iterator[bytes]:
    return files(DATA / "pictures", "*")


def latents() -> Iterator[bytes]:
    return files(DATA / "latents", "*")


def tensors() -> Iterator[bytes]:
    yield from files(DATA, "*.safetensors")
    yield from files(DATA / "latents", "*.safetensors", "*.latent")
    header = json.dumps({"__metadata__": {"a": "b"}, "x": {"dtype": "F4", "shape": [2, 0], "data_offsets": [0, 0]}}).encode()
    yield struct.pack("<Q", len(header)) + header


def texts() -> Iterator[bytes]:
    yield from files(MODELS, "*/*.json", "*/*/*.json")


SEEDS = {
    "checkpoint": lambda: choices(200),
    "config": configs,
    "graph_archive": archives,
    "graph_program": programs,
    "infotext": infotexts,
    "json": texts,
    "latent": latents,
    "lora": lambda: choices(201),
    "picture": pictures,
    "png": lambda: files(DATA / "pictures", "*.png"),
    "prompt": prompts,
    "safetensors": tensors,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=SEEDS, help="the fuzz target, without fuzz_")
    parser.add_argument("folder", type=Path, help="where the seeds are written")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(SEEDS[arguments.target]()):
        (arguments.folder / f"seed-{number}").write_bytes(content)


if __name__ == "__main__":
    main()
