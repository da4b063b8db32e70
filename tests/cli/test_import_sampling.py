#!/usr/bin/env python3
"""Drives the real program over what files say of prediction and schedule: marks and metadata of single files, the
schedulers of diffusers folders, and both against the options of lapis import.
"""

from __future__ import annotations

import json
from pathlib import Path

from checkpoints import ImportTest, single_file
from support import FLUX, MODEL, WALK, main, needs_engine, read_png, run, safetensors

MARK = ("F32", [0], b"")  # an empty tensor, as ComfyUI and NoobAI write it
SD15 = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "steps_offset": 1,
        "timestep_spacing": "trailing"}


class SamplingTest(ImportTest):
    def single(self, marks: tuple[str, ...] = (), metadata: dict[str, str] | None = None,
               name: str = "one.safetensors") -> None:
        """A checkpoint in one file, with marking tensors and metadata."""
        self.put(name, safetensors(single_file(MODEL) | {name: MARK for name in marks}, metadata))

    def scheduled(self, source: Path = MODEL, **config) -> Path:
        """A diffusers folder whose scheduler says this."""
        folder = self.folder / "folder"
        if not folder.exists():
            folder.mkdir()
            for place in source.iterdir():
                if place.name not in ("scheduler", "model.json", "graphs"):
                    (folder / place.name).symlink_to(place.resolve())
            (folder / "scheduler").mkdir()
        (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(config))
        return folder

    def taken(self, source: str, *words: str) -> tuple[dict, list[str]]:
        """model.json of what an import makes, and its notes."""
        line = self.line("import", source, "--name", "m", "--overwrite", *words)
        return json.loads((Path(line["path"]) / "model.json").read_text()), line["notes"]

    def refused(self, source: str, *words: str, code: int = 3) -> str:
        result = run("import", source, "--name", "refused", *words, cwd=self.folder)
        self.assertEqual(result.returncode, code, result.stderr.decode())
        told = result.stderr.decode()
        self.assertNotIn(".lapis-", told)
        made = [path.name for path in (self.home / "lapis" / "models").glob("*")]
        self.assertEqual([name for name in made if name == "refused" or name.startswith(".")], [])
        return told


class SingleFiles(SamplingTest):
    def test_marks_and_metadata_are_heeded(self) -> None:
        for marks, metadata, prediction, zero in (
                ((), None, "epsilon", False), (("v_pred",), None, "v", False), (("v_pred", "ztsnr"), None, "v", True),
                ((), {"modelspec.prediction_type": "v"}, "v", False),
                ((), {"ss_v_parameterization": "True", "ss_zero_terminal_snr": "True", "ss_noise_offset": "0.05"}, "v", True)):
            with self.subTest(marks=marks, metadata=metadata):
                self.single(marks, metadata)
                sampling, notes = self.taken("one.safetensors")
                found = sampling["sampling"]
                self.assertEqual((found["prediction"], found.get("zero_snr", False)), (prediction, zero))
                self.assertEqual(found["spacing"], "trailing")  # tiny-sd15's own, whose architecture it is
                self.assertEqual(any("predicts v" in note for note in notes), prediction == "v")
                self.assertFalse(any("nothing here needs" in note for note in notes), notes)

    def test_contradictions_are_refused_unless_an_option_decides(self) -> None:
        self.single(("v_pred",), {"modelspec.prediction_type": "epsilon"})
        told = self.refused("one.safetensors")
        self.assertIn("one.safetensors contradicts itself", told)
        self.assertIn("--prediction v", told)
        found, notes = self.taken("one.safetensors", "--prediction", "epsilon")
        self.assertEqual(found["sampling"]["prediction"], "epsilon")
        self.assertTrue(any("tensor v_pred" in note for note in notes), notes)

    def test_what_is_not_drawn_with_is_refused_by_name(self) -> None:
        for marks, metadata, word in ((("edm_vpred.sigma_max", "edm_vpred.sigma_min"), None, "edm_vpred.sigma_max"),
                                      (("ztsnr",), None, "ztsnr"),
                                      ((), {"modelspec.prediction_type": "sample"}, "sample")):
            with self.subTest(word=word):
                self.single(marks, metadata)
                self.assertIn(word, self.refused("one.safetensors"))
        self.refused("one.safetensors", "--zero-snr", "perhaps", code=2)


