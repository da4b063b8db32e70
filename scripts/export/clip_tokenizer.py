#!/usr/bin/env python3
"""Write models/tokenizers/clip: CLIP's vocabulary as vocab.json and merges.txt, as transformers' CLIPTokenizer has them.

The source is bpe_simple_vocab_16e6.txt.gz of openai/CLIP (MIT licence), which the PyPI package open-clip-torch carries:
  pip download --no-deps -d DIR open-clip-torch && unzip -d DIR DIR/open_clip_torch-*.whl
  scripts/export/clip_tokenizer.py DIR/open_clip/bpe_simple_vocab_16e6.txt.gz
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

from program import ROOT

MERGES = 48_894  # that CLIP uses of the file's
SPECIAL = ("<|startoftext|>", "<|endoftext|>")


def visible_bytes() -> list[str]:
    """The characters of a byte-level vocabulary, in the order CLIP numbers them: printable bytes first."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return [chr(byte) for byte in printable] + [chr(0x100 + i) for i in range(256 - len(printable))]


def write_vocabulary(bpe: Path, count: int, folder: Path) -> int:
    """Writes the first `count` merges of `bpe` and the vocabulary they make; returns its size."""
    lines = gzip.decompress(bpe.read_bytes()).decode("utf-8").split("\n")
    merges = lines[1:1 + count]
    units = visible_bytes()
    tokens = [*units, *(f"{unit}</w>" for unit in units), *("".join(merge.split()) for merge in merges), *SPECIAL]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(vocabulary, ensure_ascii=False, separators=(",", ":"))
    (folder / "vocab.json").write_text(text, encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    return len(vocabulary)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bpe", type=Path, help="bpe_simple_vocab_16e6.txt.gz")
    parser.add_argument("--out", type=Path, default=ROOT / "models" / "tokenizers" / "clip", metavar="DIR",
                        help="folder of the two files (default: models/tokenizers/clip)")
    arguments = parser.parse_args()
    try:
        size = write_vocabulary(arguments.bpe, MERGES, arguments.out)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        print(f"error: {arguments.bpe}: {error}. Expected bpe_simple_vocab_16e6.txt.gz of openai/CLIP.",
              file=sys.stderr)
        return 1
    print(f"{arguments.out}: {size} tokens")
    return 0


if __name__ == "__main__":
    sys.exit(main())
