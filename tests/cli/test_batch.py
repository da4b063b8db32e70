#!/usr/bin/env python3
"""`lapis batch` as a user runs it: one load, a journal, failures, shards, pipes; and `generate --from`."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

from support import MODEL, QUICK, ROOT, CliTest, main, needs_engine, program, run, shell

sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]
from json_schema import is_valid, schema  # noqa: E402
from parity import cases  # noqa: E402

LINES = [{"prompt": "a red house in snow", "seed": 7}, {"prompt": "a blue boat", "seed": 8, "batch": 2},
         {"prompt": "a lake at dusk", "model": "tiny-sdxl", "seed": 9}]


class BatchTest(CliTest):
    def jobs(self, lines: list, name: str = "jobs.jsonl") -> str:
        text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
        (self.folder / name).write_text(text)
        return name

    def batch(self, *words: str, code: int = 0, **options) -> subprocess.CompletedProcess:
        result = run("batch", *words, *QUICK, cwd=self.folder, **options)
        self.assertEqual(result.returncode, code, result.stderr.decode())
        return result

    def contents(self, folder: str) -> dict[str, bytes]:
        return {str(path.relative_to(self.folder / folder)): path.read_bytes()
                for path in sorted((self.folder / folder).rglob("*")) if path.is_file() and path.name != "journal.jsonl"}

    def files(self, folder: str) -> dict[str, bytes]:
        """Every file there, the journal without the seconds that jobs took."""
        records = [record | {"seconds": 0} for record in self.journal(folder)]
        return self.contents(folder) | {"journal.jsonl": json.dumps(records).encode()}

    def journal(self, folder: str = "out") -> list[dict]:
        return [json.loads(line) for line in (self.folder / folder / "journal.jsonl").read_text().splitlines()]


@needs_engine
class Rendered(BatchTest):
    def test_the_bytes_are_those_of_generate(self) -> None:
        self.batch(self.jobs(LINES), "-o", "out/")
        self.assertEqual(sorted(self.contents("out")), ["0001.png", "0002-0.png", "0002-1.png", "0003.png"])
        (self.folder / "alone").mkdir()
        for number, line in enumerate(LINES, 1):
            words = [word for key, value in line.items() if key != "prompt" for word in (f"--{key}", str(value))]
            run("generate", line["prompt"], *words, *QUICK, "-o", f"alone/{number:04}.png", cwd=self.folder)
        self.assertEqual(self.contents("alone"), self.contents("out"))
        self.assertEqual([(record["line"], record["of"]) for record in self.journal()], [(1, 3), (2, 3), (3, 3)])

    def test_the_cases_of_parity_are_the_same_alone_and_together(self) -> None:
        """In short: scripts/parity/batch.py has all of them, of every model, with their sizes and steps."""
        self.ppm("start.ppm", 64, 64)
        facts = cases.read_facts(MODEL)
        jobs = [job for name, job in cases.equal_cases(facts).items()
                if not (job.lora or job.masked or "," in name or name.startswith("sampler"))]
        lines = []
        for job in (*jobs, cases.different_cases(facts)["another seed"][1]):
            fields = {key: value for key, value in dataclasses.asdict(job).items()
                      if value is not None and key not in ("lora_weight", "masked")}
            fields |= {"steps": 2, "width": 64, "height": 64, "threads": 1}
            lines.append(fields | ({"image": "start.ppm"} if job.strength else {}))
        outputs = [(f"{number:02}-{{index}}.png", f"{number:02}.safetensors") for number in range(len(lines))]
        listed = [line | {"output": f"together/{picture}", "latent": f"together/{latent}"}
                  for line, (picture, latent) in zip(lines, outputs)]
        self.batch(self.jobs(random.Random(7).sample(listed, len(listed))), "--journal", "journal.jsonl")
        (self.folder / "alone").mkdir()
        for line, (picture, latent) in zip(lines, outputs):
            words = [word for key, value in line.items() if key != "prompt"
                     for word in (f"--{key.replace('_', '-')}", str(value))]
            self.done("generate", line["prompt"], *words, "-o", f"alone/{picture}", "--latent", f"alone/{latent}")
        alone = self.contents("alone")
        self.assertEqual(alone, self.contents("together"))
        for plain, other in (("00-0.png", f"{len(jobs):02}-0.png"), ("00.safetensors", f"{len(jobs):02}.safetensors")):
            self.assertNotEqual(alone[plain], alone[other])

    def test_a_job_without_a_seed_has_one_that_stays(self) -> None:
        jobs = self.jobs([{"prompt": "a lake"}, {"prompt": "a lake"}])
        self.batch(jobs, "-o", "out/")
        self.batch(jobs, "-o", "again/")
        self.assertEqual(self.contents("out"), self.contents("again"))
        self.assertNotEqual(*self.contents("out").values())

    def test_what_is_done_is_left_and_what_was_damaged_or_deleted_is_done_again(self) -> None:
        jobs = self.jobs(LINES)
        self.batch(jobs, "-o", "out/")
        whole = self.contents("out")
        times = {path: path.stat().st_mtime_ns for path in (self.folder / "out").glob("*.png")}
        self.assertIn(b"0 jobs done, 3 done before", self.batch(jobs, "-o", "out/").stderr)
        (self.folder / "out/0001.png").write_bytes(b"damaged")
        (self.folder / "out/0002-1.png").unlink()
        self.assertIn(b"2 jobs done, 1 done before", self.batch(jobs, "-o", "out/").stderr)
        self.assertEqual(self.contents("out"), whole)
        third = self.folder / "out/0003.png"
        self.assertEqual(third.stat().st_mtime_ns, times[third])

    def test_a_bad_line_is_told_of_and_the_rest_go_on(self) -> None:
        jobs = self.jobs([LINES[0], "nonsense", {"prompt": "a", "stepps": 3}, {"prompt": "a", "steps": 0},
                          {"prompt": "a", "model": "tiny-sd14"}, LINES[1]])
        result = self.batch(jobs, "-o", "out/", "--json", code=9)
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([line["line"] for line in lines if line["status"] == "done"], [1, 6, 6])
        failed = {line["line"]: line for line in lines if line["status"] == "failed"}
        self.assertEqual({number: line["exit"] for number, line in failed.items()}, {2: 3, 3: 3, 4: 2, 5: 2})
        self.assertIn("steps", failed[3]["error"]["problem"])
        self.assertEqual(failed[4]["error"]["fields"], ["steps"])
        alone = run("generate", "a", "--steps", "0", cwd=self.folder)
        self.assertEqual(result.stderr.decode().count(alone.stderr.decode().removeprefix("error: ").strip()), 1)
        self.assertIn(b"2 jobs done, 4 failed", result.stderr)

    def test_the_first_failure_ends_it_where_that_is_asked_for(self) -> None:
        result = self.batch(self.jobs(["nonsense", LINES[0]]), "-o", "out/", "--fail-fast", code=9)
        self.assertEqual(result.stdout, b"")

    def test_each_line_of_a_pipe_is_done_as_it_comes(self) -> None:
        with subprocess.Popen([program(), "batch", "-", "--json", "-o", "out/", *QUICK], cwd=self.folder,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            for number, line in enumerate([LINES[0], LINES[0] | {"seed": 9}], 1):
                process.stdin.write(json.dumps(line).encode() + b"\n")
                process.stdin.flush()
                answer = json.loads(process.stdout.readline())
                self.assertEqual((answer["line"], answer["status"]), (number, "done"))
                self.assertTrue((self.folder / answer["path"]).is_file())
            process.stdin.close()
            self.assertEqual(process.wait(60), 0)

    def test_a_tokenizer_that_changes_between_two_jobs_is_not_the_one_that_stayed(self) -> None:
        vocabulary = self.model() / "tokenizer" / "vocab.json"
        sound = vocabulary.read_bytes()
        other = sound.replace(b'"red</w>"', b'"rad</w>"')  # of the same size
        self.assertNotEqual(other, sound)
        with subprocess.Popen([program(), "batch", "-", "--json", "-o", "out/", "-m", "./model", *QUICK], cwd=self.folder,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            answers = []
            for seed, content in enumerate((sound, other, sound)):
                vocabulary.write_bytes(content)
                process.stdin.write(json.dumps({"prompt": "a red house", "seed": seed}).encode() + b"\n")
                process.stdin.flush()
                answers.append(json.loads(process.stdout.readline()))
            process.stdin.close()
            self.assertEqual(process.wait(60), 9)
        self.assertEqual([answer["status"] for answer in answers], ["done", "failed", "done"])
        self.assertIn("vocab.json has been altered", answers[1]["error"]["problem"])

    def test_what_was_there_and_stayed_is_no_jobs_own(self) -> None:
        jobs = self.jobs(LINES[:1])
        (self.folder / "out").mkdir()
        picture = self.folder / "out/0001.png"
        picture.write_bytes(b"mine")
        skipped = self.batch(jobs, "-o", "out/", "--skip-existing", "--json")
        self.assertIn(b"0 jobs done, 1 done before", skipped.stderr)
        self.assertEqual(len(json.loads(skipped.stdout)["id"]), 64)
        self.assertEqual(self.journal(), [])
        self.assertIn(b"exists already", self.batch(jobs, "-o", "out/", code=9).stderr)
        self.assertEqual(picture.read_bytes(), b"mine")

    def test_what_a_batch_reads_and_writes_itself_is_no_output(self) -> None:
        (self.folder / "p.png").write_text("a lake\n")
        for words in (("--prompts", "p.png", "-o", "./p.png"), ("--prompts", "p.png", "-o", "out/", "--sheet", "p.png"),
                      ("-p", "a", "-o", "j.png", "--journal", "j.png"), ("-p", "a", "--journal", "s.png", "--sheet", "s.png")):
            result = run("batch", *words, "--overwrite", *QUICK, cwd=self.folder)
            self.assertIn(result.returncode, (2, 9), result.stderr)
            self.assertIn(b"that is" if b"--sheet" in result.stderr else b"which is", result.stderr)
        self.assertEqual((self.folder / "p.png").read_text(), "a lake\n")

    def test_a_list_that_reads_what_it_writes_is_refused_and_a_pipe_is_done_in_order(self) -> None:
        draws = {"prompt": "a lake", "seed": 1, "output": "out/1.png"}
        reads = {"prompt": "a hill", "seed": 2, "image": "out/../out/1.png", "output": "out/2.png"}
        encodes = {"command": "encode", "images": ["out/1.png"], "model": "tiny-sd15", "output": "out/3.safetensors"}
        told = self.batch(self.jobs([draws, reads, encodes]), "-o", "out/", code=9).stderr.decode()
        for line in (2, 3):
            self.assertRegex(told, f"jobs.jsonl, line {line}: it reads .*1.png, which jobs.jsonl, line 1 writes")
        self.assertEqual(sorted(self.contents("out")), ["1.png"])
        later = self.batch(self.jobs([reads, draws | {"overwrite": True}]), "-o", "out/", code=9).stderr.decode()
        self.assertIn("line 2: it would write out/1.png, which jobs.jsonl, line 1 reads", later)
        own = self.jobs([{"prompt": "a", "image": "out/1.png", "output": "out/1.png", "overwrite": True}])
        self.assertIn(b"which it reads", self.batch(own, "-o", "out/", code=9).stderr)
        shutil.rmtree(self.folder / "out")
        lines = "".join(json.dumps(line) + "\n" for line in [draws, reads, encodes]).encode()
        for words, said in (((), b"3 jobs done"), (("--workers", "2"), b"0 jobs done, 3 done before")):
            self.assertIn(said, self.batch("-", "-o", "out/", *words, input=lines).stderr)
        whole = self.contents("out")
        shutil.rmtree(self.folder / "out")
        self.batch("-", "-o", "out/", "--workers", "2", input=lines)
        self.assertEqual(self.contents("out"), whole)

    def test_an_output_elsewhere_is_another_job(self) -> None:
        def put(*outputs: str) -> str:
            return self.jobs([{"prompt": "a lake", "seed": 1, "output": output} for output in outputs])
        words = ("--journal", "journal.jsonl")
        self.batch(put("a/x.png"), *words)
        whole = (self.folder / "a/x.png").read_bytes()
        self.batch(put("b/x.png"), *words)
        self.assertEqual((self.folder / "b/x.png").read_bytes(), whole)
        (self.folder / "c").mkdir()
        (self.folder / "c/x.png").write_bytes(b"mine")
        (self.folder / "a/x.png").unlink()
        result = self.batch(put("c/x.png", "a/x.png"), *words, code=9)
        self.assertIn(b"c/x.png exists already", result.stderr)
        self.assertEqual((self.folder / "c/x.png").read_bytes(), b"mine")
        self.assertEqual((self.folder / "a/x.png").read_bytes(), whole)

    def test_a_sheet_has_a_cell_for_each_job(self) -> None:
        words = ("-p", "a red house", "--each", "seed=1..2", "--each", "guidance=1,3,700", "-o", "out/")
        self.batch(*words, "--sheet", "sheet.html", code=9)
        page = (self.folder / "sheet.html").read_text()
        self.assertEqual((page.count("<img "), page.count('class="none"')), (4, 2))
        self.assertIn('<a href="out/0001.png">', page)
        self.assertIn("guidance is 700", page)
        self.assertNotIn(b"beyond ASCII", self.batch(*words, "--sheet", "sheet.png", code=9).stderr)
        letters = ("-p", "a caf\u00e9", "--each", "seed=1..2", "-o", "letters/", "--sheet")
        self.assertIn(b"letters beyond ASCII", self.batch(*letters, "l.png").stderr)
        self.assertNotIn(b"beyond ASCII", self.batch(*letters, "l.html").stderr)
        self.assertEqual(run("inspect", "sheet.png", cwd=self.folder).returncode, 0)
        self.batch(*words, "--shard", "1/2", "--sheet", "sheet.png", "--overwrite", code=9)
        self.assertTrue((self.folder / "sheet.1-of-2.png").is_file())

    def test_result_lines_are_jobs(self) -> None:
        made = run("generate", "a red house", "-s", "3", "--json", "-o", "a.png", *QUICK, cwd=self.folder)
        (self.folder / "made.jsonl").write_bytes(made.stdout)
        self.batch("made.jsonl", "-o", "again/")
        self.assertEqual((self.folder / "again/0001.png").read_bytes(), (self.folder / "a.png").read_bytes())

    def test_every_command_has_a_line(self) -> None:
        run("generate", "a red house", "-s", "3", "-o", "a.png", "--latent", "a.safetensors", *QUICK, cwd=self.folder)
        self.batch(self.jobs([
            {"command": "encode", "images": ["a.png"], "model": "tiny-sd15"},
            {"command": "decode", "latent": "a.safetensors"},
            {"command": "convert", "latent": "a.safetensors", "to": "tiny-sdxl"},
            {"command": "refine", "source": "a.safetensors", "prompt": "a red house", "strength": 0.5}]), "-o", "out/")
        alone = self.folder / "alone"
        alone.mkdir()
        for words in (("encode", "a.png", "-m", "tiny-sd15", "-o", "alone/0001.safetensors", "-t", "1"),
                      ("decode", "a.safetensors", "-o", "alone/0002.png", "-t", "1"),
                      ("convert", "a.safetensors", "--to", "tiny-sdxl", "-o", "alone/0003.safetensors", "-t", "1"),
                      ("refine", "a.safetensors", "-p", "a red house", "--strength", "0.5", "-o", "alone/0004.png", *QUICK)):
            self.assertEqual(run(*words, cwd=self.folder).returncode, 0)
        out = self.contents("out")
        self.assertEqual(sorted(out), ["0001.safetensors", "0002.png", "0003.safetensors", "0004.png"])
        for name in ("0001.safetensors", "0002.png", "0003.safetensors"):
            self.assertEqual(out[name], (alone / name).read_bytes(), name)

    def test_shards_come_to_the_whole(self) -> None:
        jobs = self.jobs([{"prompt": "a lake", "seed": seed} for seed in range(6)])
        self.batch(jobs, "-o", "whole/")
        for index in (1, 2):
            part = {"CI_NODE_INDEX": str(index), "CI_NODE_TOTAL": "2"}
            self.batch(jobs, "-o", "parts/", "--shard", "auto", env=part)
            self.batch(jobs, "-o", f"part-{index}/", "--shard", "auto", env=part)
        self.assertIn(b"6 jobs, each done once", self.done("batch", "--merge", "part-1", "part-2").stderr)
        whole = run("batch", "--merge", "parts", cwd=self.folder)
        self.assertEqual((whole.returncode, whole.stdout), (0, b"parts/journal.jsonl\n"), whole.stderr)
        parts = {name: content for name, content in self.contents("parts").items() if name.endswith(".png")}
        whole = {name: content for name, content in self.contents("whole").items() if name.endswith(".png")}
        self.assertEqual(parts, whole)
        (self.folder / "parts/0003.png").unlink()
        lacking = run("batch", "--merge", "parts", cwd=self.folder)
        self.assertEqual(lacking.returncode, 1)
        self.assertIn(b"line 3: parts/0003.png is not there", lacking.stderr)

    def test_a_batch_that_was_killed_goes_on_where_it_was(self) -> None:
        """LAPIS_KILLS=200 kills batches of 30 jobs 200 times; one that comes to its end is compared, and another begins."""
        kills = int(os.environ.get("LAPIS_KILLS", "5"))
        jobs = self.jobs([{"prompt": "a lake", "seed": seed, "steps": 4} for seed in range(5 if kills <= 5 else 30)])
        self.batch(jobs, "-o", "whole/")
        moments, killed, ended = random.Random(7), 0, 0
        while killed < kills:
            with subprocess.Popen([program(), "batch", jobs, "-o", "out/", *QUICK], cwd=self.folder,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                try:
                    process.wait(moments.uniform(0, 1))
                except subprocess.TimeoutExpired:
                    process.kill()
            killed += process.returncode == -signal.SIGKILL
            if process.returncode == 0:
                ended += 1
                self.assertEqual(self.files("out"), self.files("whole"))
                shutil.rmtree(self.folder / "out")
        self.batch(jobs, "-o", "out/")
        self.assertEqual(self.files("out"), self.files("whole"))
        if kills > 5:
            print(f"{killed} kills, {ended + 1} batches of 30 jobs that came to their ends", file=sys.stderr)

    def test_a_signal_ends_it_after_a_step_and_says_so(self) -> None:
        jobs = self.jobs([{"prompt": "a lake", "seed": seed, "steps": 400} for seed in range(5)])
        with subprocess.Popen([program(), "batch", jobs, "-o", "out/", *QUICK[2:]], cwd=self.folder,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            time.sleep(1.5)
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertIn(b"Run it again to go on", said)
        self.assertFalse((self.folder / "out/journal.jsonl.lock").exists())

    def test_a_full_disk_loses_nothing(self) -> None:
        """Disks that end at each place in turn: in the lock, the journal, a picture, and after some pictures."""
        jobs = self.jobs([{"prompt": "a lake", "seed": seed} for seed in range(6)])
        self.batch(jobs, "-o", "whole/")
        line = f"{program()} batch {jobs} -o disk/ {' '.join(QUICK)}"
        (self.folder / "disk").mkdir()
        for kilobytes in range(8, 49, 8):
            with self.subTest(kilobytes=kilobytes):
                ended = shell(f"unshare -rm bash -c 'mount -t tmpfs -o size={kilobytes}k tmpfs disk || exit 77; {line}; code=$?; "
                              f"mount -o remount,size=16m disk && {line} && cp -a disk out && exit $code'", self.folder)
                if ended.returncode == 77:
                    self.skipTest("nobody may mount here")
                self.assertIn(ended.returncode, (8, 9), ended.stderr.decode())
                self.assertEqual(self.contents("out"), self.contents("whole"))
                shutil.rmtree(self.folder / "out")

    def test_a_limit_of_file_sizes_loses_nothing(self) -> None:
        """Of 1 KB, in which no lock has room, and of 17 KB, in which one picture of three has none."""
        jobs = self.jobs([LINES[0] | {"width": side, "height": side} for side in (64, 192, 72)])
        words = ("batch", jobs, "--steps", "2", "-t", "1", "-o")
        self.done(*words, "whole/")
        for kilobytes, code, said in ((1, 8, "journal.jsonl.lock cannot be written"), (17, 9, "2 jobs done, 1 failed")):
            limited = shell(f"ulimit -f {kilobytes}; {program()} {' '.join(words)} out/", self.folder)
            self.assertEqual(limited.returncode, code, limited.stderr)
            self.assertIn(said, limited.stderr.decode())
            self.done(*words, "out/")
            self.assertEqual(self.contents("out"), self.contents("whole"))
            shutil.rmtree(self.folder / "out")


class Schemas(BatchTest):
    def known_keys(self, line: dict) -> set[str]:
        """The keys that the program takes beside those of a line, by its own word."""
        told = run("batch", self.jobs([line | {"zzzzzzzzzzzz": 1}]), "--dry-run", cwd=self.folder).stderr.decode()
        return set(re.findall(r'"(\w+)"', told.partition("Known here: ")[2]))

    def test_the_schema_of_a_job_knows_the_keys_that_the_program_knows(self) -> None:
        for name, line in {"generate": {}, "refine": {"source": "a"}, "encode": {"images": ["a"]}, "decode": {"latent": "a"},
                           "convert": {"latent": "a"}}.items():
            with self.subTest(name):
                keys = self.known_keys(line | ({} if name == "generate" else {"command": name}))
                self.assertEqual(set(schema("job")["$defs"][name]["properties"]), keys | set(line))

    def test_lines_are_valid_where_the_program_takes_them(self) -> None:
        for line, is_good in (({"prompt": "a"}, True), ({"prompt": 3}, False), ({"prompt": "a", "loras": ["a"]}, True),
                              ({"command": "decode", "latent": "a"}, True), ({"command": "decode"}, False),
                              ({"command": "decode", "latent": "a", "steps": 3}, False), ({"stebs": 3}, False),
                              ({"version": "1", "prompt": "a", "timings": {}}, True)):
            self.assertEqual(is_valid(line, schema("job")), is_good, line)
            told = run("batch", self.jobs([line]), "--dry-run", cwd=self.folder).stderr.decode()
            self.assertEqual(not re.search("unknown key|expected (text|a|an) |lacks the key", told), is_good, told)

    @needs_engine
    def test_journals_and_result_lines_are_valid(self) -> None:
        result = self.batch(self.jobs([LINES[0], "nonsense"]), "-o", "out/", "--json", code=9)
        for record in self.journal():
            self.assertTrue(is_valid(record, schema("journal")), record)
        done = next(line for line in map(json.loads, result.stdout.splitlines()) if line["status"] == "done")
        self.assertTrue(is_valid(done, schema("job")), done)


@needs_engine
class Again(BatchTest):
    def test_a_picture_is_made_again_from_each_of_its_records(self) -> None:
        made = run("generate", "a red house", "-s", "3", "--json", "-o", "a.png", "--latent", "a.safetensors", *QUICK,
                   cwd=self.folder)
        (self.folder / "a.json").write_bytes(made.stdout)
        for record in ("a.png", "a.safetensors", "a.json"):
            result = run("generate", "--from", record, "-o", "again.png", "--overwrite", cwd=self.folder)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual((self.folder / "again.png").read_bytes(), (self.folder / "a.png").read_bytes(), record)
        run("generate", "--from", "a.png", "-s", "4", "-o", "other.png", cwd=self.folder)
        alone = run("generate", "a red house", "-s", "4", "-o", "alone.png", *QUICK, cwd=self.folder)
        self.assertEqual(alone.returncode, 0)
        self.assertEqual((self.folder / "other.png").read_bytes(), (self.folder / "alone.png").read_bytes())

    def test_a_model_and_a_lora_are_those_of_the_record_or_it_is_said(self) -> None:
        model = self.folder / "tiny-sd15"
        shutil.copytree(MODEL, model)
        run("generate", "a red house", "-m", "./tiny-sd15", "-o", "a.png", *QUICK, cwd=self.folder)
        facts = json.loads((model / "model.json").read_text())
        vocabulary = next(name for name in facts["files"] if name.endswith("vocab.json"))
        text = (model / vocabulary).read_bytes() + b"\n"
        (model / vocabulary).write_bytes(text)
        facts["files"][vocabulary] |= {"sha256": hashlib.sha256(text).hexdigest(), "size": len(text)}
        (model / "model.json").write_text(json.dumps(facts))
        words = ("generate", "--from", "a.png", "-m", "./tiny-sd15", "-o", "b.png")
        self.assertNotIn(b"warning", run(*words, cwd=self.folder).stderr)
        again = run("generate", "--from", "a.png", "-o", "c.png", cwd=self.folder, env={"LAPIS_MODELS": str(self.folder)})
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn(b"made with another model of that name", again.stderr)

    def test_what_a_record_says_that_is_not_for_the_model_on_top_of_it_is_left_out(self) -> None:
        made = run("generate", "a red house", "-n", "a lake", "-s", "3", "-m", "tiny-sdxl", "--clip-skip", "3", "--original-size",
                   "99x99", "--zero-snr", "on", "--json", "-o", "a.png", *QUICK, cwd=self.folder)
        (self.folder / "a.jsonl").write_bytes(made.stdout)
        words = ("generate", "--from", "a.png", "-m", "tiny-flux", "-o", "b.png", "--overwrite")
        result = run(*words, cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        warnings = [line for line in result.stderr.decode().splitlines() if line.startswith("warning: a.png was made")]
        self.assertEqual(len(warnings), 1, result.stderr)
        for name in ("--clip-skip", "--original-size", "--zero-snr"):
            self.assertIn(name, warnings[0])
        self.assertIn(b"steps", run("inspect", "b.png", "--json", cwd=self.folder).stdout)
        self.refused(2, *words, "--clip-skip", "3", says=("--clip-skip is for families",))
        self.batch("a.jsonl", "--each", "model=tiny-flux,tiny-sd15", "-o", "out/")
        self.assertEqual(sorted(self.contents("out")), ["0001.png", "0002.png"])

    def test_a_picture_that_began_with_one_asks_for_it(self) -> None:
        run("generate", "a red house", "-s", "3", "-o", "a.png", *QUICK, cwd=self.folder)
        run("generate", "a blue house", "-i", "a.png", "-s", "3", "-o", "b.png", *QUICK[:2], "-t", "1", cwd=self.folder)
        self.refused(2, "generate", "--from", "b.png", "-o", "c.png", says=("sha256", "-i", "FILE"))
        again = run("generate", "--from", "b.png", "-i", "a.png", "-o", "c.png", cwd=self.folder)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual((self.folder / "c.png").read_bytes(), (self.folder / "b.png").read_bytes())


if __name__ == "__main__":
    main(__doc__)