class Folders(SamplingTest):
    def test_zero_terminal_snr_and_cosine_betas_are_taken(self) -> None:
        folder = self.scheduled(_class_name="DDIMScheduler", rescale_betas_zero_snr=True, prediction_type="v_prediction",
                                clip_sample=False, set_alpha_to_one=True, **SD15)
        found, notes = self.taken(str(folder))
        self.assertEqual((found["sampling"]["zero_snr"], found["sampling"]["prediction"], found["sampling"]["spacing"]),
                         (True, "v", "trailing"))
        self.assertEqual(found["defaults"]["sampler"], "ddim")
        folder = self.scheduled(_class_name="DDIMScheduler", beta_schedule="squaredcos_cap_v2")
        self.assertEqual(self.taken(str(folder))[0]["sampling"]["beta_curve"], "cosine")
        self.assertIn(b"betas by a cosine", self.output("inspect", "m"))

    def test_a_class_that_cannot_begin_at_noise_alone_leaves_the_usual_sampler(self) -> None:
        folder = self.scheduled(_class_name="HeunDiscreteScheduler", rescale_betas_zero_snr=True,
                                prediction_type="v_prediction", **SD15)
        found, notes = self.taken(str(folder))
        self.assertEqual((found["defaults"]["sampler"], found["sampling"]["zero_snr"]), ("euler", True))
        self.assertTrue(any("cannot begin at noise alone" in note for note in notes), notes)

    def test_foreign_schedulers_are_refused_by_the_users_file(self) -> None:
        for config in ({"_class_name": "EDMEulerScheduler", "sigma_data": 1.0, "prediction_type": "v_prediction"},
                       {"_class_name": "CosineDPMSolverMultistepScheduler", "only": 1},
                       {"_class_name": "EulerDiscreteScheduler", "prediction_type": "sample"},
                       {"_class_name": "EulerDiscreteScheduler", "beta_end": 2},
                       {"_class_name": "EulerDiscreteScheduler", "timestep_type": "continuous"},
                       {"_class_name": "NoSuchScheduler"}):
            with self.subTest(config=config):
                self.assertIn("folder/scheduler/scheduler_config.json", self.refused(str(self.scheduled(**config))))
        told = self.refused(str(self.scheduled(_class_name="FlowMatchEulerDiscreteScheduler")), code=4)
        self.assertIn("folder/scheduler/scheduler_config.json", told)

    def test_a_file_against_its_scheduler_is_refused_and_an_option_decides(self) -> None:
        folder = self.scheduled(_class_name="EulerDiscreteScheduler", **SD15)
        found, notes = self.taken(str(folder), "--prediction", "v", "--zero-snr", "on")
        self.assertEqual((found["sampling"]["prediction"], found["sampling"]["zero_snr"]), ("v", True))
        self.assertEqual(sum("says otherwise" in note and note.endswith("counts") for note in notes), 2)

    def test_flows(self) -> None:
        shift = {"use_dynamic_shifting": True, "shift": 3.0, "shift_terminal": None}
        folder = self.scheduled(FLUX, _class_name="FlowMatchHeunDiscreteScheduler", **shift)
        found, notes = self.taken(str(folder))
        self.assertEqual((found["defaults"]["sampler"], found["sampling"]["flow_shift"]["dynamic"]), ("heun", True))
        self.assertTrue(any("use_dynamic_shifting" in note for note in notes), notes)
        told = self.refused(str(self.scheduled(_class_name="FlowMatchEulerDiscreteScheduler", **shift | {"shift_terminal": 0.02})))
        self.assertIn("shift_terminal is 0.02", told)
        self.refused(str(self.scheduled(_class_name="EulerDiscreteScheduler")), code=4)
        self.scheduled(_class_name="FlowMatchEulerDiscreteScheduler")
        self.refused(str(folder), "--zero-snr", "on", code=2)


@needs_engine
class Drawn(SamplingTest):
    def test_marks_change_the_picture_and_a_job_may_say_otherwise(self) -> None:
        self.single(("v_pred", "ztsnr"))
        self.done("import", "one.safetensors", "--name", "marked")
        self.assertIn(b"zero terminal SNR", self.output("inspect", "marked"))
        self.single(name="two.safetensors")
        self.done("import", "two.safetensors", "--name", "told", "--prediction", "v", "--zero-snr", "on")
        marked = self.picture("marked", "a.png")
        self.assertEqual(self.picture("told", "told.png"), marked)
        self.done("generate", *WALK, "-m", "marked", "--zero-snr", "off", "-o", "b.png")
        self.assertNotEqual(read_png((self.folder / "b.png").read_bytes()), marked)
        for sampler in ("ddim", "dpmpp_2m", "unipc"):
            self.done("generate", *WALK, "-m", "marked", "--sampler", sampler, "-o", f"{sampler}.png")
        for words, word in ((("--sampler", "heun"), b"cannot begin at noise alone"), (("--zero-snr", "x"), b"on or off")):
            result = run("generate", *WALK, "-m", "marked", *words, "-o", "c.png", cwd=self.folder)
            self.assertEqual(result.returncode, 2)
            self.assertIn(word, result.stderr)


if __name__ == "__main__":
    main(__doc__)
