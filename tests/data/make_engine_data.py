#!/usr/bin/env python3
"""Makes the small graphs and weights of tests/engine and tests/cli. Run in this folder, with torch 2.11 and safetensors.

    line.pt                 y = slope * x + inner.offset; parameters are one number each, named "slope", "inner/offset"
    line*.safetensors       its weights: right, in half precision, and wrong in three ways
    line_plain.pt           the same with slope 3 and offset 0.5 inside
    echo.pt                 (sample, timestep, context) -> sample + timestep + mean of context, by batch row
    plain_text_encoder.pt   ids [B, L] -> three outputs of width 128 made of sines, with a weight inside
    trial_*.pt              echo.pt and plain_text_encoder.pt as others export them: what `import --torchscript` must tell
    hostile_*.pt            line_plain.pt, but it would write "written_by_a_graph", as it runs or as it is loaded, or map
                            a file, or read beyond its own numbers
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from strip_graph import strip
from torch import nn


class Line(nn.Module):
    """y = slope * x + offset over [N]."""

    def __init__(self, offset_name: str) -> None:
        super().__init__()
        self.offset_name = offset_name
        self.register_parameter("slope", nn.Parameter(torch.tensor([3.0])))
        self._parameters[offset_name] = nn.Parameter(torch.tensor([0.5]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.slope * x + self._parameters[self.offset_name]


class Echo(nn.Module):
    """sample [B, 4, h, w], timestep [B], context [B, ...] -> [B, 4, h, w]."""

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        return sample + timestep[:, None, None, None] + context.flatten(1).mean(1)[:, None, None, None]


class Sines(nn.Module):
    """ids [B, L] -> states and normed [1, B, L, 128], pooled [B, 128]."""

    def __init__(self) -> None:
        super().__init__()
        self.rates = nn.Parameter(torch.linspace(0.1, 2.0, 128))

    def forward(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        state = torch.sin(ids[..., None].type_as(self.rates) * self.rates)
        return state[None], state[None], state[:, 0]


class TrialScalar(nn.Module):
    """Echo with one timestep [] for all rows."""

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, encoder_hidden_states: torch.Tensor) -> torch.Tensor:
        return sample + float(timestep) + encoder_hidden_states.flatten(1).mean(1)[:, None, None, None]


class TrialWhole(nn.Module):
    """Echo that looks its timestep up in a table."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(501, 1)

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        return sample + self.table(timestep)[:, :, None, None]


class TrialSwapped(nn.Module):
    """Echo with its inputs in another order."""

    def forward(self, timestep: torch.Tensor, sample: torch.Tensor, encoder_hidden_states: torch.Tensor) -> torch.Tensor:
        return sample.view(sample.size(0), 4, sample.size(2), -1) + timestep[:, None, None, None]


class TrialSize(nn.Module):
    """Echo for latents of 64 x 64 cells alone."""

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        return sample.reshape(-1, 4, 64, 64) + timestep[:, None, None, None]


class TrialBatch(nn.Module):
    """Echo for one picture alone."""

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        return sample.view(1, 4, sample.size(2), sample.size(3)) + timestep.view(1, 1, 1, 1)


class TrialChannels(nn.Module):
    """A denoiser for inpainting: nine channels in."""

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        return torch.conv2d(sample, torch.ones(4, 9, 1, 1))


class TrialDict(nn.Module):
    """Echo in a dict."""

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, context: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"sample": sample}


class TrialNan(nn.Module):
    """Echo that divides by zero."""

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, context: torch.Tensor) -> tuple[torch.Tensor]:
        return (sample / 0,)


class TrialText(nn.Module):
    """A text encoder as most export it: the last states [B, L, 128] and the pooled [B, 128]."""

    def forward(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        state = torch.sin(ids[..., None].float() * torch.linspace(0.1, 2.0, 128))
        return state, state[:, 0]


class TrialPooled(nn.Module):
    """A text encoder that gives back the pooled text alone."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return torch.sin(ids[:, :1].float() * torch.linspace(0.1, 2.0, 128))


class Saves(nn.Module):
    """x [N] -> x, written to a file on the way."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        torch.save(x, "written_by_a_graph")
        return x


class SavesOnLoad(nn.Module):
    """x [N] -> x; libtorch runs __setstate__ as it loads the file."""

    @torch.jit.export
    def __getstate__(self) -> tuple[torch.Tensor, bool]:
        return torch.ones(2), self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[torch.Tensor, bool]) -> None:
        torch.save(state[0], "written_by_a_graph")
        self.training = state[1]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


class Maps(nn.Module):
    """x [N] -> x and the first bytes of a file."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.from_file("/etc/hostname", False, 1, dtype=torch.uint8)


def rewritten(source: str, target: str, entry: str, old: bytes, new: bytes) -> None:
    """Copies an archive with one entry changed."""
    with zipfile.ZipFile(source) as honest, zipfile.ZipFile(target, "w") as changed:
        for item in honest.infolist():
            content = honest.read(item)
            if item.filename.endswith(entry):
                assert old in content, f"{source} has no {old!r} in {entry}"
                content = content.replace(old, new)
            changed.writestr(item.filename, content)


def make_hostile() -> None:
    torch.jit.script(Saves()).save("hostile_save.pt")
    torch.jit.script(SavesOnLoad()).save("hostile_save_on_load.pt")
    torch.jit.script(Maps()).save("hostile_from_file.pt")
    rewritten("hostile_save.pt", "hostile_save_alias.pt", "code/__torch__.py",
              b"torch.save(x, ", b"t = torch\n    t . save(x, ")
    # One number long is what the pickle says of slope, in one byte; 200 are a read far behind it.
    rewritten("line_plain.pt", "hostile_storage.pt", "data.pkl", b"cpuq\x06K\x01", b"cpuq\x06K\xc8")


def main() -> None:
    x = torch.ones(2)
    torch.jit.trace(Line("inner/offset"), (x,), check_trace=False).save("line.pt")
    torch.jit.trace(Line("offset"), (x,), check_trace=False).save("line_plain.pt")
    torch.jit.trace(Echo(), (torch.ones(2, 4, 3, 5), torch.ones(2), torch.ones(2, 4, 2, 2)), check_trace=False).save(
        "echo.pt")
    torch.jit.trace(Sines(), (torch.ones(2, 5, dtype=torch.long),), check_trace=False).save("plain_text_encoder.pt")
    slope, offset = torch.tensor([3.0]), torch.tensor([0.5])
    save_file({"slope": slope, "inner.offset": offset}, "line.safetensors")
    save_file({"slope": slope.half(), "inner.offset": offset.half()}, "line_half.safetensors")
    save_file({"slope": slope}, "line_missing.safetensors")
    save_file({"slope": torch.tensor([3.0, 3.0]), "inner.offset": offset}, "line_shape.safetensors")
    save_file({"slope": torch.tensor([3]), "inner.offset": offset}, "line_integer.safetensors")
    make_hostile()
    for kind in (TrialScalar, TrialWhole, TrialSwapped, TrialSize, TrialBatch, TrialChannels, TrialDict, TrialNan, TrialText,
                 TrialPooled):
        torch.jit.script(kind()).save(f"trial_{kind.__name__.removeprefix('Trial').lower()}.pt")
    for graph in Path().glob("*.pt"):
        strip(graph)


if __name__ == "__main__":
    main()
