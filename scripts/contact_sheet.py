#!/usr/bin/env python3
"""Renders a list of prompts with lapis and pastes the pictures into one PNG."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import peer_python
import program

PROMPTS = (
    "a serene lakeside at sunset",
    "a red house on the left, snow field at night, mountains",
    "a meadow by day with a blue tent on the left and a yellow tree on the right",
    "a white boat on the right, lake at dawn, hills",
    "a purple balloon on the left, desert at sunset, hills",
    "a green lighthouse on the right, lake by day, mountains",
    "a red star on a blue background",
    "a yellow heart on a purple background",
)
EXAMPLES = """examples:
  python scripts/contact_sheet.py tiny-sd15 docs/images/tiny-sd15.png
  python scripts/contact_sheet.py tiny-sd15 sheet.png --prompt "a lake" --prompt "a desert" --columns 2 --seed 3
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="name or folder of a model")
    parser.add_argument("output", type=Path, help="the PNG to write")
    parser.add_argument("--prompt", action="append", help="a prompt; may be repeated (default: eight that show the range)")
    parser.add_argument("--seed", type=int, default=7, help="seed of every picture (default: 7)")
    parser.add_argument("--columns", type=int, default=4, help="pictures in a row (default: 4)")
    program.add_program_option(parser)
    peer_python.add_python_option(parser)
    arguments = parser.parse_args()
    peer_python.enter(arguments.python)
    from PIL import Image

    pictures = []
    with tempfile.TemporaryDirectory() as folder:
        for prompt in arguments.prompt or PROMPTS:
            program.progress(prompt)
            record, = program.generate(arguments.program, prompt, Path(folder) / "picture.png", model=arguments.model,
                                       seed=arguments.seed)
            with Image.open(record["path"]) as picture:
                pictures.append(picture.copy())
    width, height = pictures[0].size
    sheet = Image.new("RGB", (arguments.columns * width, -(-len(pictures) // arguments.columns) * height))
    for i, picture in enumerate(pictures):
        sheet.paste(picture, (i % arguments.columns * width, i // arguments.columns * height))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(arguments.output, optimize=True)
    print(arguments.output)


if __name__ == "__main__":
    main()
