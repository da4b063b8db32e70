#!/usr/bin/env python3
"""Write tests/golden/t5_tokenizer.json: what T5Tokenizer of transformers makes of prompts.

Examples:
  scripts/golden/t5_tokenizer.py               the golden, from the vocabulary in tests/data/mini_flux/tokenizer_2
  scripts/golden/t5_tokenizer.py --vocabulary  the vocabulary first: SentencePiece trained on docs/, with T5's normalizer

Prompts leave out letters that carry combining marks and are 6 bytes or more in UTF-8: transformers does not compose
those, SentencePiece, with which T5 was trained, does (src/core/prompt/t5_tokenizer.hpp).
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import sentencepiece
from transformers import T5Tokenizer

from golden import make

VOCABULARY = make.ROOT / "tests" / "data" / "mini_flux" / "tokenizer_2" / "spiece.model"
LENGTH = 64
EXTRA_IDS = 100
PIECES = 900
T5_PROMPTS = [
    "a</s>b", "</s> a", "a <pad> b", "<unk>", "x<extra_id_0>y", "<extra_id_99><extra_id_7>", "<extra_id_100>", "<EXTRA_ID_0>",
    "\u2581a\u2581\u2581b", "a\u2028b\u2029c", "\u1680d\u202fe", "a\u0085\u0085b", "naïve façade", "nai\u0308ve",
    *(" ".join(["lake"] * count) for count in (62, 63, 64, 65, 200)),
]


def make_vocabulary() -> None:
    pages = sorted((make.ROOT / "docs").glob("*.md"))
    lines = [line for page in pages for line in page.read_text("utf-8").splitlines() if line.strip()]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines + make.TRICKY_PROMPTS[3:8]), model_writer=model, vocab_size=PIECES,
        model_type="unigram", normalization_rule_name="nmt_nfkc", pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
        pad_piece="<pad>", eos_piece="</s>", unk_piece="<unk>", num_threads=1, minloglevel=2)
    VOCABULARY.parent.mkdir(parents=True, exist_ok=True)
    VOCABULARY.write_bytes(model.getvalue())


def case(tokenizer: T5Tokenizer, prompt: str) -> dict:
    whole = tokenizer(prompt).input_ids
    ids = tokenizer(prompt, padding="max_length", max_length=LENGTH, truncation=True).input_ids
    filled = min(len(whole), LENGTH)
    assert ids[filled - 1] == tokenizer.eos_token_id and all(pad == tokenizer.pad_token_id for pad in ids[filled:])
    return {"prompt": prompt, "ids": ids[:filled], "count": len(whole) - 1}


def prompts() -> list[str]:
    rng = random.Random(20240229)
    whole_alphabets = make.ALPHABETS
    make.ALPHABETS = ["".join(c for c in each if c not in "\u0301\u0308") for each in whole_alphabets]
    found = [prompt for prompt in make.TRICKY_PROMPTS if "\0" not in prompt]
    return found + T5_PROMPTS + [make.random_prompt(rng) for _ in range(300)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=make.GOLDEN, help="folder of the golden (default: %(default)s)")
    parser.add_argument("--vocabulary", action="store_true", help="train the vocabulary anew")
    arguments = parser.parse_args()
    if arguments.vocabulary:
        make_vocabulary()
    tokenizer = T5Tokenizer.from_pretrained(VOCABULARY.parent, extra_ids=EXTRA_IDS)
    cases = [case(tokenizer, prompt) for prompt in prompts()]
    make.write("t5_tokenizer", {"cases": cases}, arguments.out)
    print(json.dumps({"pieces": tokenizer.vocab_size, "extra_ids": EXTRA_IDS}))


if __name__ == "__main__":
    main()
