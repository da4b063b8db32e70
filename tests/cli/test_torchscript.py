#!/usr/bin/env python3
"""Drives `lapis import --torchscript`: models of exported graphs, tried before they are taken."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from support import DATA, MODEL, HomeTest, main, needs_engine, run

ENCODER = f"text_encoder={DATA / 'plain_text_encoder.pt'}"
DENOISER = f"denoiser={DATA / 'echo.pt'}"
DECODER = f"vae_decoder={DATA / 'mini_sdxl' / 'graphs' / 'vae_decoder.pt'}"
QUICK = ("a lake", "--steps", "2", "-W", "64", "-H", "64", "-t", "1", "-s", "7", "-q")


class GraphsTest(HomeTest):
    def words(self, *parts: str, family: str = "sd15") -> tuple[str, ...]:
        return ("import", "--torchscript", *parts, "--family", family, "-o", "mine")

    def taken(self, *parts: str, extra: tuple[str, ...] = ()) -> dict:
        result = run(*self.words(*parts), *extra, "--json", cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return json.loads(result.stdout) | {"stderr": result.stderr.decode()}

    def document(self) -> dict:
        return json.loads((self.folder / "mine" / "model.json").read_text())


class Asked(GraphsTest):
    """What is refused before libtorch is opened."""

    def test_a_family_and_every_part(self) -> None:
        self.refused(2, "import", says=("nothing to import", "--torchscript"))
        self.refused(2, "import", "--torchscript", DENOISER, "--name", "a", says=("--family sd15", "--like MODEL"))
        self.refused(2, *self.words(DENOISER, family="sd16"), says=("sd16", 'Did you mean "sd15"?'))
        self.refused(2, *self.words(DENOISER, family="sd2"), says=("--like MODEL",))
        self.refused(2, "import", "unet.safetensors", "-t", "1", says=("--threads is for --torchscript",))
        self.refused(2, *self.words(DENOISER), "-t", "-1", says=("--threads is -1; expected 0 to 1024",))
        self.refused(2, *self.words(DENOISER), says=("needs text_encoder, vae_decoder too",))
        self.refused(2, *self.words(DENOISER, DENOISER), says=("names denoiser twice",))
        self.refused(2, *self.words(str(DATA / "echo.pt")), says=('no part "echo"', "PART="))
        self.refused(2, *self.words(f"denoizer={DATA / 'echo.pt'}"), says=('Did you mean "denoiser"?',))
        self.refused(2, *self.words(DENOISER), "a.safetensors", says=("does not go with a checkpoint",))
        self.refused(2, "import", "a.safetensors", "--family", "sd15", says=("Leave them out",))

    def test_files_that_are_no_graphs(self) -> None:
        (self.folder / "a.pt").write_bytes(b"GGUF" + bytes(100))
        self.refused(3, *self.words("denoiser=a.pt"), says=("a.pt is a GGUF file",))
        self.refused(3, *self.words("denoiser=none.pt"), says=("none.pt does not exist",))
        weights = MODEL / "unet" / "diffusion_pytorch_model.safetensors"
        self.refused(3, *self.words(f"denoiser={weights}"), says=("weights without a graph",))
        for file in ("hostile_save.pt", "hostile_save_on_load.pt", "hostile_from_file.pt", "hostile_storage.pt"):
            self.refused(3, *self.words(f"denoiser={DATA / file}"), says=(f"{file} is refused",))
        self.refused(3, *self.words(f"denoiser={DATA / 'not_a_graph.pt'}"), says=("torch.jit.save",))


@needs_engine
class Tried(GraphsTest):
    def drawn(self, name: str) -> bytes:
        """The numbers of a latent by the model `mine`: what it is made of draws no pictures, only sums."""
        result = run("generate", *QUICK, "-m", "./mine", "--latent", f"{name}.safetensors", cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return self.values(f"{name}.safetensors")

    def test_graphs_that_fit_become_a_model_that_draws(self) -> None:
        line = self.taken(ENCODER, DENOISER, DECODER)
        self.assertEqual((line["family"], line["space"]), ("sd15", "sd15"))
        document = self.document()
        part = document["parts"]["denoiser"]
        self.assertEqual(part["weights"], [])
        self.assertEqual(part["inputs"][2]["shape"], ["batch", "tokens", 128])  # as the text encoder showed
        link = self.folder / "mine" / part["graph"]
        self.assertTrue(link.is_symlink())
        facts = document["files"][part["graph"]]
        self.assertEqual(facts["sha256"], hashlib.sha256((DATA / "echo.pt").read_bytes()).hexdigest())
        self.assertIn("modified", facts)
        self.assertIn(b"every file has the recorded sha256", run("inspect", "./mine", "--verify", cwd=self.folder).stderr)
        self.drawn("a")

    def test_another_model_lends_its_facts(self) -> None:
        result = run("import", "--torchscript", ENCODER, DENOISER, DECODER, "--like", str(MODEL), "--name", "mine",
                     "--lineage", "other", "--copy", "--prediction", "v", cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        place = Path(result.stdout.decode().strip())
        self.assertFalse(any(file.is_symlink() for file in place.rglob("*")))
        mine, lender = (json.loads((folder / "model.json").read_text()) for folder in (place, MODEL))
        self.assertEqual(mine["defaults"] | {"schedule": "own"}, lender["defaults"] | {"schedule": "own"})
        self.assertEqual(mine["sampling"], lender["sampling"] | {"prediction": "v"})
        self.assertEqual(mine["space"], lender["space"] | {"lineage": "other"})

    def test_one_timestep_for_all_pictures_is_declared_and_draws_the_same(self) -> None:
        latents = []
        for denoiser in ("echo.pt", "trial_scalar.pt"):
            line = self.taken(ENCODER, f"denoiser={DATA / denoiser}", DECODER, extra=("--overwrite",))
            latents.append(self.drawn(denoiser))
        self.assertEqual(self.document()["parts"]["denoiser"]["inputs"][1]["shape"], [])
        self.assertIn("one number for all pictures", line["notes"][0])
        self.assertEqual(*latents)

    def test_a_text_encoder_may_give_back_its_last_layer_alone(self) -> None:
        latents = []
        for encoder in (DATA / "plain_text_encoder.pt", DATA / "trial_text.pt"):
            line = self.taken(f"text_encoder={encoder}", DENOISER, DECODER, extra=("--overwrite",))
            latents.append(self.drawn(encoder.stem))
        self.assertEqual([port["name"] for port in self.document()["parts"]["text_encoder"]["outputs"]], ["last", "pooled"])
        self.assertIn("its last layer alone", line["notes"][0])
        self.assertEqual(*latents)
        self.refused(2, "generate", *QUICK, "-m", "./mine", "--clip-skip", "2", says=("--clip-skip is 2", "1 layer"))
        sdxl = (f"text_encoder_2={DATA / 'plain_text_encoder.pt'}", f"text_encoder={DATA / 'trial_text.pt'}",
                f"denoiser={DATA / 'mini_sdxl' / 'graphs' / 'denoiser.pt'}", DECODER)
        self.refused(4, *self.words(*sdxl, family="sdxl"), says=("gives back 2 tensors", "wanted 3: states"))

    def test_what_does_not_fit_is_said(self) -> None:
        cases = (("trial_whole.pt", ("whole numbers alone", "float32")),
                 ("trial_swapped.pt", ("does not run", "timestep, sample, encoder_hidden_states", "sample, timestep, context")),
                 ("trial_size.pt", ("runs for 1 picture of 512 x 512 and not for 1 picture of 64 x 64", "size was fixed")),
                 ("trial_batch.pt", ("and not for 2 pictures", "number of pictures was fixed")),
                 ("trial_channels.pt", ("does not run on [1, 4, 8, 8]", "9")),
                 ("trial_dict.pt", ("no tensors", "a tuple of tensors")),
                 ("trial_nan.pt", ("NaN or Inf as prediction",)))
        for file, says in cases:
            with self.subTest(file):
                self.refused(4, *self.words(ENCODER, f"denoiser={DATA / file}", DECODER), says=(file, *says))
        pooled = f"text_encoder={DATA / 'trial_pooled.pt'}"
        self.refused(4, *self.words(pooled, DENOISER, DECODER), says=("gives back 1 tensor, [1, 128]", "wanted 3: states"))
        self.refused(3, *self.words(f"text_encoder={DATA / 'echo.pt'}", DENOISER, DECODER),
                     says=("takes 3 inputs (sample, timestep, context)", "given 1 (ids)"))

    def test_a_file_that_changed_is_refused(self) -> None:
        copy = self.folder / "denoiser.pt"
        copy.write_bytes((DATA / "echo.pt").read_bytes())
        self.taken(ENCODER, "denoiser.pt", DECODER)
        os.utime(copy, (1, 1))
        self.refused(5, "generate", *QUICK, "-m", "./mine", says=("changed since it was imported",))


if __name__ == "__main__":
    main(__doc__)
