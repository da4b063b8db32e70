"""Captioned scenes: what the tiny models learn to show.

A scene is a handful of attributes and a seed. `drawing.draw` turns it into a picture of any size, `caption` into one of
many sentences, `attributes` into class numbers (the judge's and the text encoder's targets).

What a caption leaves out is as usual: by day, in a meadow (a boat on a lake), a kind's usual colour, one thing in the
middle, two at the sides, several in the order of their mention. Only the relief is then anybody's guess. So the number
of things and their places follow from the words, and a denoiser need not choose between them.
"""

from __future__ import annotations

import dataclasses
import random

TIMES = ("dawn", "day", "sunset", "night")
GROUNDS = ("lake", "meadow", "desert", "snow")
RELIEFS = ("none", "hills", "mountains")
OBJECTS = ("none", "house", "tree", "balloon", "boat", "tent", "lighthouse")
OBJECT_COLOURS = ("red", "yellow", "green", "blue", "purple", "white")
USUAL_COLOURS = {"house": "red", "tree": "green", "balloon": "red", "boat": "white", "tent": "yellow",
                 "lighthouse": "red"}
SHAPES = ("circle", "square", "triangle", "star", "heart")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white")
USUAL_BACKGROUND = "white"
PLACES = ("left", "middle", "right")

# What stands in a landscape: how many of a first kind and of a second, and how often that is drawn.
LAYOUTS = {(0, 0): 0.14, (1, 0): 0.30, (2, 0): 0.12, (3, 0): 0.10, (1, 1): 0.26, (2, 1): 0.04, (1, 2): 0.04}


@dataclasses.dataclass(frozen=True)
class Thing:
    """An object of a landscape: its kind and its colour."""

    kind: str
    colour: str


@dataclasses.dataclass(frozen=True)
class Scene:
    """What a picture shows. A landscape has time, ground, relief and things, one a place, from left to right; a figure
    has shape, colour, background."""

    seed: int
    time: str | None = None
    ground: str | None = None
    relief: str | None = None
    things: tuple[tuple[str, Thing], ...] = ()
    shape: str | None = None
    colour: str | None = None
    background: str | None = None

    @property
    def is_landscape(self) -> bool:
        return self.time is not None


def random_scene(seed: int, figures: float = 0.16) -> Scene:
    """The scene that `seed` stands for; a share `figures` of all seeds are plain shapes."""
    rng = random.Random(f"scene {seed}")
    if rng.random() < figures:
        background = USUAL_BACKGROUND if rng.random() < 0.15 else rng.choice(COLOURS)
        colour = rng.choice([c for c in COLOURS if c != background])
        return Scene(seed, shape=rng.choice(SHAPES), colour=colour, background=background)
    ground = rng.choice(GROUNDS)
    things = _random_things(ground, rng)
    return Scene(seed, time=rng.choices(TIMES, (1, 1.3, 1, 1))[0], ground=ground, relief=rng.choice(RELIEFS),
                 things=tuple(zip(_random_places(things, rng), things)))


def _random_things(ground: str, rng: random.Random) -> list[Thing]:
    first, second = rng.choices(list(LAYOUTS), list(LAYOUTS.values()))[0]
    kinds = [kind for kind in OBJECTS[1:] if kind != "boat" or ground == "lake"]
    weights = [2.0 if kind == "boat" else 1.0 for kind in kinds]
    a, b = (Thing(kind, _random_colour(kind, rng)) for kind in rng.choices(kinds, weights, k=2))
    while second and a == b:
        b = Thing(rng.choices(kinds, weights)[0], rng.choice(OBJECT_COLOURS))
    return [a] * first + [b] * second


def _random_colour(kind: str, rng: random.Random) -> str:
    return USUAL_COLOURS[kind] if rng.random() < 0.1 else rng.choice(OBJECT_COLOURS)


def _random_places(things: list[Thing], rng: random.Random) -> tuple[str, ...]:
    if len(things) == 1:
        return (rng.choice(PLACES),)
    if len(things) == 2:
        apart = things[0] == things[1] or rng.random() < 0.8
        return ("left", "right") if apart else rng.choice((("left", "middle"), ("middle", "right")))
    return PLACES[:len(things)]


