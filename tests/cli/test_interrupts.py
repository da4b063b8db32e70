#!/usr/bin/env python3
"""Interrupts the real program while it walks its steps: what is finished stays, what is not is nowhere."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time

from support import CliTest, main, needs_engine, program

# A shell's background has it ignored, and so would every process below.
signal.signal(signal.SIGINT, signal.default_int_handler)

WALK = ("generate", "a lake", "-m", "tiny-sd15", "-t", "1", "-W", "64", "-H", "64", "-s", "1")


@needs_engine
class AfterThisStep(CliTest):
    """The first SIGINT or SIGTERM that steps are walked under."""

    batch = (*WALK, "--steps", "100", "-b", "3", "-q")

    def started(self, *words: str) -> subprocess.Popen:
        process = subprocess.Popen([program(), *words], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.kill)
        return process

    def test_pictures_that_are_finished_stay(self) -> None:
        for name in ("SIGINT", "SIGTERM"):
            with self.subTest(signal=name):
                process = self.started(*self.batch, "-o", f"{name}.png", "--json")
                self.assertEqual(json.loads(process.stdout.readline())["path"], f"{name}-0.png")
                process.send_signal(signal.Signals[name])
                output, text = process.communicate(timeout=60)
                self.assertEqual(process.returncode, -signal.Signals[name])
                self.assertEqual(output, b"")
                self.assertEqual(text.decode().splitlines(),
                                 [f"{name}: the run ends after this step; a second signal ends it at once",
                                  f"warning: {name} ended it: 1 of 3 pictures finished"])
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["SIGINT-0.png", "SIGTERM-0.png"])
        alone = self.done(*WALK, "--steps", "100", "-o", "alone.png", "-q")
        self.assertEqual(alone.stdout, b"alone.png\n")
        self.assertEqual(self.bytes_of("SIGINT-0.png"), self.bytes_of("alone.png"))

    def test_what_is_missing_is_drawn_by_the_next_run(self) -> None:
        process = self.started(*self.batch, "-o", "a.png")
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(self.output(*self.batch, "-o", "a.png", "--skip-existing"), b"a-1.png\na-2.png\n")

    def test_latents_of_a_part_are_none(self) -> None:
        process = self.started(*self.batch, "-o", "a.png", "--latent", "a.safetensors")
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        text = process.communicate(timeout=60)[1].decode()
        self.assertIn("1 of 3 pictures finished; the latents are not written", text)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["a-0.png"])

    def test_the_first_step_ends_too(self) -> None:
        for delay in (0.7, 1.5, 3, 6):  # one of them falls into the only step
            process = self.started("generate", "a lake", "-m", "tiny-sd15", "-t", "1", "-W", "1536", "-H", "1536", "--steps", "1",
                                   "-s", "1", "-q", "-o", "a.png")
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
            text = process.communicate(timeout=60)[1].decode()
            self.assertEqual(process.returncode, -signal.SIGINT)
            self.assertEqual(list(self.folder.iterdir()), [])
            if "0 of 1 picture finished" in text:
                return
        self.fail("no signal met a step")

    def test_a_second_signal_ends_it_at_once(self) -> None:
        process = self.started("generate", "a lake", "-m", "tiny-sd15", "-t", "1", "-W", "512", "-H", "512", "--steps", "4",
                               "-s", "1", "-b", "2", "-q", "-o", "a.png")
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        self.assertIn(b"the run ends after this step", process.stderr.readline())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.communicate(timeout=60), (b"", b""))
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["a-0.png"])

    def test_between_two_passes_it_ends_at_once(self) -> None:
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = subprocess.Popen([program(), *WALK, "--steps", "1", "--hires", "8", "--hires-steps", "2", "-o", "a.png"],
                                   cwd=self.folder, stdout=subprocess.DEVNULL, stderr=theirs)
        self.addCleanup(process.kill)
        os.close(theirs)
        shown = b""
        while b"1/2" not in shown:  # the first pass has one step; then the picture is decoded, enlarged and encoded
            shown += os.read(ours, 1 << 16)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), -signal.SIGINT)
        self.assertNotIn(b"the run ends after", os.read(ours, 1 << 16))

    def test_a_second_model_takes_all_its_steps_in_one_pass(self) -> None:
        # With as many steps left as the enlarged picture took: of the first model's run that would be between its passes.
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = subprocess.Popen([program(), *WALK, "--steps", "20", "--hires", "4", "--hires-steps", "4", "--then", "tiny-sdxl:0.9",
                                    "-o", "a.png"],
                                   cwd=self.folder, stdout=subprocess.DEVNULL, stderr=theirs)
        self.addCleanup(process.kill)
        os.close(theirs)
        shown = b""
        while b"14/18" not in shown:
            shown += os.read(ours, 1 << 16)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), -signal.SIGINT)
        self.assertIn(b"the run ends after", os.read(ours, 1 << 16))

    def test_a_loop_of_a_shell_ends_where_a_step_ended(self) -> None:
        script = 'for i in 1 2 3; do "$0" "$@" -o $i.png; echo went on; done'
        shell = subprocess.Popen(["bash", "-c", script, str(program()), *self.batch], cwd=self.folder, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, start_new_session=True)
        self.addCleanup(shell.kill)
        self.assertEqual(shell.stdout.readline(), b"1-0.png\n")
        os.killpg(shell.pid, signal.SIGINT)
        output, text = shell.communicate(timeout=60)
        self.assertEqual(output, b"")
        self.assertIn(b"1 of 3 pictures finished", text)
        self.assertEqual(shell.returncode, -signal.SIGINT)


if __name__ == "__main__":
    main(__doc__)
