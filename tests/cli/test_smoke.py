#!/usr/bin/env python3
"""`lapis smoke` as a user runs it: goldens that pass, differ, are missing or nobody's; approval; reports; bad suites."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

from support import DATA, ROOT, CliTest, main, needs_engine, program, run

sys.path.insert(0, str(ROOT / "tests"))
from json_schema import is_valid, schema  # noqa: E402

SHARED = {"seed": 7, "steps": 2, "width": 64, "height": 64, "threads": 1}
HOUSE = {"name": "house", "job": {"prompt": "a red house in snow"}}
BOAT = {"name": "boat", "job": {"prompt": "a blue boat"}}
REFUSED = {"name": "no-steps", "job": {"prompt": "a house", "steps": 0}, "refused": "usage"}
LATENT = {"name": "latent", "job": {"command": "encode", "images": "{house}", "model": "tiny-sd15"}}


class SmokeTest(CliTest):
    def suite(self, *cases: dict, **keys: object) -> dict:
        """Writes suite.json."""
        document = {"job": SHARED, "cases": list(cases), **keys}
        (self.folder / "suite.json").write_text(json.dumps(document))
        return document

    def smoke(self, *words: str, code: int = 0, **options) -> subprocess.CompletedProcess:
        result = run("smoke", "suite.json", *words, cwd=self.folder, **options)
        self.assertEqual(result.returncode, code, result.stdout.decode() + result.stderr.decode())
        return result

    def report(self, *words: str, code: int = 0, **options) -> dict:
        return json.loads(self.smoke(*words, "--json", code=code, **options).stdout)

    def golden(self, name: str) -> Path:
        return self.folder / "goldens" / name


@needs_engine
class Goldens(SmokeTest):
    def test_missing_then_approved_then_exact(self) -> None:
        self.suite(HOUSE, LATENT, REFUSED)
        report = self.report(code=1)
        self.assertEqual([test["passed"] for test in report["cases"]], [False, False, True])
        self.assertEqual(report["cases"][0]["goldens"][0]["state"], "missing")
        self.assertTrue((self.folder / "lapis-smoke" / "house-actual.png").is_file())
        self.assertFalse((self.folder / "goldens").exists())
        said = self.smoke("--update").stdout.decode()
        self.assertIn("goldens/house.png is approved", said)
        states = [golden["state"] for test in self.report()["cases"] for golden in test["goldens"]]
        self.assertEqual(states, ["exact", "exact"])
        records = json.loads(self.golden("goldens.json").read_text())
        self.assertEqual(set(records), {"house.png", "latent.safetensors"})
        self.assertRegex(records["house.png"]["approved"][0]["pixels_sha256"], "^[0-9a-f]{64}$")

    def test_a_difference_is_kept_told_and_approved_by_name(self) -> None:
        self.suite(HOUSE, BOAT)
        self.smoke("--update")
        self.suite(HOUSE, BOAT, job={**SHARED, "seed": 8})
        said = self.smoke(code=1).stdout.decode()
        self.assertIn("house.png differs: ", said)
        self.assertIn("seed 7 -> 8; models the same", said)
        self.assertIn("approve: lapis smoke suite.json --update house", said)
        kept = {path.name for path in (self.folder / "lapis-smoke").glob("*.png")}
        self.assertEqual(kept, {f"{name}-{what}.png" for name in ("house", "boat")
                                for what in ("actual", "expected", "difference")})
        said = self.smoke("--update", "house").stdout.decode()
        self.assertRegex(said, r"house.png is replaced: .*seed 7 -> 8")
        self.assertEqual([test["name"] for test in self.report(code=1)["cases"] if not test["passed"]], ["boat"])

    def test_what_was_kept_of_failures_goes_where_their_cases_pass_and_no_other_file(self) -> None:
        self.suite(HOUSE, BOAT)
        self.smoke(code=1)
        kept = self.folder / "lapis-smoke"
        (kept / "house-expected.png").write_bytes(b"mine")
        (kept / "boat-actual.png").write_bytes(b"mine now")
        self.smoke("--update", "house")
        self.assertEqual({path.name: path.read_bytes() for path in kept.glob("*.png")},
                         {"house-expected.png": b"mine", "boat-actual.png": b"mine now"})

    def test_of_a_latent_the_difference_is_kept_as_a_picture(self) -> None:
        self.suite(HOUSE, LATENT)
        self.smoke("--update")
        self.suite(HOUSE, LATENT, job={**SHARED, "seed": 8})
        self.smoke(code=1)
        kept = {path.name for path in (self.folder / "lapis-smoke").glob("latent*")}
        self.assertEqual(kept, {"latent-actual.safetensors", "latent-expected.safetensors", "latent-difference.png"})

    def test_thresholds_and_several_approved_digests(self) -> None:
        self.suite(HOUSE)
        self.smoke("--update")
        before = self.golden("house.png").read_bytes()
        self.suite(HOUSE, job={**SHARED, "seed": 8}, tolerance={"fail": 255})
        self.assertEqual(self.report()["cases"][0]["goldens"][0]["state"], "within the thresholds")
        self.assertEqual(self.report("--update")["cases"][0]["goldens"][0]["state"], "approved beside what was")
        self.assertEqual(self.golden("house.png").read_bytes(), before)
        self.suite(HOUSE, job={**SHARED, "seed": 8})
        self.assertEqual(self.report()["cases"][0]["goldens"][0]["state"], "exact")

    def test_a_broken_record_is_replaced_where_all_is_approved_and_else_said(self) -> None:
        self.suite(HOUSE, BOAT)
        self.smoke("--update")
        whole = self.golden("goldens.json").read_bytes()
        self.suite({**HOUSE, "job": {**HOUSE["job"], "seed": 8}}, BOAT, tolerance={"fail": 255})
        for broken in (whole[:len(whole) // 2], b"", b"null", b"[]", b'{"house.png": 3}', b'{"house.png": {"approved": 1}}'):
            with self.subTest(broken=broken):
                self.golden("goldens.json").write_bytes(broken)
                for words in ((), ("--update", "house"), ("--update", "--filter", "house")):
                    self.assertRegex(self.smoke(*words, code=3).stderr.decode(), r"goldens\.json.*\n.*anew: --update")
                self.assertEqual(self.golden("goldens.json").read_bytes(), broken)
                report = self.report("--update")
                self.assertRegex(report["notes"][0], r"goldens\.json.* It is replaced")
                again = self.report()
                self.assertEqual([golden["state"] for test in again["cases"] for golden in test["goldens"]], ["exact"] * 2)
                self.assertEqual([test["notes"] for test in again["cases"]], [[], []])

    def test_what_cannot_be_compared_is_replaced_by_approval(self) -> None:
        self.suite(HOUSE)
        self.smoke("--update")
        for other in (b"\x89PNG\r\n\x1a\n", b"nothing"):
            self.golden("house.png").write_bytes(other)
            self.smoke(code=1)
            self.assertIn("house.png is replaced", self.smoke("--update", "house").stdout.decode())
            self.smoke()

    def test_a_golden_that_was_replaced_by_hand_is_what_counts(self) -> None:
        self.suite(HOUSE, BOAT)
        self.smoke("--update")
        shutil.copy(self.golden("boat.png"), self.golden("house.png"))
        test = self.report(code=1)["cases"][0]
        self.assertIn("house.png is not the picture that goldens.json tells of", test["notes"][0])
        self.assertIn("house.png differs", test["faults"][0])
        self.smoke("--update", "house")
        self.assertEqual(self.report()["cases"][0]["goldens"][0]["state"], "exact")

    def test_another_machine_has_thresholds_of_its_own_and_that_is_said(self) -> None:
        self.suite(HOUSE)
        self.smoke("--update")
        records = json.loads(self.golden("goldens.json").read_text())
        records["house.png"]["approved"][0].update(cpu="another", pixels_sha256="")
        self.golden("goldens.json").write_text(json.dumps(records))
        self.suite(HOUSE, job={**SHARED, "seed": 8}, other_machine={"fail": 255})
        test, = self.report()["cases"]
        self.assertRegex(test["notes"][0], "was made on another, and this is .*other machines hold")
        self.suite(HOUSE, job={**SHARED, "seed": 8})
        self.assertIn("more than hard_fail 2", self.report(code=1)["cases"][0]["faults"][0])

    def test_what_nobody_owns_what_is_damaged_and_what_has_another_size(self) -> None:
        self.suite(HOUSE, BOAT)
        self.smoke("--update")
        shutil.copy(self.golden("boat.png"), self.golden("stray.png"))
        self.golden("boat.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        self.suite({**HOUSE, "job": {**HOUSE["job"], "width": 128}}, BOAT)
        report = self.report(code=1)
        self.assertEqual(report["faults"], ["goldens/stray.png belongs to no case. Remove it, or add the case"])
        self.assertIn("64 x 64 pixels and 128 x 64 pixels are of two sizes", report["cases"][0]["faults"][0])
        self.assertIn("boat.png", report["cases"][1]["faults"][0])

    def test_facts(self) -> None:
        free = {"golden": False}
        self.suite({**HOUSE, **free}, {**BOAT, **free, "time": {"case": "house", "at_most": 1e-6}},
                   {**REFUSED, "refused": "output"}, {**HOUSE, **free, "name": "small", "memory": "1MB"})
        cases = self.report(code=1)["cases"]
        self.assertEqual([test["passed"] for test in cases], [True, False, False, False])
        self.assertRegex(cases[1]["faults"][0], r"it took .* times the .* of house; at most 1e-06 times")
        self.assertIn("exit code 2 (steps is 0", cases[2]["faults"][0])
        self.assertRegex(cases[3]["faults"][0], r"it took \d+ MB of memory, more than 1 MB")

    def test_what_needs_a_case_that_made_nothing_tells_so(self) -> None:
        self.suite({**HOUSE, "job": {"prompt": "x", "model": "tiny-sd16"}}, LATENT)
        self.assertEqual(self.report(code=1)["cases"][1]["faults"][0], "case house, whose output it reads, made none")


    def test_a_conversion_goes_to_a_model_beside_the_suite_that_no_name_finds(self) -> None:
        place = self.folder / "place"
        place.mkdir()
        for name, folder in (("tiny-sd15", "known"), ("tiny-sdxl", "place/models")):
            shutil.copytree(ROOT / "models" / name, self.folder / folder / name)
        conversion = {"name": "carried", "job": {"command": "convert", "latent": "{latent}", "to": "models/tiny-sdxl"}}
        document = {"job": {**SHARED, "model": "tiny-sd15"}, "cases": [HOUSE, LATENT, conversion]}
        (place / "suite.json").write_text(json.dumps(document))
        done = run("smoke", "place/suite.json", "--update", cwd=self.folder, env={"LAPIS_MODELS": str(self.folder / "known")})
        self.assertEqual(done.returncode, 0, done.stdout.decode() + done.stderr.decode())
        records = json.loads((place / "goldens" / "goldens.json").read_text())
        self.assertEqual(records["carried.safetensors"]["model"], "tiny-sdxl")
        self.assertNotIn(records["carried.safetensors"]["model_sha256"], ("", records["house.png"]["model_sha256"]))


@needs_engine
class Interrupted(SmokeTest):
    def test_its_temporary_folder_goes_at_the_first_signal_and_at_the_second(self) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background has it ignored
        self.suite({**HOUSE, "golden": False, "job": {"prompt": "a lake", "width": 512, "height": 512, "steps": 50}})
        place = self.folder / "temporary"
        place.mkdir()
        for signals in (1, 2):
            with subprocess.Popen([program(), "smoke", "suite.json"], cwd=self.folder, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(place)}) as process:
                while not list(place.iterdir()):
                    time.sleep(0.01)
                for _ in range(signals):
                    process.send_signal(signal.SIGINT)
                    said = process.stderr.readline()
                process.communicate(timeout=60)
            self.assertIn(b"the run ends after this step" if signals == 1 else b"", said)
            self.assertEqual(process.returncode, -signal.SIGINT)
            self.assertEqual(list(place.iterdir()), [])


    def test_what_sigkill_left_goes_with_the_next_run_and_what_lives_stays(self) -> None:
        place = self.folder / "temporary"
        place.mkdir()
        (place / "mine").write_text("mine")
        self.suite({**HOUSE, "golden": False, "job": {"prompt": "a lake", "width": 512, "height": 512, "steps": 50}}, REFUSED)
        environment = {**os.environ, "TMPDIR": str(place)}

        def begun() -> tuple[subprocess.Popen, set[Path]]:
            before = set(place.iterdir())
            process = subprocess.Popen([program(), "smoke", "suite.json"], cwd=self.folder, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, env=environment)
            while not set(place.iterdir()) - before:
                time.sleep(0.01)
            return process, set(place.iterdir()) - before

        killed, dead = begun()
        killed.kill()
        killed.wait(timeout=60)
        living, lives = begun()
        self.smoke("--filter", "no-steps", env={"TMPDIR": str(place)})
        self.assertEqual(set(place.iterdir()), {place / "mine", *lives})
        self.assertNotEqual(dead, lives)
        living.kill()
        living.wait(timeout=60)

    def test_no_temporary_folder(self) -> None:
        self.suite(REFUSED)
        self.assertIn("TMPDIR", self.smoke(code=8, env={"TMPDIR": str(self.folder / "none")}).stderr.decode())


@needs_engine
class Reports(SmokeTest):
    def setUp(self) -> None:
        super().setUp()
        self.suite(HOUSE, REFUSED)
        self.smoke("--update")
        self.suite(HOUSE, REFUSED, job={**SHARED, "seed": 8})

    def test_junit_page_and_markdown(self) -> None:
        self.smoke("--junit", "r.xml", "--html", "r.html", "--markdown", "r.md", code=1)
        failures = ElementTree.parse(self.folder / "r.xml").getroot().findall(".//failure")
        self.assertEqual(len(failures), 1)
        if shutil.which("xmllint"):
            valid = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", DATA / "junit.xsd", self.folder / "r.xml"],
                                   capture_output=True, timeout=60)
            self.assertEqual(valid.returncode, 0, valid.stderr.decode())
        page = (self.folder / "r.html").read_text()
        self.assertEqual(page.count("data:image/png;base64,"), 4)  # the expected one, the one it swaps to, two more
        self.assertNotRegex(page, r"https?://|<link|src=\"(?!data:)")
        self.assertLess(page.index("Failed</h2>"), page.index("Passed</h2>"))
        self.assertIn("`lapis smoke suite.json --filter house`", (self.folder / "r.md").read_text())

    def test_what_github_asks_for(self) -> None:
        summary = self.folder / "summary.md"
        result = self.smoke(code=1, env={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)})
        self.assertRegex(result.stdout.decode(), r"(?m)^::error title=smoke test house::house\.png differs")
        self.assertIn("Smoke test failed", summary.read_text())
        document = self.smoke("--json", code=1, env={"GITHUB_ACTIONS": "true"})
        json.loads(document.stdout)
        self.assertIn(b"::error title=", document.stderr)


class Suites(SmokeTest):
    def test_list_filter_and_shards(self) -> None:
        self.suite(HOUSE, BOAT, LATENT, REFUSED)
        names = [row["case"] for row in json.loads(self.smoke("--list", "--json").stdout)]
        self.assertEqual(names, ["house", "boat", "latent", "no-steps"])
        self.assertRegex(self.smoke("--list", "--filter", "latent").stdout.decode(), r"(?s)house .*latent .*house")
        shards = [{row["case"] for row in json.loads(self.smoke("--list", "--json", "--shard", shard).stdout)}
                  for shard in ("1/2", "2/2")]
        self.assertEqual(shards[0] | shards[1], set(names))
        self.assertFalse(shards[0] & shards[1])
        self.assertTrue(any({"house", "latent"} <= shard for shard in shards))
        for index, shard in enumerate(shards, 1):
            named = self.smoke("--list", "--json", "--shard", "auto", env={"CI_NODE_INDEX": str(index), "CI_NODE_TOTAL": "2"})
            self.assertEqual({row["case"] for row in json.loads(named.stdout)}, shard)
            self.assertIn(f"shard {index} of 2".encode(), named.stderr)

    def test_parts_that_share_a_folder_have_reports_of_their_own(self) -> None:
        self.suite(REFUSED, {**REFUSED, "name": "no-steps-either"})
        for index in (1, 2):
            said = self.smoke("--shard", f"{index}/2", "--junit", "r.xml", "--html", "out/r.html", code=8).stderr
            self.assertIn(b"out/r.", said)
            said = self.smoke("--shard", f"{index}/2", "--junit", "r.xml", "--html", "r.html").stderr.decode()
            self.assertIn(f"r.{index}-of-2.xml is written\n", said)
        self.assertEqual({path.name for path in self.folder.glob("r.*")},
                         {f"r.{index}-of-2.{ending}" for index in (1, 2) for ending in ("xml", "html")})

    def test_bad_suites(self) -> None:
        for cases, says in (
                ([{**HOUSE, "job": {"prompt": "x", "image": "/tmp/a.png"}}], "outside of the suite's folder"),
                ([{**HOUSE, "job": {"prompt": "x", "output": "a.png"}}], "leave it out"),
                ([HOUSE, HOUSE], "case before"),
                ([{**HOUSE, "time": {"case": "house", "at_most": 1}}], "circle: house -> house"),
                ([HOUSE, {**BOAT, "name": "house-1"}], 'case "house-1" is called as a golden of case "house" is'),
                ([LATENT], 'no case "house"')):
            with self.subTest(says=says):
                self.suite(*cases)
                self.assertIn(says, self.smoke(code=3).stderr.decode())

    def test_reports_take_the_place_of_nothing(self) -> None:
        self.suite(REFUSED)
        self.golden("").mkdir(exist_ok=True)
        self.golden("b.png").write_bytes(b"approved")
        (self.folder / "link.html").symlink_to("goldens/b.png")
        before = (self.folder / "suite.json").read_bytes()
        for words, code in ((("--html", "suite.json"), 2), (("--junit", "./suite.json"), 2), (("--html", "goldens/a.png"), 2),
                            (("--html", "link.html"), 2),
                            (("--html", "a", "--junit", "a"), 2), (("--markdown", "-"), 2), (("-o", "goldens"), 2),
                            (("--junit", "nowhere/a.xml"), 8)):
            with self.subTest(words=words):
                self.assertNotIn(b"pass", self.smoke(*words, code=code).stdout)
        self.assertEqual((self.folder / "suite.json").read_bytes(), before)
        self.assertEqual([path.read_bytes() for path in self.golden("").iterdir()], [b"approved"])

    @needs_engine
    def test_what_is_approved_by_name_is_that_case_alone(self) -> None:
        self.suite(HOUSE, {**BOAT, "name": "house-boat"})
        self.assertEqual([case["name"] for case in self.report("--update", "house")["cases"]], ["house"])

    @needs_engine
    def test_a_golden_is_written_anew_and_not_in_its_place(self) -> None:
        self.suite(HOUSE)
        self.smoke("--update")
        (self.folder / "linked.png").hardlink_to(self.golden("house.png"))
        before = (self.folder / "linked.png").read_bytes()
        self.suite({**HOUSE, "job": {**HOUSE["job"], "seed": 99}})
        self.smoke("--update")
        self.assertEqual((self.folder / "linked.png").read_bytes(), before)
        self.assertNotEqual(self.golden("house.png").read_bytes(), before)

    def test_bad_words(self) -> None:
        self.suite(REFUSED)
        for words, says in ((("--filter", "x"), 'has "x" in its name'), (("--update", "x"), '"x"'),
                            (("--shard", "3/2"), "3/2"), (("--shard", "auto"), "no scheduler"), (("--update", "--shard", "1/2"), "without --shard"),
                            (("-m", "tiny-sd15"), "--init")):
            with self.subTest(words=words):
                self.assertIn(says, self.smoke(*words, code=2).stderr.decode())
        self.assertIn("no suite", run("smoke", "--update", "suite.json", cwd=self.folder).stderr.decode())

    def test_the_schema_is_what_the_program_takes(self) -> None:
        bundled = json.loads((ROOT / "tests" / "smoke" / "suite.json").read_text())
        self.assertTrue(is_valid(bundled, schema("suite")))
        self.assertEqual(run("smoke", str(ROOT / "tests" / "smoke" / "suite.json"), "--list").returncode, 0)
        self.assertEqual(run("smoke", "--init", "new", cwd=self.folder).returncode, 0)
        written = self.folder / "new" / "suite.json"
        self.assertTrue(is_valid(json.loads(written.read_text()), schema("suite")))
        self.assertEqual(run("smoke", str(written), "--list").returncode, 0)
        self.assertEqual(run("smoke", "--init", "new", cwd=self.folder).returncode, 8)
        good = self.suite(HOUSE)
        for change in ({"cases": []}, {"golden": "x"}, {"tolerance": {"fial": 1}}, {"goldens": ""},
                       {"cases": [{**HOUSE, "job": {"output": "a.png"}}]}, {"cases": [{**HOUSE, "refused": "x"}]},
                       {"cases": [{**HOUSE, "memory": 3}]}, {"cases": [{**HOUSE, "name": "a b"}]}):
            with self.subTest(change=change):
                self.assertFalse(is_valid({**good, **change}, schema("suite")))
                self.suite(**{"cases": good["cases"], **change}) if "cases" not in change else (
                    self.folder / "suite.json").write_text(json.dumps({**good, **change}))
                self.smoke("--list", code=3)

    def test_the_thresholds_and_their_ranges_are_those_of_the_schema_and_of_compare(self) -> None:
        rows = schema("suite")["$defs"]["thresholds"]["properties"]
        self.suite(REFUSED)
        shown = run("compare", "--help").stdout.decode()
        for key, row in rows.items():
            with self.subTest(key=key):
                self.assertIn(f"--{key.replace('_', '-')} ", shown)
                self.suite(REFUSED, tolerance={key: row["maximum"]}, latent_other_machine={key: row["minimum"]})
                self.smoke("--list")
                for beyond in (row["maximum"] * 1.01, -0.01):
                    self.suite(REFUSED, tolerance={key: beyond})
                    self.assertIn(f'expected a number of 0 to {row["maximum"]:g}', self.smoke("--list", code=3).stderr.decode())
                    words = ["--warn", "1"] if key == "warn_percent" else []
                    said = run("compare", "a.png", "b.png", f"--{key.replace('_', '-')}", str(beyond), *words).stderr
                    self.assertIn(f"; expected 0 to {row['maximum']}\n".encode(), said)

    def test_the_words_of_refusals_are_those_of_the_schema(self) -> None:
        for word in schema("suite")["$defs"]["case"]["properties"]["refused"]["enum"]:
            self.suite({**REFUSED, "refused": word})
            self.smoke("--list")
        self.suite({**REFUSED, "refused": "none of them"})
        self.smoke("--list", code=3)


if __name__ == "__main__":
    main(__doc__)
