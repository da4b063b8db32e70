#!/usr/bin/env python3
"""Write the goldens of tests/core: what diffusers, k-diffusion and transformers give, for lapis to be compared
with.

Examples:
  scripts/golden/make.py               every golden, into tests/golden
  scripts/golden/make.py schedules     one of them
  scripts/golden/make.py vocabulary --bpe bpe_simple_vocab_16e6.txt.gz
                                       the shortened CLIP vocabulary, into tests/data (from PyPI open-clip-torch)
"""

import argparse
import json
import random
import sys
from importlib.metadata import version
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import numpy as np
from diffusers import EulerDiscreteScheduler, FlowMatchEulerDiscreteScheduler
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from transformers import CLIPTokenizer
from transformers.utils import logging

from export.clip_tokenizer import write_vocabulary
from golden import samplers, scheduler_keys, schedules
from golden.common import SD15
from program import ROOT

GOLDEN = ROOT / "tests" / "golden"
VOCABULARY = ROOT / "tests" / "data" / "clip_vocabulary"
MERGES = 1500
LENGTH = 77
STEPS = (1, 2, 3, 5, 10, 20, 50, 999)
ZERO_SNR = {"rescale_betas_zero_snr": True}
COSINE = {"beta_schedule": "squaredcos_cap_v2", "beta_start": 0.0001, "beta_end": 0.02}
DDPM = {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02}

TRICKY_PROMPTS = [
    "",
    "   ",
    "A\n'll 11p223RF☆ho!!to? of a cat",
    "You should've done this",
    "You should\u2019ve done this",
    "r\u00e9sum\u00e9",
    "re\u0301sume\u0301",
    "Un petit chaton très mignon",
    "Dalí",
    "! !! !!!",
    "1233",
    "12 33",
    "猫",
    "人生の意味は",
    "고양이 사진",
    "صورة قطة",
    "รูปแมว",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "\U0001f1eb\U0001f1f7\U0001f1e9\U0001f1ea",
    "\U0001f44d\U0001f3fd",
    "🦊🦊🦊",
    "&amp;lt;",
    "schÃ¶n",
    "ΟΔΥΣΣΕΥΣ",
    "İstanbul",
    "ﬁ ligature",
    "ＡＢＣ",
    "½ ² Ⅷ",
    "a\u00a0b\u200bc\ufeffd\u001ce\u0085f",
    "tab\there\r\nthere",
    "<|endoftext|>",
    "a<|endoftext|>b <|startoftext|> c",
    "<|EndOfText|>!! <|STARTOFTEXT|>x",
    "!<|EndOfText|>",
    "e<|endoftext|>\u0301",
    "</s>",
    "</w>",
    "<extra_id_0>",
    "it'S he'LL i'M we'RE 'tis 'straight ''s",
    "(((",
    "\\(x\\)",
    "a\0b",
    "x" * 2500,
    "Ünï" * 400,
    *(" ".join(["a"] * count) for count in (74, 75, 76, 77, 200)),
    "🦊" * 40,
    "a " * 75 + "\u001c <|endoftext|> très,\u2019 12",
]

ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789",
    "'\"!?.,;:()[]{}<>|/\\-_+=*&^%$#@~`",
    "éèêüñçøåßÉÜÑİıſΣςσДжЯ",
    "猫犬人生の意味は고양이قطةรูป",
    "🦊🐈🎨\u200d\u0301\u0308\ufe0f",
    " \t\n\u00a0\u2003\u3000",
]
WORDS = [
    "a photo of", "the cat's", "don't", "YOU'VE", "<|endoftext|>", "<|EndOfText|>", "sunset, 4k", "Straße", "'s", "  ",
]


def versions() -> dict[str, str]:
    names = ("diffusers", "transformers", "tokenizers", "torch", "numpy", "k-diffusion", "scipy")
    return {name: version(name) for name in names}


def write(name: str, content: dict, folder: Path) -> None:
    """Writes one golden with one case a line, so that a change can be read."""
    cases = ",\n".join(json.dumps(case, separators=(",", ":")) for case in content["cases"])
    head = json.dumps({"made_by": "scripts/golden/make.py", "versions": versions()})
    path = folder / f"{name}.json"
    path.write_text(f'{head[:-1]}, "cases": [\n{cases}\n]}}\n', encoding="utf-8")
    print(f"{path}: {len(content['cases'])} cases, {path.stat().st_size} bytes")


def shortest(values) -> list[float]:
    """float32 values as the shortest decimals that read back the same."""
    return [float(str(value)) for value in np.asarray(values, dtype=np.float32)]


def random_prompt(rng: random.Random) -> str:
    parts = []
    for _ in range(rng.randint(1, 14)):
        if rng.random() < 0.25:
            parts.append(rng.choice(WORDS))
        else:
            alphabet = rng.choice(ALPHABETS)
            parts.append("".join(rng.choice(alphabet) for _ in range(rng.randint(1, 9))))
        if rng.random() < 0.5:
            parts.append(" ")
    return "".join(parts)


def tokenizer_case(tokenizer: CLIPTokenizer, prompt: str) -> dict:
    whole = tokenizer(prompt).input_ids
    ids = tokenizer(prompt, padding="max_length", max_length=LENGTH, truncation=True).input_ids
    filled = min(len(whole), LENGTH)
    assert all(pad == tokenizer.pad_token_id for pad in ids[filled:])
    cut = tokenizer.batch_decode([whole[LENGTH - 1 : -1]])[0]
    return {"prompt": prompt, "ids": ids[:filled], "count": len(whole) - 2, "cut": cut}


