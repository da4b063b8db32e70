"""Latents on disk as other tools write and read them, for scripts/parity/latents.py. Nothing here knows lapis' code."""

from __future__ import annotations

import dataclasses
import json
import struct
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from parity.cases import Facts

COMFY_METADATA = {"prompt": json.dumps({"3": {"class_type": "KSampler"}}), "workflow": json.dumps({"nodes": []})}


@dataclasses.dataclass(frozen=True)
class Form:
    """One way to save a latent. `tensor` is the safetensors key; None for .npy."""

    name: str
    lapis: str  # the form's name there
    units: str  # what the numbers are: "model" or "vae"
    tensor: str | None
    layout: str = "drawn"  # "drawn": as the pipeline returns it; "plain": [B, C, h, w]; "one": [C, h, w]
    marker: bool = False  # ComfyUI's
    metadata: dict[str, str] | None = None
    told: dict[str, str] = dataclasses.field(default_factory=dict)  # what lapis needs beside space and size
    must_name: bool = False  # without its name the file would be taken for another form's
    read_only: bool = False
    sibling: bool = False  # of a form that differs from it in little

    @property
    def ending(self) -> str:
        return ".npy" if self.tensor is None else ".latent" if self.tensor == "latent_tensor" else ".safetensors"

    @property
    def adds_batch(self) -> bool:
        """One picture without a batch gets one on the way."""
        return self.layout == "one"

    @property
    def comes_back(self) -> str:
        """What must come back: safetensors writes several metadata in a random order, so those fix no file."""
        if self.read_only:
            return "read only"
        return "tensors" if self.adds_batch or len(self.metadata or {}) > 1 else "file"

    def packed(self, facts: Facts) -> bool:
        return facts.flow and self.layout == "drawn"

    def numbers(self, drawn: torch.Tensor, plain: torch.Tensor, raw: torch.Tensor) -> torch.Tensor:
        """Those of the three that the form holds: as drawn, [B, C, h, w] in model units, the same in VAE values."""
        if self.layout == "drawn":
            return drawn
        chosen = raw if self.units == "vae" else plain
        return chosen[0] if self.layout == "one" else chosen

    def write(self, file: Path, numbers: torch.Tensor) -> None:
        if self.tensor is None:
            np.save(file, numbers.numpy())
            return
        tensors = {self.tensor: numbers.contiguous()}
        if self.marker:
            tensors["latent_format_version_0"] = torch.tensor([])
        save_file(tensors, file, metadata=self.metadata)

    def read(self, file: Path) -> torch.Tensor:
        return torch.from_numpy(np.load(file)) if self.tensor is None else load_file(file)[self.tensor]


def forms(facts: Facts) -> list[Form]:
    """Those that a family's latents are saved in."""
    comfy = {"units": "vae", "tensor": "latent_tensor", "layout": "plain"}
    found = [
        Form("diffusers", "diffusers", "model", "latents", metadata={"format": "pt"}),
        Form("diffusers npy", "diffusers-npy", "model", None, told={"form": "diffusers-npy"}, must_name=True),
        Form("comfy", "comfy", **comfy, marker=True, metadata=COMFY_METADATA),
        Form("comfy without metadata", "comfy", **comfy, marker=True, sibling=True),
        Form("dgenerate", "dgenerate", "model", "latents", "plain", told={"form": "dgenerate"}, sibling=True),
        Form("dgenerate, one picture", "dgenerate", "model", "latents", "one", told={"form": "dgenerate"}, sibling=True),
        Form("npy of VAE units", "npy", "vae", None, "plain", told={"units": "vae"}),
        Form("npy of model units", "npy", "model", None, "plain", told={"units": "model"}, sibling=True),
    ]
    if facts.family == "sd15":
        found.append(Form("comfy without marker", "comfy-old", "model", "latent_tensor", "plain", read_only=True,
                          sibling=True))
    return found


def safetensors_parts(file: Path) -> tuple[dict[str, str], dict[str, tuple[str, list[int], bytes]]]:
    """Metadata, and each tensor's dtype, shape and bytes, with nothing but the format's own rules."""
    content = file.read_bytes()
    begin = 8 + struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:begin])
    metadata = header.pop("__metadata__", {})
    return metadata, {name: (facts["dtype"], facts["shape"], content[begin:][slice(*facts["data_offsets"])])
                      for name, facts in header.items()}


def parts(file: Path, is_npy: bool) -> tuple[dict[str, str], dict[str, tuple[str, list[int], bytes]]]:
    if not is_npy:
        return safetensors_parts(file)
    array = np.load(file)
    return {}, {"": (array.dtype.str, list(array.shape), array.tobytes())}


def difference(original: Path, back: Path, adds_batch: bool) -> str:
    """The first of metadata, keys, dtype, shape and bytes that is not the same; "" where all are."""
    is_npy = original.suffix == ".npy"
    (metadata, tensors), (metadata_back, tensors_back) = parts(original, is_npy), parts(back, is_npy)
    if metadata != metadata_back:
        return "other metadata"
    if tensors.keys() != tensors_back.keys():
        return f"other keys: {', '.join(tensors_back)}"
    for name, (dtype, shape, data) in tensors.items():
        dtype_back, shape_back, data_back = tensors_back[name]
        if dtype != dtype_back:
            return f"dtype {dtype_back}"
        if shape_back != ([1, *shape] if adds_batch else shape):
            return f"shape {shape_back}"
        if data != data_back:
            return "other bytes"
    return ""


def same_numbers(original: Path, own: Path) -> bool:
    """Whether a file of ComfyUI and one of lapis' own form hold one tensor."""
    return safetensors_parts(original)[1]["latent_tensor"] == safetensors_parts(own)[1]["latent"]
