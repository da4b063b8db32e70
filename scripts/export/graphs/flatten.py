"""Tracing a part without its numbers.

The recipe, and the reason for each step:
- every parameter is one number expanded to its shape: no checkpoint is needed and the file stays small;
- parameters sit at the root under "a/b/c" names: one TorchScript class instead of a thousand, which loads faster;
- tracing runs in float64, which no network names itself: every cast is a real one (a cast that changes nothing would
  rename its input for the rest of the trace), and a dtype constant left in the graph is provably a baked one;
- casts become `type_as` of an input or parameter, so the graph runs in the dtype of its weights;
- two traces at different odd sizes must come out equal, so no size is baked.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from . import ExportError
from .part import Config, Part, example_inputs

TRACE_DTYPE = torch.float64
TRACE_SIZES = ({"batch": 2, "height": 5, "width": 7, "tokens": 9}, {"batch": 3, "height": 7, "width": 3, "tokens": 4})
CLASS_NAME = "__torch__.lapis.Part"
MANGLED = re.compile(rb"[./]___torch_mangle_\d+")  # torch numbers classes of one name in the order it meets them
VERSION_RECORDS = ("version", ".data/version")  # newer files have the second
WRITER_RECORDS = (*VERSION_RECORDS, "byteorder", ".data/serialization_id")  # the writer makes the others itself


class CastsFollow(TorchFunctionMode):
    """Turns `x.to(model dtype)` into `x.type_as(reference)`, `x.float()` into `x.type_as(single)`, and drops moves
    between devices."""

    def __init__(self, reference: torch.Tensor, single: torch.Tensor | None) -> None:
        """`single`: an input or buffer in float32, where the part has one."""
        super().__init__()
        self.reference, self.single = reference, single

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.Tensor.float and self.single is not None:
            return args[0].type_as(self.single)
        if func is not torch.Tensor.to:
            return func(*args, **kwargs)
        wanted = [*args[1:], *kwargs.values()]
        dtype = next((value for value in wanted if isinstance(value, torch.dtype)), None)
        if dtype is None and not any(isinstance(value, torch.Tensor) for value in wanted):
            return args[0]
        return args[0].type_as(self.reference) if dtype == TRACE_DTYPE else func(*args, **kwargs)


class FlatRoot(nn.Module):
    """Owns the parameters and real buffers of `part` under flat names and calls it."""

    _jit_override_qualname = CLASS_NAME

    def __init__(self, part: nn.Module, names: dict[str, str]) -> None:
        """`names`: parameter or buffer of `part` -> name in the checkpoint."""
        super().__init__()
        self.__dict__["part"] = part  # past nn.Module, which would make it a child with its own names
        for name, parameter in part.named_parameters():
            self.register_parameter(names[name].replace(".", "/"), parameter)
        for name, buffer in part.named_buffers():
            if not buffer.is_meta:
                self.register_buffer(names[name].replace(".", "/"), buffer)

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        reference = next((x for x in inputs if x.dtype == TRACE_DTYPE), next(self.parameters()))
        single = next((x for x in (*inputs, *self.buffers()) if x.dtype == torch.float32), None)
        with CastsFollow(reference, single):
            return self.part(*inputs)


def build_without_numbers(part: Part, config: Config) -> nn.Module:
    """The part's module, each parameter one zero expanded to its shape."""
    with torch.device("meta"):
        module = part.build(config).eval()
    zero = torch.zeros(1, dtype=TRACE_DTYPE)
    for owner in list(module.modules()):
        for name, parameter in list(owner.named_parameters(recurse=False)):
            owner.register_parameter(name, nn.Parameter(zero.expand(parameter.shape), requires_grad=False))
    return module


def trace(part: Part, config: Config, names: dict[str, str]) -> torch.jit.ScriptModule:
    """Traces `part` at two sizes, refuses a graph that holds a constant it must not, and returns it."""
    module = build_without_numbers(part, config)
    buffers = {name: part.checkpoint_names(name)[0] for name, _ in module.named_buffers()}
    root = FlatRoot(module, names | buffers).eval()
    traces = []
    for sizes in TRACE_SIZES:
        inputs = example_inputs(part, config, sizes, TRACE_DTYPE)
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # torch.jit is deprecated, and traced shape tests are harmless here
            traces.append(torch.jit.trace(root, inputs, strict=False, check_trace=False))
    first, second = (trace.code for trace in traces)
    if first != second:
        lines = next((a, b) for a, b in zip(first.split("\n"), second.split("\n")) if a != b)
        raise ExportError(f"{part.name}: a size is baked into the graph: traces at {TRACE_SIZES[0]} and "
                          f"{TRACE_SIZES[1]} differ, first in\n  {lines[0].strip()}\n  {lines[1].strip()}\n"
                          f"Make the module take this size from a tensor's shape.")
    found = list(baked_constants(traces[0].inlined_graph))
    if found:
        raise ExportError(f"{part.name}: constants are baked into the graph, expected none:\n  " + "\n  ".join(found)
                          + "\nMake the module take them from an input or a parameter (type_as, *_like).")
    return traces[0]


def baked_constants(graph: torch.Graph) -> Iterator[str]:
    """Every dtype, device and tensor constant that a node of `graph` takes."""
    for node in graph.nodes():
        for block in node.blocks():
            yield from baked_constants(block)
        if not node.kind().startswith("aten::"):
            continue
        for argument, value in zip(torch._C.parse_schema(node.schema()).arguments, node.inputs()):
            constant = value.toIValue() if value.node().kind() == "prim::Constant" else None
            is_table = isinstance(constant, torch.Tensor) and constant.dim() > 0
            if is_table or (constant is not None and argument.name in ("dtype", "device")):
                yield f"{node.kind()}, argument {argument.name} = {constant}"


def save(traced: torch.jit.ScriptModule, path: Path) -> None:
    """Writes the graph. Same graph, same bytes: without debug records (they name files of this machine), without the
    sample inputs, and with one name for the class, whatever was traced before it."""
    buffer = io.BytesIO()
    torch.jit.save(traced, buffer)
    buffer.seek(0)
    reader = torch._C.PyTorchFileReader(buffer)
    writer = torch._C.PyTorchFileWriter(str(path))
    version = next(name for name in VERSION_RECORDS if reader.has_record(name))
    record = reader.get_record(version)  # of the operators: newer ones are read as such
    writer.write_record("version", record, len(record))
    for name in sorted(reader.get_all_records()):
        if name not in WRITER_RECORDS and not name.endswith(".debug_pkl") and not name.startswith("traced_inputs"):
            record = MANGLED.sub(b"", reader.get_record(name))
            writer.write_record(MANGLED.sub(b"", name.encode()).decode(), record, len(record))
    writer.write_end_of_file()


def pack(path: Path) -> None:
    """Deflates the code and the pickles of a saved graph, a tenth of their size then; libtorch reads both kinds."""
    with zipfile.ZipFile(path) as archive:
        records = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for name, record in records:
            deflated = name.endswith((".py", ".pkl"))
            entry = zipfile.ZipInfo(name)  # of 1980: same graph, same bytes
            archive.writestr(entry, record, zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED, 9)
