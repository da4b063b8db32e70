#!/usr/bin/env python3
"""Count the house: lines and units of each room, units with a unit test, and includes that run upward.

A unit is a source file. It has a unit test where one below tests/<room>/ bears its name or includes its header. An
include runs upward where its room, or the group of its room, comes after its own (scripts/house/check.py has the order).
--root counts another tree, such as a checkout of an older commit.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

from house import check  # noqa: E402

ORDER = ["core", "io", "engine", "pipeline", "library", "jobs", "cli"]


def has_test(path: str, words: set[str]) -> bool:
    """Whether a test of the room names the unit."""
    stem = Path(path).stem
    return bool({stem, f"test_{stem}"} & words)


def upward(house: check.House, room: str) -> list[str]:
    """Includes of a room that run to a later room or a later group; rooms beside each other count as later."""
    found = []
    groups = check.GROUPS.get(room, [])
    for path in house.cpp(f"src/{room}/"):
        group = path.split("/")[2]
        for line, name in house.includes(path):
            parts = name.split("/")
            later_room = parts[0] in ORDER and parts[0] not in (*check.ROOMS[room], room)
            later_group = (len(parts) > 2 and parts[0] == room and group in groups and parts[1] in groups
                           and groups.index(parts[1]) > groups.index(group))
            if later_room or later_group or (room in ("core", "io") and name == "lapis/engine.hpp"):
                found.append(f"{path}:{line}: {name}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--root", type=Path, default=check.ROOT, metavar="DIR", help="the tree to count (this one)")
    options = parser.parse_args()
    house = check.House(options.root.resolve())
    print(f"{'room':<10}{'lines':>8}{'files':>8}{'units':>8}{'tested':>8}{'upward':>8}")
    for room in ["promise", *ORDER]:
        paths = house.cpp("include/lapis/" if room == "promise" else f"src/{room}/")
        if not paths:
            continue
        units = [path for path in paths if path.endswith(".cpp")]
        tests = house.cpp(f"tests/{room}/")
        words = set(re.findall(r"\w+", " ".join([*tests, *(line for path in tests for line in house.lines(path))])))
        tested = sum(has_test(path, words) for path in units)
        arrows = [] if room == "promise" else upward(house, room)
        lines = sum(len(house.lines(path)) for path in paths)
        print(f"{room:<10}{lines:>8}{len(paths):>8}{len(units):>8}{tested:>8}{len(arrows):>8}")
        for arrow in arrows:
            print(f"  {arrow}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
