"""The noise levels of every schedule, as diffusers and k-diffusion make them; where neither has one, its published
formula, written here anew in double precision: simple, ddim_uniform, kl_optimal and (on betas) sgm_uniform are ComfyUI's
(comfy/samplers.py), ays at other steps than ten is the interpolation its authors published."""

import math

import diffusers
import numpy as np
import torch
from diffusers.pipelines.mochi.pipeline_mochi import linear_quadratic_schedule
from diffusers.schedulers.scheduling_utils import AysSchedules

from .common import SD15, in_double, in_single, k_diffusion, shifted, training_sigmas

STEPS = (2, 3, 7, 10, 20, 50)
TRAINED = 1000
COMFY = "ComfyUI's formula"


def case(schedule: str, oracle: str, path: str, steps: int, sigmas, times=None, **facts) -> dict:
    plain = [float(sigma) for sigma in sigmas]
    return {"schedule": schedule, "oracle": oracle, "path": path, "steps": steps, "space": "sd15", "shift": 1.0, **facts,
            "sigmas": plain if plain[-1] == 0 else [*plain, 0.0],
            "times": None if times is None else [float(time) for time in times]}


def at_times(times: np.ndarray) -> np.ndarray:
    """Training sigmas at fractional times, straight in their logarithm."""
    return np.exp(np.interp(times, np.arange(TRAINED), np.log(training_sigmas())))


# On betas


def converted(schedule: str, steps: int) -> dict:
    scheduler = in_single(diffusers.EulerDiscreteScheduler)(
        **SD15, timestep_spacing="linspace", **{f"use_{schedule}_sigmas": True})
    scheduler.set_timesteps(steps)
    return case(schedule, "diffusers", "variance_exploding", steps, scheduler.sigmas, scheduler.timesteps)


def normal(steps: int) -> dict:
    schedule = k_diffusion("external").DiscreteSchedule(torch.tensor(training_sigmas()), quantize=False)
    times = np.linspace(TRAINED - 1, 0, steps)
    return case("normal", "k-diffusion", "variance_exploding", steps, schedule.get_sigmas(steps), times)


def sgm_uniform(steps: int) -> dict:
    times = np.linspace(TRAINED - 1, 0, steps + 1)[:-1]
    return case("sgm_uniform", COMFY, "variance_exploding", steps, at_times(times), times)


def table_places(schedule: str, steps: int) -> list[int]:
    """Indices into the rising table of sigmas, the noisiest first; ddim_uniform as many as steps, which ComfyUI exceeds
    where they do not divide the table."""
    if schedule == "simple":
        return [TRAINED - 1 - int(i * TRAINED / steps) for i in range(steps)]
    return [1 + i * max(TRAINED // steps, 1) for i in reversed(range(steps))]


def from_table(schedule: str, steps: int) -> dict:
    places = table_places(schedule, steps)
    return case(schedule, COMFY, "variance_exploding", steps, training_sigmas()[places], places)


def kl_optimal_of(low: float, high: float, steps: int) -> np.ndarray:
    part = np.arange(steps) / (steps - 1)
    return np.tan(part * math.atan(low) + (1 - part) * math.atan(high))


def ays(space: str, name: str, steps: int) -> dict:
    published = AysSchedules[f"StableDiffusion{name}Sigmas"]
    if steps == len(published) - 1:
        return case("ays", "diffusers", "variance_exploding", steps, published, space=space)
    points = np.log([*published[:-1], 0.029])
    spread = np.exp(np.interp(np.linspace(0, 1, steps + 1), np.linspace(0, 1, len(points)), points))
    return case("ays", "its authors' interpolation", "variance_exploding", steps, spread[:-1], space=space)


def lcm(steps: int) -> dict:
    scheduler = in_single(diffusers.LCMScheduler)(**SD15)
    scheduler.set_timesteps(steps)
    times = scheduler.timesteps.numpy()
    return case("lcm", "diffusers", "variance_exploding", steps, training_sigmas()[times], times)


def by_hand() -> dict:
    sigmas = [14.5, 6.0, 2.5, 1.0, 0.4, 0.05, 0.0]
    scheduler = in_single(diffusers.EulerDiscreteScheduler)(**SD15)
    scheduler.set_timesteps(sigmas=sigmas)
    return case("by_hand", "diffusers", "variance_exploding", len(sigmas) - 1, sigmas, scheduler.timesteps)


# On a flow


def flow_match(schedule: str, steps: int, shift: float) -> dict:
    in_double(diffusers.FlowMatchEulerDiscreteScheduler)
    options = {} if schedule in ("own", "normal") else {f"use_{schedule}_sigmas": True}
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, **options)
    sigmas = None if schedule == "normal" else np.linspace(1, 1 / steps, steps)
    scheduler.set_timesteps(steps, sigmas=sigmas, mu=math.log(shift))
    return case(schedule, "diffusers", "flow", steps, scheduler.sigmas, scheduler.timesteps, shift=shift)


def flow_static(steps: int, shift: float) -> dict:
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(sigmas=np.linspace(1, 1 / steps, steps))
    return case("own", "diffusers", "flow", steps, scheduler.sigmas, scheduler.timesteps, shift=shift)


def flow_sgm(steps: int, shift: float) -> dict:
    scheduler = in_single(diffusers.UniPCMultistepScheduler)(use_flow_sigmas=True, flow_shift=shift, final_sigmas_type="zero")
    scheduler.set_timesteps(steps)
    return case("sgm_uniform", "diffusers", "flow", steps, scheduler.sigmas, shift=shift)


def flow_table(schedule: str, steps: int, shift: float) -> dict:
    table = shifted(np.arange(1, TRAINED + 1) / TRAINED, shift)
    return case(schedule, COMFY, "flow", steps, table[table_places(schedule, steps)], shift=shift)


def cases() -> list[dict]:
    sigmas = training_sigmas()
    low, high = float(sigmas[0]), float(sigmas[-1])
    found = [by_hand()]
    for steps in STEPS:
        found += [converted(schedule, steps) for schedule in ("karras", "exponential", "beta")]
        found += [normal(steps), sgm_uniform(steps), from_table("simple", steps), from_table("ddim_uniform", steps)]
        found += [case("kl_optimal", COMFY, "variance_exploding", steps, kl_optimal_of(low, high, steps))]
        quadratic = np.array(linear_quadratic_schedule(steps, 0.025))
        found += [case("linear_quadratic", "diffusers (Mochi)", "variance_exploding", steps, quadratic * high)]
        found += [ays("sd15", "", steps), ays("sdxl", "XL", steps), lcm(steps)]
        for shift in (1.0, 3.15819, 0.5):
            found += [flow_match(name, steps, shift) for name in ("own", "normal", "karras", "exponential", "beta")]
            found += [flow_static(steps, shift), flow_sgm(steps, shift)]
            found += [flow_table(name, steps, shift) for name in ("simple", "ddim_uniform")]
            low_flow = float(shifted(np.array(1 / TRAINED), shift))
            found += [case("kl_optimal", COMFY, "flow", steps, kl_optimal_of(low_flow, 1.0, steps), shift=shift)]
        found += [case("linear_quadratic", "diffusers (Mochi)", "flow", steps, quadratic)]
    return found
