"""Seeded LoRAs for the models that scripts/parity/pictures.py compares with, in the forms that trainers write."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

RANK, ALPHA = 4, 2.0
SHARE = 0.3  # length of what is added to a weight, in lengths of that weight
Tensors = dict[str, torch.Tensor]
LINEAR = r"attn\d?\.(to_[qkv]|to_out\.0|add_[qkv]_proj|to_add_out)|ff\.net\.2|ff_context\.net\.2|proj_in"
CONVOLUTION = r"resnets\.\d\.conv1|resnets\.\d\.conv_shortcut"
TEXT = r"self_attn\.(q|k|v|out)_proj|mlp\.fc[12]"
FUSED = {"img_attn_qkv": ("to_q", "to_k", "to_v"), "txt_attn_qkv": ("add_q_proj", "add_k_proj", "add_v_proj")}
BFL = {"attn.to_out.0": "img_attn_proj", "attn.to_add_out": "txt_attn_proj", "ff.net.2": "img_mlp_2",
       "ff_context.net.2": "txt_mlp_2"}


class Model:
    """What of a diffusers folder LoRAs are trained on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.denoiser = "transformer" if (folder / "transformer").is_dir() else "unet"
        self.family = json.loads((folder / "model.json").read_text("utf-8"))["family"]
        self.layers = json.loads((folder / self.denoiser / "config.json").read_text("utf-8")).get("layers_per_block")

    def weights(self) -> Iterator[tuple[str, str, torch.Tensor]]:
        """Component, module and weight [out, in] or [out, in, k, k] of every layer that is trained."""
        texts = ["text_encoder", *(["text_encoder_2"] if self.family == "sdxl" else [])]
        for component in (self.denoiser, *texts):
            pattern = TEXT if component.startswith("text") else f"{LINEAR}|{CONVOLUTION}"
            tensors: Tensors = {}
            for file in sorted((self.folder / component).glob("*.safetensors")):
                tensors |= load_file(file)
            for name, tensor in sorted(tensors.items()):
                module = name.removesuffix(".weight")
                if name.endswith(".weight") and re.search(rf"(^|\.)({pattern})$", module):
                    yield component, module, tensor.float()


def factors(weight: torch.Tensor, generator: torch.Generator, rank: int = RANK) -> tuple[torch.Tensor, torch.Tensor]:
    """down [rank, in, ...] and up [out, rank, ...] whose product has SHARE of the weight's length."""
    down = torch.randn(rank, *weight.shape[1:], generator=generator)
    up = torch.randn(weight.shape[0], rank, *[1] * (weight.dim() - 2), generator=generator)
    length = (up.flatten(1) @ down.flatten(1)).norm()
    return down, up * (SHARE * weight.norm() / length)


def with_text_model(component: str, module: str) -> str:
    """A text encoder's module as trainers name it, behind the level that transformers 5 took away."""
    missing = component.startswith("text") and not module.startswith("text_model.")
    return f"text_model.{module}" if missing else module


def original_name(module: str, layers: int) -> str:
    """A UNet's attention block by its place in the original code, where SDXL's trainers name it so."""
    def place(match: re.Match[str]) -> str:
        block, attention = int(match[2]), int(match[3])
        number = (layers + 1) * block + attention + (1 if match[1] == "down" else 0)
        return f"{'input' if match[1] == 'down' else 'output'}_blocks.{number}.1."

    module = re.sub(r"^(down|up)_blocks\.(\d+)\.attentions\.(\d+)\.", place, module)
    return module.replace("mid_block.attentions.0.", "middle_block.1.")


def kohya(model: Model) -> Tensors:
    """sd-scripts: SD1.5 under diffusers' names, SDXL's attention under the original ones, Flux with q, k and v fused."""
    generator = torch.Generator().manual_seed(11)
    te = {"text_encoder": "lora_te_" if model.family == "sd15" else "lora_te1_", "text_encoder_2": "lora_te2_"}
    made: Tensors = {}

    def add(key: str, weight: torch.Tensor) -> None:
        down, up = factors(weight, generator)
        made.update({f"{key}.lora_down.weight": down, f"{key}.lora_up.weight": up, f"{key}.alpha": torch.tensor(ALPHA)})

    fused: dict[str, list[torch.Tensor]] = {}
    for component, module, weight in model.weights():
        if component.startswith("text"):
            add(te[component] + with_text_model(component, module).replace(".", "_"), weight)
        elif model.family == "flux":
            block = re.match(r"transformer_blocks\.(\d+)\.(.*)", module)
            if block is None:
                continue  # diffusers splits linear1 at the widths of FLUX.1 alone
            place = f"lora_unet_double_blocks_{block[1]}_"
            joined = [name for name, parts in FUSED.items() if block[2].removeprefix("attn.") in parts]
            if joined:
                fused.setdefault(place + joined[0], []).append(weight)
            elif block[2] in BFL:
                add(place + BFL[block[2]], weight)
        elif model.family != "sdxl":
            add("lora_unet_" + module.replace(".", "_"), weight)
        elif ".attentions." in module:
            add("lora_unet_" + original_name(module, model.layers).replace(".", "_"), weight)
    for key, weights in fused.items():
        add(key, torch.cat(weights))
    return made


def peft(model: Model, dora: bool = False) -> Tensors:
    """diffusers' own form, and DoRA in it."""
    generator = torch.Generator().manual_seed(12)
    made: Tensors = {}
    for component, module, weight in model.weights():
        down, up = factors(weight, generator)
        key = f"{component}.{with_text_model(component, module)}"
        made |= {f"{key}.lora_A.weight": down, f"{key}.lora_B.weight": up}
        if dora:
            lengths = weight.flatten(1).norm(dim=1) * (1 + 0.1 * torch.randn(len(weight), generator=generator))
            ending = ".weight" if component.startswith("text") else ""  # transformers passes over the other form
            made[f"{key}.lora_magnitude_vector{ending}"] = lengths.view(1, -1, 1, 1) if weight.dim() == 4 else lengths
    return made


def peft_metadata(model: Model, tensors: Tensors) -> dict[str, str]:
    """What diffusers records of an adapter whose alpha is not its rank."""
    settings = {}
    for component in sorted({name.split(".")[0] for name in tensors}):
        modules = sorted({re.sub(r"\.lora_[AB]\.weight$", "", name).removeprefix(component + ".").removeprefix("text_model.")
                          for name in tensors if name.startswith(component + ".")})
        settings |= {f"{component}.r": RANK, f"{component}.lora_alpha": ALPHA, f"{component}.target_modules": modules}
    return {"lora_adapter_metadata": json.dumps(settings, indent=2, sort_keys=True)}


def write(folder: Path, form: str, path: Path) -> None:
    """The LoRA of this form for the model in `folder`; the same each time."""
    model = Model(folder)
    tensors = kohya(model) if form == "kohya" else peft(model, dora=form == "DoRA")
    metadata = peft_metadata(model, tensors) if form == "peft with an alpha" else {}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, {"format": "pt"} | metadata)
