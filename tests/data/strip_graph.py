"""Takes out of a saved graph what libtorch records for its own messages: it names files of the machine that wrote it."""

from __future__ import annotations

import zipfile
from pathlib import Path


def strip(path: Path) -> None:
    """Leaves the debug records out of the TorchScript archive at `path`; all else keeps its bytes and its place."""
    if not zipfile.is_zipfile(path):
        return  # a test's file that is no graph
    with zipfile.ZipFile(path) as archive:
        entries = [(entry, archive.read(entry)) for entry in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in entries:
            if entry.filename.endswith(".debug_pkl") or "/traced_inputs" in entry.filename:
                continue
            kept = zipfile.ZipInfo(entry.filename)
            kept.compress_type = entry.compress_type
            archive.writestr(kept, content)
