#!/usr/bin/env python3
"""Put libtorch into .deps/, out of the wheels that PyPI carries.

The wheels and their sha256 stand in torch.lock.json. Only the files that the lock names are unpacked: the CPU set is
the headers, libtorch_cpu and the few libraries that it needs; --cuda adds the GPU half to the same tree. Downloads go
through pip, so its own settings (mirrors, proxies, PIP_NO_INDEX, PIP_FIND_LINKS) hold. A second run does nothing.
"""

from __future__ import annotations

import argparse
import fcntl
import fnmatch
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "scripts" / "torch.lock.json"
STAMP = "torch.stamp.json"

Wheel = dict[str, Any]


class Failure(Exception):
    """Something the user can act on; the text says what happened and what to do."""


def label(wheel: Wheel) -> str:
    """The wheel's name, version and size, for people."""
    return f"{wheel['name']} {wheel['version']} ({wheel['size'] / 1e6:.0f} MB)"


def digest_of(part: dict[str, Any]) -> str:
    """One digest over everything the lock says about a set."""
    return hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()


def read_stamp(deps: Path) -> dict[str, str]:
    """Which sets lie unpacked in `deps`, each with the digest it was unpacked for."""
    try:
        return dict(json.loads((deps / STAMP).read_text()))
    except (OSError, ValueError):
        return {}


def write_stamp(deps: Path, stamp: dict[str, str]) -> None:
    """Replace the stamp in one step."""
    fresh = deps / (STAMP + ".new")
    fresh.write_text(json.dumps(stamp, indent=2) + "\n")
    fresh.replace(deps / STAMP)


def sha256(path: Path) -> str:
    """The file's sha256 in hex."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            total.update(block)
    return total.hexdigest()


def find_wheel(wheel: Wheel, folders: list[Path]) -> Path | None:
    """The wheel's file in the first folder that has it; one of another size is another wheel."""
    pattern = f"{wheel['name'].replace('-', '_')}-{wheel['version']}-*.whl"
    for folder in folders:
        for path in sorted(folder.glob(pattern)):
            if path.stat().st_size == wheel["size"]:
                return path
    return None


def download(wheel: Wheel, lock: dict[str, Any], folder: Path) -> Path:
    """Fetch one wheel with pip into `folder`."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        raise Failure(f"{sys.executable} has no pip. Install it: sudo apt-get install python3-pip")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--python-version", lock["python"], "--dest", str(folder)]
    command += [word for tag in lock["platforms"] for word in ("--platform", tag)]
    command += [] if sys.stderr.isatty() else ["--quiet"]
    if subprocess.run([*command, f"{wheel['name']}=={wheel['version']}"], stdout=sys.stderr, check=False).returncode:
        raise Failure(f"pip could not fetch {label(wheel)}; its message is above. "
                      "Without network, give a folder with the wheels: scripts/fetch_torch.py --wheels DIR")
    path = find_wheel(wheel, [folder])
    if path is None:
        raise Failure(f"pip fetched another {label(wheel)} than torch.lock.json names; look into {folder}")
    return path


def verify(path: Path, wheel: Wheel) -> None:
    """Stop if the file is not the one that the lock names."""
    found = sha256(path)
    if found != wheel["sha256"]:
        raise Failure(f"{path} is not the wheel in torch.lock.json: sha256 {found}, expected {wheel['sha256']}. "
                      "Delete it and run this again.")


def unpack(path: Path, wheel: Wheel, target: Path) -> None:
    """Unpack the files that the lock takes from one wheel; every pattern must find something."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        wanted: set[str] = set()
        for pattern in wheel["take"]:
            hits = fnmatch.filter(names, pattern)
            if not hits:
                raise Failure(f"{path.name} has no file {pattern}; torch.lock.json does not fit this wheel")
            wanted.update(hits)
        for name in sorted(wanted):
            archive.extract(name, target)


def merge(source: Path, target: Path) -> None:
    """Move a tree into another by renaming, whole folders where the target has none."""
    for entry in sorted(source.iterdir()):
        goal = target / entry.name
        if entry.is_dir() and goal.is_dir():
            merge(entry, goal)
        else:
            entry.replace(goal)


def missing_libraries(library: Path) -> list[str]:
    """What the loader cannot find for `library`, as ldd tells it."""
    environment = {key: value for key, value in os.environ.items() if key != "LD_LIBRARY_PATH"}
    listing = subprocess.run(["ldd", str(library)], capture_output=True, text=True, check=False, env=environment)
    if listing.returncode:
        raise Failure(f"ldd cannot read {library}: {listing.stderr.strip()}")
    missing = [line.split()[0] for line in listing.stdout.splitlines() if "not found" in line]
    return [name for name in missing if not name.startswith("libcuda.so")]  # the driver's own, absent without a GPU


