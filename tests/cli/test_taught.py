#!/usr/bin/env python3
"""A model that says what it was taught: other words are warned of once, by every command that reads prompts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from support import MODEL, QUICK, SDXL, CliTest, main, needs_engine

WORDS = ["a", "and", "house", "in", "red", "snow", *(f"word{i}" for i in range(60))]
TAUGHT = {"subjects": "landscapes & shapes", "words": WORDS}
SAID = "tiny-sd15 was taught landscapes & shapes; it does not know: {}; see lapis inspect {}"


class TaughtTest(CliTest):
    def setUp(self) -> None:
        super().setUp()
        self.taught = self.teach("tiny-sd15", TAUGHT)
        self.silent = self.teach("silent", None)

    def teach(self, name: str, taught: dict | None) -> Path:
        """A copy of the bundled model that says it was `taught` this, or says nothing."""
        model = Path(shutil.copytree(MODEL, self.folder / name))
        document = json.loads((model / "model.json").read_text())
        del document["taught"]
        (model / "model.json").write_text(json.dumps(document | ({"taught": taught} if taught else {})))
        return model

    def warnings(self, *words: str, **options) -> list[str]:
        """The warnings of a run that must succeed."""
        said = self.done(*words, **options).stderr.decode()
        return [line.removeprefix("warning: ") for line in said.splitlines() if line.startswith("warning: ")]


class Words(TaughtTest):
    @needs_engine
    def test_a_dry_run_says_them(self) -> None:
        words = ("generate", "-m", "./tiny-sd15", "--dry-run")
        self.assertEqual(self.warnings(*words, "A red HOUSE, in-snow and (red)"), [])
        self.assertEqual(self.warnings(*words, "a cat, a red bicycle and a Cat", "-n", "fog, cat", "-q"),
                         [SAID.format("cat, bicycle, fog", "tiny-sd15")])

    @needs_engine
    def test_a_model_that_says_nothing_knows_all(self) -> None:
        self.assertEqual(self.warnings("generate", "a cat", "-m", "./silent", "--dry-run"), [])

    def test_tokens_say_them_too(self) -> None:
        result = self.done("inspect", "./tiny-sd15", "--tokens", "a (cat:1.2)", "--prompt-syntax", "comfy")
        self.assertEqual(result.stderr.decode().splitlines()[-1], "warning: " + SAID.format("cat", "tiny-sd15"))
        self.assertEqual(self.line("inspect", "./tiny-sd15", "--tokens", "a cat")["warnings"], [SAID.format("cat", "tiny-sd15")])

    @needs_engine
    def test_another_folder_is_named_by_its_path(self) -> None:
        place = self.teach("my model", TAUGHT)
        self.assertEqual(self.warnings("generate", "a cat", "-m", "./my model", "--dry-run"),
                         [SAID.format("cat", f"'{place}'")])

    def test_many_words_are_counted(self) -> None:
        prompt = " ".join(f"other{i}" for i in range(300))
        said = self.warnings("inspect", "./tiny-sd15", "--tokens", prompt)
        self.assertEqual(len([line for line in said if "was taught" in line]), 1)
        self.assertIn("other8, other9 and 290 more; see", said[0])

    def test_inspect_shows_subjects_and_words(self) -> None:
        lines = self.output("inspect", "./tiny-sd15").decode().splitlines()
        self.assertIn("taught        landscapes & shapes", lines)
        first = next(i for i, line in enumerate(lines) if line.startswith("words "))
        rest = [line for line in lines[first + 1:] if line.startswith(" " * 14)]
        self.assertGreater(len(rest), 2)
        shown = " ".join(line.strip() for line in [lines[first].removeprefix("words"), *rest])
        self.assertEqual(shown.split(", "), WORDS)
        self.assertLessEqual(max(map(len, [lines[first], *rest])), 94)
        self.assertEqual(self.line("inspect", "./tiny-sd15")["taught"], TAUGHT)
        self.assertNotIn("taught", self.line("inspect", "./silent"))

    def test_an_import_of_the_folder_keeps_them(self) -> None:
        def taught(*words: str) -> object:
            path = self.line("import", *words, "-o", "mine", "--overwrite")["path"]
            return json.loads((Path(path) / "model.json").read_text()).get("taught")
        for source in ("tiny-sd15", "./tiny-sd15/"):
            self.assertEqual(taught(source), TAUGHT, source)
        self.assertIsNone(taught("./silent"))
        # Another text encoder was taught other words.
        self.assertIsNone(taught("tiny-sd15", "--clip-l", str(MODEL / "text_encoder" / "model.safetensors")))
        (self.taught / "model.json").write_text("{}")
        self.assertIsNone(taught("tiny-sd15"))

    def test_what_is_no_list_of_words_is_refused(self) -> None:
        file = self.taught / "model.json"
        document = json.loads(file.read_text())
        document["taught"]["words"][2] = "Red House"
        file.write_text(json.dumps(document))
        self.refused(5, "generate", "a lake", "-m", "./tiny-sd15", says=("model.json: taught.words[2] is \"Red House\"",))


@needs_engine
class Pictures(TaughtTest):
    def test_generate_and_refine_say_them_with_their_results(self) -> None:
        for words in (("generate", "a cat", "-o", "a.png", "-W", "64", "-H", "64"),
                      ("refine", "a.png", "-p", "a cat", "-o", "b.png")):
            with self.subTest(words[0]):
                result = self.done(*words, "-m", "./tiny-sd15", "--steps", "2", "-t", "1", "--json")
                self.assertEqual(json.loads(result.stdout)["warnings"], [SAID.format("cat", "tiny-sd15")])
                self.assertEqual(result.stderr.decode().count("was taught"), 1)

    def test_a_second_model_speaks_for_itself(self) -> None:
        second = self.teach("second", TAUGHT)
        said = self.warnings("generate", "a cat", "-m", "./tiny-sd15", "--then", "./second", *QUICK, "-o", "a.png")
        self.assertEqual(said, [SAID.format("cat", "tiny-sd15"), SAID.format("cat", second)])

    def test_jobs_of_a_batch_say_theirs_with_their_lines(self) -> None:
        jobs = [{"prompt": "a cat", "seed": 1}, {"prompt": "a red house", "seed": 1}, {"prompt": "a dog", "seed": 1}]
        (self.folder / "jobs.jsonl").write_text("".join(json.dumps(job) + "\n" for job in jobs))
        result = self.done("batch", "jobs.jsonl", "-m", "./tiny-sd15", *QUICK, "-o", "out/", "--json")
        lines = sorted(map(json.loads, result.stdout.splitlines()), key=lambda line: line["line"])
        self.assertEqual([line["warnings"] for line in lines],
                         [[SAID.format("cat", "tiny-sd15")], [], [SAID.format("dog", "tiny-sd15")]])
        self.assertEqual(result.stderr.decode().count("was taught"), 2)

    def test_a_matrix_says_them(self) -> None:
        said = self.warnings("matrix", "./tiny-sd15", str(SDXL), "-p", "a cat", "-o", "matrix", "-t", "1")
        self.assertEqual(said, [SAID.format("cat", "tiny-sd15")])

    def test_cases_of_smoke_have_them_as_notes(self) -> None:
        case = {"name": "cat", "job": {"prompt": "a cat", "model": "./tiny-sd15", "seed": 1, "steps": 2, "width": 64,
                                       "height": 64, "threads": 1}}
        (self.folder / "suite.json").write_text(json.dumps({"cases": [case]}))
        self.done("smoke", "suite.json", "--update")
        report = self.line("smoke", "suite.json")
        self.assertEqual(report["cases"][0]["notes"], [SAID.format("cat", "tiny-sd15").replace("lapis inspect", "inspect")])


if __name__ == "__main__":
    main(__doc__)
