#!/usr/bin/env python3
"""Write tests/golden/peft.json: what peft and LyCORIS say of their own configurations, patterns and tensors' names.

    pattern  which of the keys of a pattern is for a module (peft.utils.other.get_pattern_key); "error" where Python's
             `re` refuses a key
    config   the fields of the configurations that lapis applies
    type     every type of adapter that peft knows, how the names of its tensors begin, and the names of its layers
    lycoris  the names and shapes that every algorithm of LyCORIS saves of one layer

Expressions are drawn from a seed besides those written down here.

Examples:
  scripts/golden/peft_configs.py --lycoris unpacked/lycoris_lora
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import inspect
import json
import pkgutil
import random
import re
import sys
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import peft
import peft.tuners
import torch
from peft import LoHaConfig, LoKrConfig, LoraConfig
from peft.mapping import PEFT_TYPE_TO_PREFIX_MAPPING
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils.other import get_pattern_key

from program import ROOT

GOLDEN = ROOT / "tests" / "golden" / "peft.json"
MODULES = ["down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q", "attn1.to_q", "xattn1.to_q", "attn1_to_q",
           "mid_block.resnets.1.conv2", "transformer_blocks.17.attn.add_k_proj", "single_transformer_blocks.3.proj_mlp", ""]
KEYS = [
    "to_q", "attn1.to_q", "^attn1.to_q", "^down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q", r"attn1\.to_q",
    r".*\.to_[qk]", "to_q|conv2", "attn1.to_q$", r"down_blocks\.\d+\..*", r"transformer_blocks\.(\d|1[0-7])\.attn\..*",
    "(?:to_q|to_k)", "(?P<name>to_q)", "to_.", "t{1}o_q", "to_q{0}", "to_{1,2}q", "(to_)?q", "to_q?", "[^.]*", "[a-z_]+",
    r"[\w.]+", r"\w+\.\w+", "a|b)|(to_q", ".*", "", ".+conv[2-9]", r"\bconv2", r"\Bonv2", r"conv\d$", "x*y*to_q", "{to_q",
    "to_q{", "to_q{,}", "(a*)*to_q", "(a|aa)+$", "((a+)+)+b", r"\Ato_q", r"to_q\Z", "[]]", "[^]]+", "[a-]to_q", "conv2-?",
    r"\.to_q", "_to_q", "to_q.", "TO_Q", r"to\x5fq",
]
BROKEN = ["(", ")", "[", "[z-a]", "*", "a**", "a{2,1}", "(?", "+to_q", "a|*", r"\q", "(?P<1>a)", "a?{2}", r"[\d-x]", "^*", "{2}",
          "(?i)to_q", "(?P<>a)"]
PIECES = ["to_q", "attn1", r"\.", ".", "conv", "2", r"\d", r"\w", "[a-t_]", "[^.]", "(a|t)", "o_q", "b", "_"]
ALGORITHMS = ["lora", "loha", "lokr", "full", "dylora", "glora", "ia3", "diag-oft", "boft", "tlora"]
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "lora": [{}, {"use_tucker": True}, {"weight_decompose": True}], "loha": [{}, {"use_tucker": True}],
    "lokr": [{}, {"use_tucker": True}, {"full_matrix": True}, {"decompose_both": True}], "diag-oft": [{}, {"rescaled": True}],
}


def patterns() -> Iterator[dict[str, Any]]:
    draw = random.Random(14)
    drawn = ["".join(draw.choice(PIECES) + draw.choice(["", "", "", "*", "+", "?", "{2}", "{0,2}", "|"])
                     for _ in range(draw.randint(1, 5))) for _ in range(300)]
    for key in KEYS + BROKEN + drawn:
        try:
            found = [get_pattern_key([key], module) == key and (module != key or _matches(key, module)) for module in MODULES]
        except re.error:
            yield {"kind": "pattern", "key": key, "error": True}
        else:
            yield {"kind": "pattern", "key": key, "matches": [int(each) for each in found]}


def _matches(key: str, module: str) -> bool:
    """Where a module is called as the key is, peft's answer alone does not tell."""
    return re.match(rf"(.*\.)?({key})$", module) is not None


def configs() -> Iterator[dict[str, Any]]:
    for config in (LoraConfig, LoHaConfig, LoKrConfig):
        yield {"kind": "config", "class": config.__name__,
               "fields": sorted({field.name for field in dataclasses.fields(config)})}


def types() -> Iterator[dict[str, Any]]:
    names: dict[str, set[str]] = {}
    for module in pkgutil.walk_packages(peft.tuners.__path__, "peft.tuners."):
        try:
            content = importlib.import_module(module.name)
        except ImportError:
            continue
        for _, layer in inspect.getmembers(content, inspect.isclass):
            if issubclass(layer, BaseTunerLayer) and isinstance(layer.adapter_layer_names, tuple):
                names.setdefault(layer.__module__.split(".")[2].upper(), set()).update(layer.adapter_layer_names)
    for kind, prefix in sorted(PEFT_TYPE_TO_PREFIX_MAPPING.items()):
        yield {"kind": "type", "type": kind.value, "prefix": prefix, "names": sorted(names.get(kind.value, set()))}


def lycoris_cases() -> Iterator[dict[str, Any]]:
    from lycoris import create_lycoris
    from lycoris.wrapper import LycorisNetwork

    for algorithm in ALGORITHMS:
        for options in OPTIONS.get(algorithm, [{}]):
            network = torch.nn.ModuleDict({"linear": torch.nn.Linear(16, 32), "conv": torch.nn.Conv2d(8, 8, 3),
                                           "norm": torch.nn.LayerNorm(8)})
            LycorisNetwork.apply_preset({"target_name": ["linear", "conv", "norm"], "target_module": []})
            made = create_lycoris(network, 1.0, linear_dim=4, linear_alpha=2.0, algo=algorithm, train_norm=True, **options)
            made.apply_to()
            tensors = {name: list(value.shape) for name, value in sorted(made.state_dict().items())}
            yield {"kind": "lycoris", "algorithm": algorithm, "options": options, "tensors": tensors}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=GOLDEN, metavar="FILE", help="the golden (default: tests/golden/peft.json)")
    parser.add_argument("--lycoris", type=Path, required=True, metavar="FOLDER",
                        help="where the wheels of lycoris-lora, einops and toml are unpacked (pip download --no-deps)")
    arguments = parser.parse_args()
    sys.path.insert(0, str(arguments.lycoris))
    warnings.simplefilter("ignore")
    cases = [*patterns(), *configs(), *types(), *lycoris_cases()]
    wheel = next(arguments.lycoris.glob("lycoris_lora-*.dist-info")).name.split("-")[1].removesuffix(".dist")
    head = {"made_by": "scripts/golden/peft_configs.py", "versions": {"peft": version("peft"), "lycoris-lora": wheel},
            "modules": MODULES}
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in cases)
    arguments.out.write_text(f'{json.dumps(head)[:-1]}, "cases": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{arguments.out}: {len(cases)} cases, {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