ATTRIBUTES = {
    "kind": ("landscape", "figure"),
    "time": TIMES,
    "ground": GROUNDS,
    "relief": RELIEFS,
    **{place: OBJECTS for place in PLACES},
    **{f"{place}_colour": OBJECT_COLOURS for place in PLACES},
    "shape": SHAPES,
    "colour": COLOURS,
    "background": COLOURS,
}


def attributes(scene: Scene) -> dict[str, int]:
    """Class number of every attribute, -1 where the scene has no such attribute."""
    things = dict(scene.things)
    names: dict[str, str | None] = {
        "kind": "landscape" if scene.is_landscape else "figure",
        "time": scene.time,
        "ground": scene.ground,
        "relief": scene.relief,
        "shape": scene.shape,
        "colour": scene.colour,
        "background": scene.background,
    }
    for place in PLACES:
        thing = things.get(place)
        names[place] = (thing.kind if thing else "none") if scene.is_landscape else None
        names[f"{place}_colour"] = thing.colour if thing else None
    return {key: values.index(names[key]) if names[key] else -1 for key, values in ATTRIBUTES.items()}


TIME_PHRASES = {
    "dawn": ("at dawn", "at sunrise", "in the early morning"),
    "day": ("by day", "at noon", "on a sunny day", "in daylight"),
    "sunset": ("at sunset", "at sunset", "at dusk", "in the evening"),
    "night": ("at night", "at night", "by night", "under the moon"),
}
GROUND_WORDS = {
    "lake": ("lake", "lakeside", "lake shore"),
    "meadow": ("meadow", "green field", "grassland"),
    "desert": ("desert", "sandy desert", "desert with dunes"),
    "snow": ("snow field", "snowy landscape", "winter landscape"),
}
GROUND_PLACES = {
    "lake": ("by a lake", "on a lake", "at the lakeside", "at a lake"),
    "meadow": ("in a meadow", "on a meadow", "on a green field", "on the grass"),
    "desert": ("in the desert", "in a desert", "in a sandy desert", "on the sand"),
    "snow": ("in the snow", "in a snow field", "in a snowy landscape", "in winter"),
}
RELIEF_PHRASES = {
    "none": ("flat horizon", "open horizon"),
    "hills": ("hills", "rolling hills", "hills in the background"),
    "mountains": ("mountains", "high mountains", "mountains in the background"),
}
OBJECT_WORDS = {
    "house": ("house", "house", "cottage"),
    "tree": ("tree",),
    "balloon": ("balloon", "hot air balloon"),
    "boat": ("boat", "sailing boat"),
    "tent": ("tent",),
    "lighthouse": ("lighthouse", "lighthouse", "tower"),
}
PLACE_PHRASES = {
    "left": ("on the left", "on the left", "at the left"),
    "middle": ("in the middle", "in the center", "in the centre"),
    "right": ("on the right", "on the right", "at the right"),
}
NUMBERS = {2: ("two", "two", "two", "2", "a pair of"), 3: ("three", "three", "three", "3")}
SHAPE_WORDS = {
    "circle": ("circle", "disc"),
    "square": ("square",),
    "triangle": ("triangle",),
    "star": ("star",),
    "heart": ("heart",),
}
ADJECTIVES = ("serene", "quiet", "peaceful", "calm", "beautiful", "lonely", "charming")
PREFIXES = ("a picture of", "a flat illustration of", "a drawing of", "an illustration of", "a photo of")


def article(words: str) -> str:
    return ("an " if words[0] in "aeiou" else "a ") + words


def caption(scene: Scene, rng: random.Random) -> tuple[str, set[str]]:
    """One caption of `scene` and the names of the attributes it leaves unsaid (their class cannot be told from it)."""
    text, unsaid = _landscape_caption(scene, rng) if scene.is_landscape else (_figure_caption(scene, rng), set())
    if rng.random() < 0.12:
        text = f"{rng.choice(PREFIXES)} {text}"
    return text, unsaid


def _figure_caption(scene: Scene, rng: random.Random) -> str:
    figure = f"{scene.colour} {rng.choice(SHAPE_WORDS[scene.shape])}"
    form = rng.randrange(4)
    if scene.background == USUAL_BACKGROUND and rng.random() < 0.4:
        return article(figure)
    if form == 0:
        return f"{figure}, {scene.background} background"
    if form == 1:
        return f"{article(figure)} on {scene.background}"
    return f"{article(figure)} on {article(scene.background)} background"