def plan(lock: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Several sets as one: a wheel that two of them share is read once."""
    wheels: dict[str, Wheel] = {}
    for wheel in (wheel for name in names for wheel in lock["sets"][name]["wheels"]):
        before = wheels.get(wheel["name"], {"take": []})
        wheels[wheel["name"]] = {**wheel, "take": [*before["take"], *wheel["take"]]}
    return {
        "unpacked": sum(lock["sets"][name]["unpacked"] for name in names),
        "check": [library for name in names for library in lock["sets"][name]["check"]],
        "wheels": list(wheels.values()),
    }


def check_room(deps: Path, part: dict[str, Any]) -> None:
    """Stop before a download that cannot fit."""
    need = part["unpacked"] + max(wheel["size"] for wheel in part["wheels"])
    free = shutil.disk_usage(deps).free
    if free < need:
        raise Failure(f"{deps} needs {need / 1e9:.1f} GB for libtorch while it unpacks and has {free / 1e9:.1f} GB. "
                      "Free some space, or name another libtorch: cmake -DLAPIS_TORCH=DIR")


def remove_tree(deps: Path) -> None:
    """Forget an unpacked libtorch of another lock."""
    write_stamp(deps, {})
    for folder in [deps / "torch", deps / "nvidia", *deps.glob("*.dist-info")]:
        if folder.exists():
            shutil.rmtree(folder)


def install(names: list[str], lock: dict[str, Any], deps: Path, given: list[Path], keep: Path | None) -> None:
    """Bring sets into `deps`: find or fetch their wheels, verify them, unpack aside, move into place."""
    part = plan(lock, names)
    check_room(deps, part)
    cache = keep or deps / "wheels"
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpack-", dir=deps) as folder:
        for wheel in part["wheels"]:
            path = find_wheel(wheel, [*given, cache])
            if path is None:
                print(f"fetch_torch: fetching {label(wheel)}", file=sys.stderr)
                path = download(wheel, lock, cache)
            verify(path, wheel)
            unpack(path, wheel, Path(folder))
            if keep is None and path.parent == cache:
                path.unlink()
        if "cpu" in names:
            remove_tree(deps)
        merge(Path(folder), deps)
    if keep is None and not any(cache.iterdir()):
        cache.rmdir()
    for library in part["check"]:
        if missing := missing_libraries(deps / library):
            raise Failure(f"{deps / library} lacks {', '.join(missing)}. "
                          "If they are system libraries, install them; otherwise torch.lock.json is wrong.")


@contextmanager
def alone(deps: Path) -> Iterator[None]:
    """Hold the folder against a second run at the same time."""
    with (deps / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def is_whole(part: dict[str, Any], deps: Path) -> bool:
    """Whether every file that the lock names in full is there."""
    names = [name for wheel in part["wheels"] for name in wheel["take"] if "*" not in name]
    return all((deps / name).is_file() for name in names)


def stale_sets(lock: dict[str, Any], deps: Path, wanted: list[str]) -> list[str]:
    """The wanted sets that do not lie in `deps` as the lock has them."""
    stamp = read_stamp(deps)
    return [name for name in wanted
            if stamp.get(name) != digest_of(lock["sets"][name]) or not is_whole(lock["sets"][name], deps)]


def fetch(lock: dict[str, Any], deps: Path, wanted: list[str], given: list[Path], keep: Path | None) -> None:
    """Bring every wanted set that is missing."""
    deps.mkdir(parents=True, exist_ok=True)
    with alone(deps):
        stamp = read_stamp(deps)
        stale = stale_sets(lock, deps, wanted)
        if "cpu" in stale:
            stale = [name for name in lock["sets"] if name in wanted or name in stamp]
            stamp = {}
        for left in deps.glob(".unpack-*"):
            shutil.rmtree(left)
        if stale:
            install(stale, lock, deps, given, keep)
            write_stamp(deps, stamp | {name: digest_of(lock["sets"][name]) for name in stale})
            print(f"fetch_torch: libtorch ({', '.join(stale)}) is in {deps}", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--cuda", action="store_true",
                        help="also bring what --device cuda needs (2.5 GB to fetch, 3 GB on disk)")
    parser.add_argument("--ready", action="store_true", help="change nothing; exit 0 when all is unpacked, else 1")
    parser.add_argument("--deps", type=Path, default=ROOT / ".deps", metavar="DIR", help="where to unpack (.deps)")
    parser.add_argument("--wheels", type=Path, action="append", default=[], metavar="DIR",
                        help="look for the wheels here first; may be given more than once")
    parser.add_argument("--keep-wheels", type=Path, metavar="DIR", help="download into DIR and leave the wheels there")
    options = parser.parse_args()
    lock = json.loads(LOCK.read_text())
    wanted = ["cpu", "cuda"] if options.cuda else ["cpu"]
    if options.ready or not stale_sets(lock, options.deps, wanted):
        return 1 if stale_sets(lock, options.deps, wanted) else 0
    try:
        if (sys.platform, platform.machine()) != ("linux", "x86_64"):
            raise Failure("the pinned libtorch is for Linux on x86_64. Elsewhere, name your own: "
                          "cmake -DLAPIS_TORCH=DIR")
        for folder in options.wheels:
            if not folder.is_dir():
                raise Failure(f"--wheels {folder}: no such folder")
        fetch(lock, options.deps.resolve(), wanted, options.wheels, options.keep_wheels)
    except (Failure, OSError, zipfile.BadZipFile) as failure:
        print(f"fetch_torch: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
