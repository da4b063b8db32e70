"""The tokenizers of a diffusers folder, as model.json names them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import ExportError
from .families import Tokenizer
from .folder import read_json
from .part import Config


def tokenizer_facts(folder: Path, tokenizer: Tokenizer, encoder: Config, t5_length: int | None) -> dict[str, Any]:
    """The tokenizer's entry; `encoder` is the configuration of the text encoder it feeds."""
    if tokenizer.kind == "t5":
        config = read_json(folder / tokenizer.folder / "tokenizer_config.json")
        length = t5_length or min(tokenizer.length, int(config.get("model_max_length", tokenizer.length)))
        return t5_facts(folder, tokenizer.folder, encoder["vocab_size"], length)
    return clip_facts(folder, tokenizer.folder, encoder["max_position_embeddings"])


def complete_clip(folder: Path) -> None:
    """Writes vocab.json and merges.txt from tokenizer.json where a tokenizer has that alone."""
    if (folder / "vocab.json").exists() and (folder / "merges.txt").exists():
        return
    whole = read_json(folder / "tokenizer.json")
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in whole["model"]["merges"]]
    vocabulary = whole["model"]["vocab"] | {token["content"]: token["id"] for token in whole["added_tokens"]}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n", encoding="utf-8")


def clip_facts(folder: Path, name: str, positions: int) -> dict[str, Any]:
    """`positions` is the most tokens the text encoder takes."""
    place = folder / name
    complete_clip(place)
    vocabulary, config = read_json(place / "vocab.json"), read_json(place / "tokenizer_config.json")
    ids = {}
    for role, key in (("start", "bos_token"), ("end", "eos_token"), ("pad", "pad_token")):
        token = config.get(key)
        text = token["content"] if isinstance(token, dict) else token
        if text not in vocabulary:
            raise ExportError(f"{place}: {key} is {text!r}, expected a token of vocab.json. "
                              f"Name it in tokenizer_config.json.")
        ids[role] = vocabulary[text]
    return {"kind": "clip", "vocabulary": f"{name}/vocab.json", "merges": f"{name}/merges.txt",
            "length": min(positions, int(config.get("model_max_length", positions))), **ids}


def t5_facts(folder: Path, name: str, embeddings: int, length: int) -> dict[str, Any]:
    """`embeddings` is the number of ids the text encoder knows."""
    import sentencepiece

    path = folder / name / "spiece.model"
    if not path.exists():
        raise ExportError(f"{path}: not found. lapis reads the SentencePiece model, which tokenizer.json cannot "
                          f"replace: copy spiece.model from the T5 checkpoint that the text encoder comes from.")
    try:
        processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
    except (OSError, RuntimeError) as error:
        raise ExportError(f"{path}: not a SentencePiece model: {error}. Restore the file.") from None
    found = {"end": processor.eos_id(), "pad": processor.pad_id()}
    for role, number in found.items():
        if number < 0:
            raise ExportError(f"{path}: the model has no {role} piece, which T5 needs. Is this a T5 tokenizer?")
    if processor.vocab_size() > embeddings:
        raise ExportError(f"{path}: {processor.vocab_size()} pieces, expected at most {embeddings}, the ids that the "
                          f"text encoder knows. Do tokenizer and text encoder belong together?")
    return {"kind": "t5", "model": f"{name}/spiece.model", "length": length, **found}