def make_clip_tokenizer(folder: Path) -> None:
    tokenizer = CLIPTokenizer(vocab=str(VOCABULARY / "vocab.json"), merges=str(VOCABULARY / "merges.txt"))
    tokenizer.model_max_length = LENGTH
    rng = random.Random(20240229)
    prompts = TRICKY_PROMPTS + [random_prompt(rng) for _ in range(300)]
    write("clip_tokenizer", {"cases": [tokenizer_case(tokenizer, prompt) for prompt in prompts]}, folder)


def euler_scheduler(facts: dict, spacing: str, offset: int, prediction: str) -> EulerDiscreteScheduler:
    return EulerDiscreteScheduler(
        num_train_timesteps=1000, timestep_spacing=spacing, steps_offset=offset, prediction_type=prediction, **facts
    )


def schedule_case(facts: dict, spacing: str, offset: int, prediction: str, steps: int) -> dict:
    scheduler = euler_scheduler(facts, spacing, offset, prediction)
    scheduler.set_timesteps(steps)
    return {
        **facts,
        "spacing": spacing,
        "steps_offset": offset,
        "prediction": "v" if prediction == "v_prediction" else prediction,
        "steps": steps,
        "sigmas": shortest(scheduler.sigmas.numpy()),
        "timesteps": shortest(scheduler.timesteps.numpy()),
        "initial_noise": shortest([scheduler.init_noise_sigma])[0],
    }


def make_schedules(folder: Path) -> None:
    cases = [schedule_case(SD15, spacing, 1, "epsilon", steps)
             for spacing in ("leading", "linspace", "trailing") for steps in STEPS]
    cases += [schedule_case(SD15, "leading", 0, "epsilon", steps) for steps in (1, 7, 30)]
    cases += [schedule_case(SD15, spacing, 1, "v_prediction", 10) for spacing in ("leading", "linspace", "trailing")]
    cases += [schedule_case(DDPM, spacing, 1, "epsilon", steps)
              for spacing in ("leading", "linspace", "trailing") for steps in (5, 20)]
    cases += [schedule_case(facts | ZERO_SNR, spacing, 1, "v_prediction", steps)
              for facts in (SD15, DDPM, COSINE) for spacing in ("leading", "linspace", "trailing") for steps in (1, 7, 30)]
    cases += [schedule_case(facts, spacing, 1, "epsilon", 20) for facts in (SD15 | ZERO_SNR, COSINE)
              for spacing in ("leading", "linspace", "trailing")]
    cases += [schedule_case(facts, "trailing", 0, "v_prediction", 1000) for facts in (SD15 | ZERO_SNR, COSINE)]
    write("schedules", {"cases": cases}, folder)


def make_scheduler_keys(folder: Path) -> None:
    write("scheduler_keys", {"cases": scheduler_keys.cases()}, folder)


def make_samplers(folder: Path) -> None:
    write("samplers", {"cases": samplers.cases()}, folder)


def make_schedule_table(folder: Path) -> None:
    write("schedule_table", {"cases": schedules.cases()}, folder)


def flow_case(dynamic: bool, shift: float, steps: int, tokens: int) -> dict:
    """The sigmas that FluxPipeline walks for a picture of so many tokens."""
    scheduler = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=dynamic, shift=shift)
    scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), mu=calculate_shift(tokens))
    return {"dynamic": dynamic, "shift": shift, "steps": steps, "tokens": tokens,
            "sigmas": shortest(scheduler.sigmas.numpy()), "timesteps": shortest(scheduler.timesteps.numpy())}


def make_flow_schedule(folder: Path) -> None:
    cases = [flow_case(True, 1.0, steps, tokens) for steps in (1, 2, 4, 20, 50) for tokens in (16, 256, 1000, 4096, 8192)]
    cases += [flow_case(False, shift, steps, 256) for shift in (1.0, 3.0) for steps in (1, 4, 28)]
    write("flow_schedule", {"cases": cases}, folder)


MAKERS = {"clip_tokenizer": make_clip_tokenizer, "schedules": make_schedules, "samplers": make_samplers,
          "schedule_table": make_schedule_table, "scheduler_keys": make_scheduler_keys, "flow_schedule": make_flow_schedule}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to write: {', '.join([*MAKERS, 'vocabulary'])}")
    parser.add_argument("--out", type=Path, default=GOLDEN, help="folder of the goldens (default: %(default)s)")
    parser.add_argument("--bpe", type=Path, help="bpe_simple_vocab_16e6.txt.gz, for `vocabulary` alone")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in [*MAKERS, "vocabulary"]]
    if unknown:
        parser.error(f"unknown golden {unknown[0]!r}")
    if "vocabulary" in arguments.names:
        if arguments.bpe is None:
            parser.error("`vocabulary` needs --bpe")
        write_vocabulary(arguments.bpe, MERGES, VOCABULARY)
    logging.set_verbosity_error()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, make in MAKERS.items():
        if not arguments.names or name in arguments.names:
            make(arguments.out)


if __name__ == "__main__":
    main()