def _landscape_caption(scene: Scene, rng: random.Random) -> tuple[str, set[str]]:
    things, absent = _things_caption(scene, rng), _absence_caption(scene, rng)
    relief = rng.choice(RELIEF_PHRASES[scene.relief]) if rng.random() < 0.6 else None
    unsaid = set() if relief else {"relief"}
    time = rng.choice(TIME_PHRASES[scene.time])
    if scene.time == "day" and rng.random() < 0.4:
        time = ""
    usual_ground = "lake" if any(thing.kind == "boat" for _, thing in scene.things) else "meadow"
    if things and scene.ground == usual_ground and rng.random() < 0.3:
        return _joined([" ".join(filter(None, (things, time))), relief, absent]), unsaid
    form = rng.randrange(4)
    if form == 3:
        time = time.split()[-1] if scene.time in ("dawn", "sunset", "night") and rng.random() < 0.5 else time
        tags = [tag for tag in (things, rng.choice(GROUND_WORDS[scene.ground]), time, relief, absent) if tag]
        if rng.random() < 0.4:
            rng.shuffle(tags)
        return ", ".join(tags), unsaid
    if form >= 1 and things:
        place = f"{',' if ' on the ' in things and rng.random() < 0.5 else ''} {rng.choice(GROUND_PLACES[scene.ground])}"
        return _joined([f"{things}{place} {time}".strip(), relief, absent]), unsaid
    ground = rng.choice(GROUND_WORDS[scene.ground])
    if not scene.things and not absent and rng.random() < 0.3:
        ground = f"empty {ground}"
    elif rng.random() < 0.3:
        ground = f"{rng.choice(ADJECTIVES)} {ground}"
    text = " ".join(filter(None, (article(ground), time)))
    if relief and rng.random() < 0.5:
        return _joined([f"{text} with {relief}", things, absent]), unsaid
    if things:
        text += f" with {things}"
    return _joined([text, relief, absent]), unsaid


def _joined(parts: list[str | None]) -> str:
    return ", ".join(part for part in parts if part)


def _things_caption(scene: Scene, rng: random.Random) -> str:
    """The things of a landscape in words that say, or leave as usual, where each of them is; "" for none."""
    places = tuple(place for place, _ in scene.things)
    groups: list[tuple[Thing, int]] = []
    for _, thing in scene.things:
        if groups and groups[-1][0] == thing:
            groups[-1] = (thing, groups[-1][1] + 1)
        else:
            groups.append((thing, 1))
    names = [_group_name(thing, count, rng) for thing, count in groups]
    if len(names) == 2 and len(places) == 2 and rng.random() < 0.15:
        left, right = names
        return f"{left} to the left of {right}" if rng.random() < 0.5 else f"{right} to the right of {left}"
    as_usual = places in ((), ("middle",), ("left", "right"), PLACES)
    said = not as_usual or rng.random() < 0.5
    if not said or len(groups) < len(places):
        return " and ".join(names)
    named = [f"{name} {rng.choice(PLACE_PHRASES[place])}" for name, place in zip(names, places)]
    if rng.random() < 0.4:
        named.reverse()
    return " and ".join(named)


def _group_name(thing: Thing, count: int, rng: random.Random) -> str:
    colour = "" if thing.colour == USUAL_COLOURS[thing.kind] and rng.random() < 0.4 else f"{thing.colour} "
    name = f"{colour}{rng.choice(OBJECT_WORDS[thing.kind])}"
    return article(name) if count == 1 else f"{rng.choice(NUMBERS[count])} {name}s"


def _absence_caption(scene: Scene, rng: random.Random) -> str:
    """What is said not to be there: often of an empty landscape, now and then of another; mostly ""."""
    if rng.random() > (0.06 if scene.things else 0.4):
        return ""
    absent = [kind for kind in OBJECTS[1:] if kind not in {thing.kind for _, thing in scene.things}]
    words = [rng.choice(OBJECT_WORDS[kind]) + rng.choice(("", "s"))
             for kind in rng.sample(absent, rng.choice((1, 1, 2)))]
    if not scene.things and rng.random() < 0.2:
        return rng.choice(("nothing else", "nothing on it", "nobody there", "no objects"))
    said = rng.choice(("no", "no", "without"))
    return ", ".join(f"no {word}" for word in words) if said == "no" else "without " + " or ".join(words)
