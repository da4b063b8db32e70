#!/usr/bin/env python3
"""What --vae-dtype of generate and refine does, and where it is recorded."""

from __future__ import annotations

from support import QUICK, CliTest, main, needs_engine, read_png

DRAW = ("generate", "a lake", "-m", "tiny-sd15", *QUICK, "-s", "5")


class VaeDtype(CliTest):
    def test_names(self) -> None:
        self.refused(2, *DRAW, "--vae-dtype", "fp23", says=("--vae-dtype", 'Did you mean "fp32"?'))

    @needs_engine
    def test_it_is_recorded_where_it_is_asked_for(self) -> None:
        plain = self.line(*DRAW, "-o", "plain.png")
        auto = self.line(*DRAW, "-o", "auto.png", "--vae-dtype", "auto")
        half = self.line(*DRAW, "-o", "half.png", "--vae-dtype", "bf16", "--latent", "half.safetensors")
        self.assertEqual(self.bytes_of("plain.png"), self.bytes_of("auto.png"))
        for line in (plain, auto):
            self.assertNotIn("vae_dtype", line)
        self.assertEqual((half["vae_dtype"], half["dtype"]), ("bf16", "fp32"))
        self.assertNotIn("vae_dtype", self.texts("plain.png")["lapis"]["job"])
        self.assertEqual(self.texts("half.png")["lapis"]["job"]["vae_dtype"], "bf16")
        self.assertNotEqual(read_png(self.bytes_of("half.png"))[2], read_png(self.bytes_of("plain.png"))[2])

    @needs_engine
    def test_the_network_computes_as_before(self) -> None:
        self.done(*DRAW, "--latent", "plain.safetensors")
        self.done(*DRAW, "--latent", "half.safetensors", "--vae-dtype", "bf16")
        self.assertEqual(self.values("plain.safetensors"), self.values("half.safetensors"))
        # What goes on with a latent takes it from the job that is recorded.
        again = self.line("refine", "half.safetensors", "-o", "again.png", "-t", "1")
        self.assertEqual(again["vae_dtype"], "bf16")


if __name__ == "__main__":
    main(__doc__)
