"""What a model was taught: the entry `taught` of model.json (docs/model-folder.md)."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

from . import ExportError
from .folder import MODEL_FILE, read_json

MOST_WORDS, LONGEST_WORD, LONGEST_SUBJECTS = 50_000, 100, 200  # the last two in bytes


def is_word(text: str) -> bool:
    """Letters and digits of any script, and behind the first of them marks: what src/core/prompt/prompt_words.hpp calls
    a word."""
    kinds = "".join(unicodedata.category(character)[0] for character in text)
    return kinds[:1] in ("L", "N") and not set(kinds) - set("LNM")


def lowered(text: str) -> str:
    """As CLIP's tokenizer reads text: NFC, each character in lower case by itself."""
    return "".join(character.lower() for character in unicodedata.normalize("NFC", text))


def read_words(path: Path) -> list[str]:
    """The words of a text file, with white space between them: in lower case, sorted, each once."""
    try:
        words = sorted({lowered(word) for word in path.read_text(encoding="utf-8").split()})
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"{path}: cannot be read as UTF-8 text: {error}. Name a file of words.") from None
    for word in words:
        if not is_word(word) or len(word.encode()) > LONGEST_WORD:
            raise ExportError(f"{path}: {word!r} is no word; expected letters and digits alone, at most {LONGEST_WORD} bytes. "
                              f"What a hyphen or an apostrophe parts are words of their own.")
    if not 0 < len(words) <= MOST_WORDS:
        raise ExportError(f"{path}: has {len(words)} words, expected 1 to {MOST_WORDS}.")
    return words


def taught_facts(folder: Path, words: Path | None, subjects: str | None) -> dict[str, Any]:
    """The entry, or nothing: what is said here, and else what the folder's model.json says already."""
    known = read_json(folder / MODEL_FILE).get("taught", {}) if (folder / MODEL_FILE).exists() else {}
    facts = known | ({"subjects": subjects} if subjects is not None else {})
    if words is not None:
        facts["words"] = read_words(words)
    if not facts:
        return {}
    for key, option in (("subjects", "--taught-subjects TEXT"), ("words", "--taught-words FILE")):
        if key not in facts:
            raise ExportError(f"what {folder} was taught has no {key}. Say them: {option}")
    size = len(facts["subjects"].encode())
    if not 0 < size <= LONGEST_SUBJECTS or not facts["subjects"].isprintable():
        raise ExportError(f"--taught-subjects has {size} bytes; expected 1 to {LONGEST_SUBJECTS}, on one line.")
    return {"subjects": facts["subjects"], "words": facts["words"]}
