"""Renders jobs with the diffusers pipelines: the reference of scripts/parity/pictures.py.

diffusers' other samplers do not walk Flux's own sigmas; here each of them is given those.
"""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers.utils.logging import disable_progress_bar
from PIL import Image

from parity import loras
from parity.cases import Facts, Job, mask_picture

VARIANCE = {
    "euler": (diffusers.EulerDiscreteScheduler, {}),
    "euler_a": (diffusers.EulerAncestralDiscreteScheduler, {}),
    "heun": (diffusers.HeunDiscreteScheduler, {}),
    "dpmpp_2m": (diffusers.DPMSolverMultistepScheduler, {"final_sigmas_type": "zero"}),
    "dpmpp_2m_sde": (diffusers.DPMSolverMultistepScheduler,
                     {"final_sigmas_type": "zero", "algorithm_type": "sde-dpmsolver++"}),
    "ddim": (diffusers.DDIMScheduler, {"clip_sample": False, "set_alpha_to_one": True}),
    "unipc": (diffusers.UniPCMultistepScheduler, {"final_sigmas_type": "zero"}),
}
SCHEDULES = {"karras": {"use_karras_sigmas": True, "timestep_spacing": "linspace"}}  # over all of the training
NEARLY_ONE = 1 - 1e-6  # what UniPCMultistepScheduler makes of a flow's sigma 1, which has no signal to divide by
SOLVER = {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "final_sigmas_type": "zero"}


