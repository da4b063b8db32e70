#!/usr/bin/env python3
"""Write tests/golden/prompt_chunks.json: prompts, their weighted segments and their chunks of tokens.

The rules of docs/prompts.md, written here once more and in another way than in src/core, over the tokens of
transformers. Needs the Python of scripts/golden/make.py.

  scripts/golden/prompt_chunks.py [--out FOLDER]
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

from transformers import CLIPTokenizer

from golden.make import GOLDEN, VOCABULARY, versions

LENGTH = 32  # of a chunk: short, so that prompts of a line need several
REACH = 20
WHOLE = 8
EMBEDDINGS = {"cat-toy": [1001, 1002], "glow": [1003], "long": list(range(1010, 1022))}

Segment = list  # [text, weight, breaks]
Group = tuple  # (ids, weight, breaks, is_embedding)

HAND_WRITTEN = [
    "", "a", "a (b) c", "a [b] c", "a (b:1.3) c", "((a)) [[b]]", "(a (b:1.2) c:1.5)", "\\(a\\) \\[b\\] \\\\", "a ( b",
    "a ) b", "a [ b ( c", "(a:1,3) b", "(a:.5) (b:2.) (c:-1)", "(a: 1.3 )", "(a:b)", "x:1.3) y", "a BREAK b",
    "BREAK", "BREAK a", "a BREAK BREAK b", "a BREAK", "aBREAK BREAKs", "house, " * 9, "house " * 70,
    "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).", "a) b (c) d", "((a) b", "(a)) (b:2)", "()", "(:2)", "(a:0)",
    "ho(us:1.2)e", "the cat-toy, glow", "the embedding:cat-toy, embedding:glow (embedding:long:1.2)", "long " * 4,
    "embedding:nothing, a", "a, " + "tree " * 26 + "cat-toy", "(embedding:GLOW.safetensors:0.5) glow",
]


def a1111_segments(text: str) -> list[Segment]:
    """Weights multiply from the inside out; a bracket left open counts up to the end."""
    pieces: list[Segment] = []
    open_: dict[str, list[int]] = {"(": [], "[": []}

    def weigh(first: int, weight: float) -> None:
        for piece in pieces[first:]:
            piece[1] *= weight

    tokens = re.compile(r"\\[()\[\]\\]|\\|[(\[]|:\s*[+-]?[.\d]+\s*\)|[)\]]|:|[^\\()\[\]:]+", re.ASCII)
    for token in tokens.findall(text):
        weight = re.fullmatch(r":\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*\)", token, re.ASCII)
        if token[0] == "\\":
            pieces += [[token[1:], 1.0, False]] if len(token) > 1 else []
        elif token in open_:
            open_[token].append(len(pieces))
        elif weight and open_["("]:
            weigh(open_["("].pop(), float(weight[1]))
        elif token == ")" and open_["("]:
            weigh(open_["("].pop(), 1.1)
        elif token == "]" and open_["["]:
            weigh(open_["["].pop(), 1 / 1.1)
        elif token[0] == ":" and token[-1] == ")" and open_["("]:  # a number that is none
            pieces.append([token[:-1], 1.0, False])
            weigh(open_["("].pop(), 1.1)
        else:
            for i, part in enumerate(re.split(r"\bBREAK\b", token)):
                pieces += [["", 1.0, True]] if i else []
                pieces += [[part, 1.0, False]] if part else []
    for bracket, weight in (("(", 1.1), ("[", 1 / 1.1)):
        for first in open_[bracket]:
            weigh(first, weight)
    return pieces


def comfy_segments(text: str) -> list[Segment]:
    """A weight replaces those around it; a plain bracket multiplies by 1.1."""
    hidden = text.replace("\\)", "\ue001").replace("\\(", "\ue002")

    def items(text: str) -> list[str]:
        found, depth, item = [], 0, ""
        for c in text:
            if c == "(" and depth == 0 and item:
                found.append(item)
                item = ""
            depth += {"(": 1, ")": -1}.get(c, 0)
            item += c
            if c == ")" and depth == 0:
                found.append(item)
                item = ""
        return [*found, item] if item else found

    def read(text: str, weight: float) -> list[Segment]:
        segments = []
        for item in items(text):
            if len(item) < 2 or item[0] != "(" or item[-1] != ")":
                segments.append([item.replace("\ue001", ")").replace("\ue002", "("), weight, False])
                continue
            inner, own = item[1:-1], weight * 1.1
            head, colon, tail = inner.rpartition(":")
            if colon and head and re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", tail, re.I | re.A):
                inner, own = head, float(tail)
            segments += read(inner, own)
        return segments

    return read(hidden, 1.0)


def groups_of(segments: list[Segment], syntax: str, tokenize) -> list[Group]:
    """Texts and names to tokens; a name is one group."""
    names = "|".join(sorted(map(re.escape, EMBEDDINGS), key=len, reverse=True))
    word = rf"(?<![^\W\d_])({names})(?![^\W\d_])"
    called = r"(?:(?<=^)|(?<=[ \n]))embedding:(\S+)"
    groups: list[Group] = []
    for text, weight, breaks in segments:
        if breaks:
            groups.append(([], weight, True, False))
        at = 0
        for match in re.finditer(called if syntax == "comfy" else word, text, re.I):
            end, name = match.end(), match[1].lower()
            known = name.removesuffix(".safetensors")
            if known not in EMBEDDINGS:
                end -= len(name) - len(name.rstrip(","))
                known = name.rstrip(",").removesuffix(".safetensors")
            groups.append((tokenize(text[at:match.start()]), weight, False, False))
            groups.append((EMBEDDINGS.get(known, []), weight, False, True))
            at = end
        groups.append((tokenize(text[at:]), weight, False, False))
    return groups


def a1111_chunks(groups: list[Group], comma: int) -> list[list]:
    """Lists of (id, weight), each at most LENGTH - 2 long."""
    room, chunks, chunk, last = LENGTH - 2, [], [], -1
    for ids, weight, breaks, whole in groups:
        if breaks:
            chunks.append(chunk)
            chunk, last = [], -1
        for i, token in enumerate(ids):
            needed = (len(ids) if i == 0 else 0) if whole else 1
            if not whole and token == comma:
                if len(chunk) == room:
                    chunks.append(chunk)
                    chunk = []
                last = len(chunk)
            elif needed:
                if len(chunk) == room and last >= 0 and len(chunk) - last <= REACH:
                    chunks.append(chunk[:last + 1])
                    chunk, last = chunk[last + 1:], -1
                if len(chunk) + needed > room:
                    chunks.append(chunk)
                    chunk, last = [], -1
            chunk.append((token, weight))
    return [*chunks, chunk] if chunk or not chunks else chunks


def comfy_chunks(groups: list[Group]) -> list[list]:
    room, chunks, chunk = LENGTH - 2, [], []
    for ids, weight, _, _ in groups:
        rest = [(token, weight) for token in ids]
        if len(rest) < WHOLE and len(chunk) + len(rest) > room:
            chunks.append(chunk)
            chunk = []
        while len(chunk) + len(rest) > room:
            cut = room - len(chunk)
            chunks.append(chunk + rest[:cut])
            chunk, rest = [], rest[cut:]
        chunk = chunk + rest
    return [*chunks, chunk] if chunk or not chunks else chunks


def random_prompt(rng: random.Random) -> str:
    """Words and brackets in any order."""
    bits = ["house", "tree", "a", "the", ", ", ", ", "(", ")", "[", "]", "(", ")", ":1.2)", ":0.5)", " BREAK ", "\\(", "\\)",
            "\\\\", "glow", "embedding:long", "cat-toy", "ü", "猫", ": ", "3"]
    return "".join(rng.choice(bits) + rng.choice(["", " ", " "]) for _ in range(rng.randint(1, 60)))


def is_refused(prompt: str) -> bool:
    """A prompt that reads as a schedule, which lapis refuses."""
    return re.search(r":\s*[+-]?[.\d]+\s*\]", prompt) is not None


def case(prompt: str, syntax: str, tokenizer: CLIPTokenizer) -> dict:
    def tokenize(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    segments = a1111_segments(prompt) if syntax == "a1111" else comfy_segments(prompt)
    if syntax == "a1111":  # neighbours of one weight are one text
        joined: list[Segment] = []
        for piece in segments:
            mergeable = joined and not piece[2] and not joined[-1][2] and joined[-1][1] == piece[1]
            if mergeable:
                joined[-1][0] += piece[0]
            else:
                joined.append(list(piece))
        segments = joined
    groups = groups_of(segments, syntax, tokenize)
    comma, = tokenize(",")
    chunks = a1111_chunks(groups, comma) if syntax == "a1111" else comfy_chunks(groups)
    return {"prompt": prompt, "syntax": syntax,
            "weights": [round(weight, 6) for text, weight, _ in segments if text.strip()],
            "chunks": [{"ids": [token for token, _ in chunk], "weights": [round(w, 6) for _, w in chunk]}
                       for chunk in chunks]}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, default=GOLDEN, metavar="FOLDER", help="folder of the golden (tests/golden)")
    options = parser.parse_args()
    tokenizer = CLIPTokenizer(vocab=str(VOCABULARY / "vocab.json"), merges=str(VOCABULARY / "merges.txt"))
    rng = random.Random(7)
    prompts = HAND_WRITTEN + [prompt for prompt in (random_prompt(rng) for _ in range(90)) if not is_refused(prompt)]
    cases = [case(prompt, syntax, tokenizer) for prompt in prompts for syntax in ("a1111", "comfy")]
    head = json.dumps({"made_by": "scripts/golden/prompt_chunks.py", "versions": versions(), "length": LENGTH,
                       "embeddings": EMBEDDINGS})
    lines = ",\n".join(json.dumps(each, separators=(",", ":")) for each in cases)
    path = options.out / "prompt_chunks.json"
    path.write_text(f'{head[:-1]}, "cases": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{path}: {len(cases)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
