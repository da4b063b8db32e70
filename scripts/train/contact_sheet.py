#!/usr/bin/env python3
"""Renders a list of prompts with lapis and pastes the pictures into one PNG; of several models, a labelled row each."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import peer_python
import program

PROMPTS = (
    "a serene lakeside at sunset",
    "a red house on the left, snow field at night, mountains",
    "a meadow by day with a blue tent on the left and a yellow tree on the right",
    "a white boat on the right, lake at dawn, hills",
    "a purple balloon",
    "a green lighthouse on the right, lake by day, mountains",
    "two red houses and a blue boat",
    "three green trees in the snow at sunset",
    "a yellow tent to the right of a purple house",
    "an empty desert at night, no house",
    "a red star on a blue background",
    "a yellow heart on a purple background",
)
ROW_PROMPTS = PROMPTS[:2] + PROMPTS[5:6]  # where several models stand one below the other
LABEL = 22  # pixels of the strip above a row
EXAMPLES = """examples:
  python scripts/train/contact_sheet.py tiny-sd15 docs/images/tiny-sd15.png
  python scripts/train/contact_sheet.py tiny-sd15 tiny-sdxl tiny-flux docs/images/families.png
  python scripts/train/contact_sheet.py tiny-sd15 sheet.png --prompt "a lake" --prompt "a desert" --columns 2 --seed 3
"""


def pictures_of(model: str, prompts: list[str], arguments: argparse.Namespace, folder: Path) -> list[Any]:
    """One PIL picture for each prompt."""
    from PIL import Image

    pictures = []
    for prompt in prompts:
        program.progress(f"{Path(model).name}: {prompt}")
        record, = program.generate(arguments.program, prompt, folder / "picture.png", model=model, seed=arguments.seed)
        with Image.open(record["path"]) as picture:
            pictures.append(picture.convert("RGB"))
    return pictures


def grid(pictures: list[Any], columns: int) -> Any:
    """All pictures in rows of `columns`, in cells as large as the largest."""
    from PIL import Image

    width, height = (max(picture.size[side] for picture in pictures) for side in (0, 1))
    sheet = Image.new("RGB", (columns * width, -(-len(pictures) // columns) * height))
    for i, picture in enumerate(pictures):
        sheet.paste(picture, (i % columns * width, i // columns * height))
    return sheet


def labelled(rows: dict[str, Any]) -> Any:
    """The rows one below the other, each under its name."""
    from PIL import Image, ImageDraw, ImageFont

    width, height = max(row.width for row in rows.values()), sum(LABEL + row.height for row in rows.values())
    sheet = Image.new("RGB", (width, height), "white")
    draw, y = ImageDraw.Draw(sheet), 0
    for name, row in rows.items():
        draw.text((6, y + LABEL / 2), name, fill="black", font=ImageFont.load_default(14), anchor="lm")
        sheet.paste(row, (0, y + LABEL))
        y += LABEL + row.height
    return sheet


@program.reported
def main() -> int:
    parser = program.parser_of(__doc__, EXAMPLES)
    parser.add_argument("models", nargs="+", metavar="model", help="name or folder of a model")
    parser.add_argument("output", type=Path, help="the PNG to write")
    parser.add_argument("--prompt", action="append",
                        help="a prompt; may be repeated (default: twelve that show the range; three for several models)")
    parser.add_argument("--seed", type=int, default=1, help="seed of every picture (default: 7)")
    parser.add_argument("--columns", type=int, default=4, help="pictures in a row, for one model (default: 4)")
    program.add_program_option(parser)
    peer_python.add_python_option(parser)
    arguments = parser.parse_args()
    peer_python.enter(arguments.python)
    several = len(arguments.models) > 1
    prompts = arguments.prompt or list(ROW_PROMPTS if several else PROMPTS)
    with tempfile.TemporaryDirectory() as folder:
        pictures = {Path(model).name: pictures_of(model, prompts, arguments, Path(folder))
                    for model in arguments.models}
    sheets = {name: grid(row, len(row) if several else arguments.columns) for name, row in pictures.items()}
    sheet = labelled(sheets) if several else next(iter(sheets.values()))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(arguments.output, optimize=True)
    print(arguments.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
