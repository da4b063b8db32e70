"""Tokenizers cut down to the words a tiny model knows: CLIP's byte pairs and T5's SentencePiece.

The public CLIP merges list has 48 894 merges. `build_clip_tokenizer` keeps those that the words of a lexicon use, in
their order, so each of these words becomes the same pieces as under the full list; any other word falls to smaller
pieces. The files are the ones of every CLIP tokenizer, and transformers' CLIPTokenizer opens them.

`build_t5_tokenizer` writes a Unigram model by hand, a piece for each word: training one on captions, which repeat
themselves, would learn phrases. The file is an ordinary spiece.model.

    python -m scripts.train.tiny.tokenizer FOLDER
"""

from __future__ import annotations

import argparse
import collections
import gzip
import importlib.util
import io
import json
import math
import random
import re
import string
from collections.abc import Iterable
from pathlib import Path

from . import scenes

MERGES_PACKAGE, MERGES_FILE = "open_clip", "bpe_simple_vocab_16e6.txt.gz"
MERGES_COUNT = 49152 - 256 - 2  # merges that follow the list's first line; CLIP reads no further
START, END, WORD_END = "<|startoftext|>", "<|endoftext|>", "</w>"
SPACE = "\N{LOWER ONE EIGHTH BLOCK}"  # what SentencePiece writes for the space before a word
LENGTH = 77
PIECES = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|[^\s\w]+|_+")  # CLIP's words: letters, one digit, or signs
CAPTIONS_READ = 6000  # enough scenes that every word of scenes.py turns up

EXTRA_WORDS = """
    0 1 2 3 4 5 6 7 8 9 . , ; : ! ? - ' ( ) / & + % "
    about above abstract after afternoon alone amazing an ancient and animal apple are arctic around art artist at
    autumn away baby bad balls bay beach bear beautiful behind below beside best between big bird black blurry blurred
    boats bold bottom bright brown building bus bush by cabin cactus camp camping canoe car cartoon castle cat center
    centre chimney church city clean clear cliff close closeup cloud clouds cloudy coast cold color colored colorful
    colour coloured colourful colours composition cool corner country countryside cow cozy cream crisp cute cyan dark
    darkness day deep deer depth design desert detail detailed diamond digital distant dog door down dramatic drawing
    dream dreamy dry dune duck dusk early earth elegant empty evening fall fantasy far farm fence field fields fir fire
    fish fishing flag flat flower flowers flying fog foggy for forest fox friendly from front full garden gentle glow
    glowing gold golden good gradient graphic grass grassy gray great green grey ground happy harbor harbour hazy high
    hill hilly home horizon horse hot houses huge hut ice icy icon image impressionist in indigo inside into is island
    it its japanese jpeg jungle kite lakes lamp land landscape lantern large late leaf leaves light lights line little
    logo long lonely low lowres magenta magical man many map masterpiece middle midnight mill minimal minimalist mist
    misty modern moon moonlight moonlit moonrise morning mountain mountainous mystical nature near nice night no noise
    noisy not ocean of oil old one open or orange outdoor outside oval over paint painted painting palm panorama paper
    park pastel path peak peaks people person photo photograph photorealistic picture pier pine pixel plain plains
    plant pole pond poor poster pretty purple pyramid quality quiet rain rainbow rainy realistic reflection reflections
    relaxing render rising river road rock rocks rocky romantic roof round ruins sail sailboat sailing sand sandy scene
    scenery scenic sea season seaside shadow shadows shape shapes sharp sheep shine ship shore side sign silhouette
    silver simple single sitting sketch sky skyline small smoke smooth snowy soft some space sparkling spring square
    standing starry stars steep still stone storm stormy stream street style summer summit sun sunlight sunny sunset
    sunsets sunrise surreal tall teal text thatched the three tiny to tower town trail train travel trees tropical
    turquoise twilight two ugly under up upper valley vast vector very vibrant view village vintage violet walking wall
    warm watercolor watercolour water waterfall watermark waves white wide wild wind window windmill windows windy
    winter with without woman wood wooden woods world worst yellow young
"""


