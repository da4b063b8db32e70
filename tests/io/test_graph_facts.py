#!/usr/bin/env python3
"""Holds every graph of models/graphs against its JSON: the same tensors in the same shapes, and no numbers.

Reads the TorchScript archives with the standard library alone; nothing in them is run.

    tests/io/test_graph_facts.py [unittest arguments]
"""

from __future__ import annotations

import io
import json
import pickle
import re
import unittest
import zipfile
from pathlib import Path
from typing import Any

GRAPHS = Path(__file__).resolve().parents[2] / "models" / "graphs"
PARTS = {"denoiser", "vae_decoder", "vae_encoder", "text_encoder"}
PORTS = {
    "denoiser": ({"sample", "timestep", "context"}, {"prediction"}),
    "vae_decoder": ({"latent"}, {"picture"}),
    "vae_encoder": ({"picture"}, {"mean", "logvar"}),
    "text_encoder": ({"ids"}, set()),
}
LARGEST = 8_000_000  # bytes of the whole folder


class Module:
    """Stands for the graph's class."""

    facts: dict[str, Any] = {}

    def __setstate__(self, facts: dict[str, Any]) -> None:
        self.facts = facts


class Reader(pickle.Unpickler):
    """Reads data.pkl without making anything but shapes and strides."""

    def find_class(self, module: str, name: str) -> Any:
        if name == "_rebuild_tensor_v2":
            return lambda storage, offset, size, stride, *_: (list(size), list(stride))
        if name == "OrderedDict":
            return dict
        return Module

    def persistent_load(self, identity: Any) -> Any:
        return identity


def tensors_of(graph: Path) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Shape of each parameter under its checkpoint's name, and the stride of each."""
    with zipfile.ZipFile(graph) as archive:
        code = archive.read(f"{graph.stem}/code/__torch__/lapis.py").decode()
        names = json.loads(re.search(r"__parameters__ = (\[.*?\])", code)[1].replace(", ]", "]"))
        facts = Reader(io.BytesIO(archive.read(f"{graph.stem}/data.pkl"))).load().facts
    named = {name.replace("/", "."): facts[name] for name in names}
    return {name: size for name, (size, _) in named.items()}, {name: stride for name, (_, stride) in named.items()}


class GraphFacts(unittest.TestCase):
    def setUp(self) -> None:
        self.graphs = sorted(GRAPHS.glob("*.pt"))
        self.assertEqual([graph.stem for graph in self.graphs], sorted(file.stem for file in GRAPHS.glob("*.json")))
        self.assertEqual(len(self.graphs), 13)

    def test_tensors(self) -> None:
        for graph in self.graphs:
            with self.subTest(graph.stem):
                shapes, strides = tensors_of(graph)
                facts = json.loads(graph.with_suffix(".json").read_text("utf-8"))
                self.assertEqual(shapes, facts["tensors"])
                steps = {step for name, shape in shapes.items() for size, step in zip(shape, strides[name]) if size > 1}
                self.assertEqual(steps, {0}, "a parameter is more than one number")

    def test_facts(self) -> None:
        for graph in self.graphs:
            with self.subTest(graph.stem):
                facts = json.loads(graph.with_suffix(".json").read_text("utf-8"))
                self.assertEqual(set(facts), {"version", "name", "part", "inputs", "outputs", "tensors", "origin"})
                self.assertEqual((facts["version"], facts["name"]), (1, graph.stem))
                self.assertIn(facts["part"], PARTS)
                inputs, outputs = ({port["name"] for port in facts[side]} for side in ("inputs", "outputs"))
                self.assertLessEqual(PORTS[facts["part"]][0], inputs)
                self.assertLessEqual(PORTS[facts["part"]][1], outputs)

    def test_size(self) -> None:
        self.assertLess(sum(file.stat().st_size for file in GRAPHS.iterdir()), LARGEST)


if __name__ == "__main__":
    unittest.main()
