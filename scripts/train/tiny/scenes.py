"""Captioned scenes: what the tiny models learn to show.

A scene is a handful of attributes and a seed. `drawing.draw` turns it into a picture of any size, `caption` into one of
many sentences, `attributes` into class numbers (the judge's and the text encoder's targets).
"""

from __future__ import annotations

import dataclasses
import random

TIMES = ("dawn", "day", "sunset", "night")
GROUNDS = ("lake", "meadow", "desert", "snow")
RELIEFS = ("none", "hills", "mountains")
OBJECTS = ("none", "house", "tree", "balloon", "boat", "tent", "lighthouse")
OBJECT_COLOURS = ("red", "yellow", "green", "blue", "purple", "white")
SHAPES = ("circle", "square", "triangle", "star", "heart")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white")
PLACES = ("left", "right")


@dataclasses.dataclass(frozen=True)
class Thing:
    """An object of a landscape: its kind and its colour."""

    kind: str
    colour: str


@dataclasses.dataclass(frozen=True)
class Scene:
    """What a picture shows. A landscape has time, ground, relief and things; a figure has shape, colour, background."""

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


def random_scene(seed: int, figures: float = 0.22) -> Scene:
    """The scene that `seed` stands for; a share `figures` of all seeds are plain shapes."""
    rng = random.Random(f"scene {seed}")
    if rng.random() < figures:
        background = rng.choice(COLOURS)
        colour = rng.choice([c for c in COLOURS if c != background])
        return Scene(seed, shape=rng.choice(SHAPES), colour=colour, background=background)
    ground = rng.choice(GROUNDS)
    kinds = [kind for kind in OBJECTS[1:] if kind != "boat" or ground == "lake"]
    count = rng.choices((0, 1, 2), (0.18, 0.44, 0.38))[0]
    places = sorted(rng.sample(PLACES, count))
    weights = [2.0 if kind == "boat" else 1.0 for kind in kinds]
    things = tuple((place, Thing(rng.choices(kinds, weights)[0], rng.choice(OBJECT_COLOURS))) for place in places)
    return Scene(seed, time=rng.choice(TIMES), ground=ground, relief=rng.choice(RELIEFS), things=things)


ATTRIBUTES = {
    "kind": ("landscape", "figure"),
    "time": TIMES,
    "ground": GROUNDS,
    "relief": RELIEFS,
    "left": OBJECTS,
    "right": OBJECTS,
    "left_colour": OBJECT_COLOURS,
    "right_colour": OBJECT_COLOURS,
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
GROUND_PHRASES = {
    "lake": ("lake", "lakeside", "lake shore"),
    "meadow": ("meadow", "green field", "grassland"),
    "desert": ("desert", "sandy desert", "desert with dunes"),
    "snow": ("snow field", "snowy landscape", "winter landscape"),
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
SHAPE_WORDS = {
    "circle": ("circle", "disc"),
    "square": ("square",),
    "triangle": ("triangle",),
    "star": ("star",),
    "heart": ("heart",),
}
ADJECTIVES = ("serene", "quiet", "peaceful", "calm", "beautiful", "lonely", "charming")
PREFIXES = ("a picture of", "a flat illustration of", "a drawing of", "an illustration of")


def article(words: str) -> str:
    return ("an " if words[0] in "aeiou" else "a ") + words


def caption(scene: Scene, rng: random.Random) -> tuple[str, set[str]]:
    """One caption of `scene` and the names of the attributes it leaves unsaid (their class cannot be told from it)."""
    text, unsaid = _landscape_caption(scene, rng) if scene.is_landscape else (_figure_caption(scene, rng), set())
    if rng.random() < 0.15:
        text = f"{rng.choice(PREFIXES)} {text}"
    return text, unsaid


def _figure_caption(scene: Scene, rng: random.Random) -> str:
    figure = f"{scene.colour} {rng.choice(SHAPE_WORDS[scene.shape])}"
    form = rng.randrange(4)
    if form == 0:
        return f"{figure}, {scene.background} background"
    if form == 1:
        return f"{article(figure)} on {scene.background}"
    return f"{article(figure)} on {article(scene.background)} background"


def _landscape_caption(scene: Scene, rng: random.Random) -> tuple[str, set[str]]:
    unsaid: set[str] = set()
    place_said = len(scene.things) == 2 or rng.random() < 0.85
    things = []
    for place, thing in scene.things:
        colour = f"{thing.colour} "
        if rng.random() > 0.95:
            colour = ""
            unsaid.add(f"{place}_colour")
        things.append((place, f"{colour}{rng.choice(OBJECT_WORDS[thing.kind])}"))
    if scene.things and not place_said:
        unsaid |= {"left", "right", "left_colour", "right_colour"}
    time, ground = rng.choice(TIME_PHRASES[scene.time]), rng.choice(GROUND_PHRASES[scene.ground])
    relief = rng.choice(RELIEF_PHRASES[scene.relief]) if rng.random() < 0.75 else None
    if relief is None:
        unsaid.add("relief")
    form = rng.randrange(4)
    if form == 3:
        tags = [f"{name} {place}" if place_said else name for place, name in things]
        tags += [ground, time.split()[-1] if scene.time in ("dawn", "sunset", "night") and rng.random() < 0.5 else time]
        tags += [relief] if relief else []
        if rng.random() < 0.4:
            rng.shuffle(tags)
        return ", ".join(tags), unsaid
    if rng.random() < 0.3:
        ground = f"{rng.choice(ADJECTIVES)} {ground}"
    named = [f"{article(name)} on the {place}" if place_said else article(name) for place, name in things]
    if form == 2 and things:
        text = f"{' and '.join(named)}, {ground} {time}"
        return (f"{text}, {relief}" if relief else text), unsaid
    text = f"{article(ground)} {time}"
    if form == 1 and relief:
        text = f"{text} with {relief}" + (f", {' and '.join(named)}" if named else "")
        return text, unsaid
    if named:
        text += f" with {' and '.join(named)}"
    return (f"{text}, {relief}" if relief else text), unsaid