class FluxSigmas:
    """Flux's own sigmas for a scheduler that has others. `owner` is a FlowMatchEulerDiscreteScheduler."""

    owner: Any

    def flux_sigmas(self, device: Any, sigmas: Any, mu: float | None) -> tuple[torch.Tensor, torch.Tensor]:
        """timesteps [n] and sigmas [n + 1]."""
        self.owner.set_timesteps(device=device, sigmas=sigmas, mu=mu)
        return self.owner.timesteps, self.owner.sigmas

    def scale_noise(self, sample: torch.Tensor, timestep: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        sigma = self.sigmas[self.begin_index]
        return sigma * noise + (1 - sigma) * sample


class FluxHeun(FluxSigmas, diffusers.FlowMatchHeunDiscreteScheduler):
    def set_timesteps(self, num_inference_steps: int | None = None, device: Any = None, sigmas: Any = None,
                      mu: float | None = None) -> None:
        timesteps, own = self.flux_sigmas(device, sigmas, mu)
        super().set_timesteps(len(timesteps), device)
        self.timesteps = torch.cat([timesteps[:1], timesteps[1:].repeat_interleave(2)])
        self.sigmas = torch.cat([own[:1], own[1:-1].repeat_interleave(2), own[-1:]])


class Solver(FluxSigmas):
    """DPM-Solver and UniPC alike."""

    first = 1.0

    def set_timesteps(self, num_inference_steps: int | None = None, device: Any = None, sigmas: Any = None,
                      mu: float | None = None) -> None:
        if sigmas is None:  # FluxPipeline leaves them to a scheduler of flow sigmas
            sigmas = torch.linspace(1, 1 / num_inference_steps, num_inference_steps, dtype=torch.float64).numpy()
        timesteps, own = self.flux_sigmas(device, sigmas, mu)
        super().set_timesteps(len(timesteps), device)
        self.timesteps, self.sigmas = timesteps, own.clamp(max=self.first)


class FluxDpm(Solver, diffusers.DPMSolverMultistepScheduler):
    pass


class FluxUnipc(Solver, diffusers.UniPCMultistepScheduler):
    first = NEARLY_ONE


FLOW = {"heun": (FluxHeun, {}), "dpmpp_2m": (FluxDpm, SOLVER), "unipc": (FluxUnipc, SOLVER)}


class Reference:
    """The pipelines of one model. `render` gives ids, latents in model units and pictures."""

    def __init__(self, model: Path, facts: Facts) -> None:
        disable_progress_bar()
        self.model = model
        torch.set_num_threads(1)
        self.facts = facts
        self.text = diffusers.DiffusionPipeline.from_pretrained(model, dtype=torch.float32)
        if not hasattr(self.text.text_encoder, "text_model"):  # transformers 5 took away a level that clip_skip asks for
            object.__setattr__(self.text.text_encoder, "text_model", self.text.text_encoder)
        self.scheduler = self.text.scheduler
        self.picture = diffusers.AutoPipelineForImage2Image.from_pipe(self.text, dtype=torch.float32)
        self.mask = diffusers.AutoPipelineForInpainting.from_pipe(self.text, dtype=torch.float32)
        for pipeline in (self.text, self.picture, self.mask):
            pipeline.set_progress_bar_config(disable=True)

    def render(self, job: Job, start: Image.Image) -> tuple[dict[str, list[int]], Any, Any]:
        """`start` is what image to image begins with. ids by tokenizer, latents [B, C, h, w], uint8 [B, H, W, 3]."""
        generators = [torch.Generator().manual_seed(job.seed + i) for i in range(job.batch)]
        with self.lora_of(job):
            return self.rendered(job, start, generators)

    def rendered(self, job: Job, start: Image.Image,
                 generators: list[torch.Generator]) -> tuple[dict[str, list[int]], Any, Any]:
        latents, pictures = self.walk(job, start, generators)
        if job.hires is not None:
            sides = [round(job.hires * side) for side in (job.width, job.height)]
            enlarged = Image.fromarray(pictures[0]).resize(sides, Image.Resampling.LANCZOS)
            second = dataclasses.replace(job, width=sides[0], height=sides[1], strength=job.hires_strength)
            latents, pictures = self.walk(second, enlarged, generators)
        return self.tokens(job.prompt), latents, pictures

    @contextlib.contextmanager
    def without_level(self) -> Iterator[None]:
        """Takes back the level that was put in for clip_skip: diffusers would look for modules behind it."""
        encoder = self.text.text_encoder
        added = encoder.__dict__.pop("text_model", None)
        yield
        if added is not None:
            object.__setattr__(encoder, "text_model", added)

    @contextlib.contextmanager
    def lora_of(self, job: Job) -> Iterator[None]:
        """The job's LoRA in text encoders and denoiser, as peft applies it beside the weights."""
        if not job.lora:
            yield
            return
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "lora.safetensors"
            loras.write(self.model, job.lora, file)
            with self.without_level():
                self.text.load_lora_weights(folder, weight_name=file.name, adapter_name="lora")
        self.text.set_adapters(["lora"], [job.lora_weight])
        yield
        self.text.unload_lora_weights()

    def walk(self, job: Job, start: Image.Image, generators: list[torch.Generator]) -> tuple[Any, Any]:
        """One pass: latents in model units and pictures."""
        latents = self.unpacked(self.drawn(job, start, generators), job.width, job.height)
        return latents.numpy(), self.decoded(self.raw(latents))

    def drawn(self, job: Job, start: Image.Image | None, generators: list[torch.Generator]) -> torch.Tensor:
        """What the pipeline's output_type="latent" gives: [B, C, h, w], of Flux packed [B, tokens, 4 C]."""
        pipeline = self.text if job.strength is None else self.mask if job.masked else self.picture
        pipeline.scheduler = self.scheduler_of(job)
        return pipeline(job.prompt, num_inference_steps=job.steps, num_images_per_prompt=job.batch,
                        generator=generators, output_type="latent", **self.options(job, start)).images

    def unpacked(self, latents: torch.Tensor, width: int, height: int) -> torch.Tensor:
        """[B, C, h, w] of what `drawn` gives."""
        if not self.facts.flow:
            return latents
        return self.text._unpack_latents(latents, height, width, self.text.vae_scale_factor)

    def raw(self, latents: torch.Tensor) -> torch.Tensor:
        """VAE values of model units."""
        config = self.text.vae.config
        return latents / config.scaling_factor + (config.shift_factor or 0)

    def decoded(self, raw: torch.Tensor) -> Any:
        """uint8 [B, H, W, 3] of VAE values [B, C, h, w]."""
        with torch.no_grad():
            decoded = self.text.vae.decode(raw).sample
        unit = self.text.image_processor.postprocess(decoded, output_type="np")
        return (unit * 255).round().astype("uint8")

    def options(self, job: Job, start: Image.Image) -> dict[str, Any]:
        """Arguments of the pipeline's call that depend on the family. diffusers counts skipped layers from 0, and in
        sdxl from the one before the last."""
        found: dict[str, Any] = {"negative_prompt": job.negative_prompt}
        if job.guidance is not None:
            found["guidance_scale"] = job.guidance
        if job.strength is None or job.masked or self.facts.flow:
            found |= {"width": job.width, "height": job.height}
        if job.strength is not None:
            # one for each generator: FluxImg2ImgPipeline would encode a single one with the first of them alone
            found |= {"image": [start] * job.batch, "strength": self.strength_of(job)}
        if job.masked:
            found["mask_image"] = mask_picture(job.width, job.height)
        if job.clip_skip is not None:
            found["clip_skip"] = job.clip_skip - (2 if self.facts.family == "sdxl" else 1)
        if job.original_size:
            found["original_size"] = job.original_size[::-1]
        if job.crop:
            found["crops_coords_top_left"] = job.crop[::-1]
        if job.true_guidance is not None:
            found["true_cfg_scale"] = job.true_guidance
        if self.facts.flow:
            found["max_sequence_length"] = self.facts.lengths["tokenizer_2"]
        return found

    def strength_of(self, job: Job) -> float:
        """The strength that skips as many steps as lapis skips: FluxImg2ImgPipeline takes a share of the network's
        calls, of which Heun has two a step but for the last."""
        if not self.facts.flow or job.sampler != "heun":
            return job.strength
        skipped, calls = int(job.steps - job.steps * job.strength), 2 * job.steps - 1
        return (calls - skipped - 0.5) / calls

    def scheduler_of(self, job: Job) -> Any:
        config = self.scheduler.config
        if self.facts.flow:
            own = diffusers.FlowMatchEulerDiscreteScheduler.from_config(config)
            if job.sampler == "euler":
                return own
            kind, changes = FLOW[job.sampler]
            made = kind(**changes)
            made.owner = own
            return made
        kind, changes = VARIANCE[job.sampler]
        changes = changes | SCHEDULES.get(job.schedule, {})
        if job.spacing:
            changes = changes | {"timestep_spacing": job.spacing}
        if job.zero_snr:
            changes = changes | {"rescale_betas_zero_snr": job.zero_snr == "on"}
        return kind.from_config(config, **changes)

    def tokens(self, prompt: str) -> dict[str, list[int]]:
        """Ids by the tokenizer's name, padded as the pipeline pads them."""
        return {name: getattr(self.text, name)(prompt, padding="max_length", max_length=length,
                                               truncation=True).input_ids
                for name, length in self.facts.lengths.items()}