def bytes_to_unicode() -> dict[int, str]:
    """CLIP's printable character for every byte, in CLIP's order: printable bytes stand for themselves."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}


def public_merges() -> list[tuple[str, str]]:
    """The merges of CLIP in rank order, read from the open-clip-torch package without importing it."""
    spec = importlib.util.find_spec(MERGES_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("error: the CLIP merges list was not found: package open-clip-torch is not installed. "
                         "Install it: pip install --no-deps open-clip-torch")
    lines = gzip.open(Path(spec.submodule_search_locations[0]) / MERGES_FILE, "rt", encoding="utf-8").read().split("\n")
    return [tuple(line.split()) for line in lines[1:MERGES_COUNT + 1]]


def merges_of(piece: str, ranks: dict[tuple[str, str], int]) -> set[tuple[str, str]]:
    """The merges that byte-pair encoding applies to one piece of text."""
    letters = bytes_to_unicode()
    symbols = [letters[byte] for byte in piece.encode()]
    symbols[-1] += WORD_END
    used: set[tuple[str, str]] = set()
    while len(symbols) > 1:
        best = min(zip(symbols, symbols[1:]), key=lambda pair: ranks.get(pair, len(ranks)))
        if best not in ranks:
            break
        used.add(best)
        merged: list[str] = []
        for symbol in symbols:
            if merged and (merged[-1], symbol) == best:
                merged[-1] += symbol
            else:
                merged.append(symbol)
        symbols = merged
    return used


def caption_words() -> set[str]:
    """Every word of the captions of scenes.py: what the models are taught."""
    return {word for word in caption_counts() if word.isalnum()}


def lexicon() -> list[str]:
    """Every word of the captions of scenes.py, and common words that a person would try."""
    return sorted({*caption_counts(), *PIECES.findall(EXTRA_WORDS.lower())})


def build_clip_tokenizer(words: Iterable[str], folder: Path, pad: str = END) -> int:
    """Writes a CLIP tokenizer that knows `words` into `folder` and returns the size of its vocabulary."""
    merges = public_merges()
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    used = set().union(*(merges_of(word, ranks) for word in words))
    kept = [pair for pair in merges if pair in used]
    letters = list(bytes_to_unicode().values())
    tokens = [*letters, *(letter + WORD_END for letter in letters), *map("".join, kept), START, END]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    special = {"bos_token": START, "eos_token": END, "pad_token": pad, "unk_token": END}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *map(" ".join, kept)]) + "\n", encoding="utf-8")
    write_json(folder / "vocab.json", vocabulary)
    write_json(folder / "special_tokens_map.json", special)
    write_json(folder / "tokenizer_config.json",
               {"tokenizer_class": "CLIPTokenizer", "model_max_length": LENGTH, "do_lower_case": True, **special})
    return len(tokens)


def caption_counts() -> collections.Counter[str]:
    """How often each word stands in the captions of scenes.py."""
    captions = (scenes.caption(scenes.random_scene(seed), random.Random(seed))[0] for seed in range(CAPTIONS_READ))
    return collections.Counter(word for text in captions for word in PIECES.findall(text.lower()))


def unigram_pieces(words: Iterable[str]) -> list[tuple[str, float]]:
    """(piece, log probability): a word by its count in the captions, a word they lack as rare, a character rarer."""
    counts = caption_counts()
    total = counts.total()
    pieces = {SPACE + word: math.log(max(counts[word], 0.1) / total) for word in words if word.isalpha()}
    for character in (SPACE, *string.ascii_lowercase, *string.digits, *string.punctuation):
        pieces.setdefault(character, math.log(max(counts[character], 0.01) / total))
    return sorted(pieces.items(), key=lambda piece: -piece[1])


def build_t5_tokenizer(words: Iterable[str], folder: Path, length: int) -> int:
    """Writes a T5 tokenizer that knows `words` into `folder` and returns the size of its vocabulary.

    Case is folded: the captions have none. The normaliser's table comes from a model trained on a few letters.
    """
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2
    from transformers import T5Tokenizer

    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a b c"] * 10), model_writer=trained, model_type="unigram", vocab_size=8,
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, normalization_rule_name="nmt_nfkc_cf", minloglevel=2)
    model = sentencepiece_model_pb2.ModelProto.FromString(trained.getvalue())
    specials = [(piece.piece, piece.score) for piece in model.pieces[:3]]
    del model.pieces[3:]
    pieces = unigram_pieces(words)
    for piece, score in pieces:
        model.pieces.add(piece=piece, score=score)
    model.trainer_spec.vocab_size = len(model.pieces)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spiece.model").write_bytes(model.SerializeToString())
    T5Tokenizer(vocab=specials + pieces, _spm_precompiled_charsmap=model.normalizer_spec.precompiled_charsmap,
                extra_ids=0, model_max_length=length).save_pretrained(folder)
    return len(model.pieces)


def write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes the CLIP tokenizer of the tiny models.",
                                     epilog="example: python -m scripts.train.tiny.tokenizer /tmp/tokenizer")
    parser.add_argument("folder", type=Path, help="where vocab.json, merges.txt and two configuration files go")
    arguments = parser.parse_args()
    words = lexicon()
    print(f"{len(words)} words, {build_clip_tokenizer(words, arguments.folder)} tokens in {arguments.folder}")


if __name__ == "__main__":
    main()
