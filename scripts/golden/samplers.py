"""Every evaluation of every sampler over a network that is known exactly, as k-diffusion and diffusers make them.

x0 is -1 or 1, so that E[x0 | x] = tanh(alpha x / sigma^2): exact and not linear. x is kept in lapis' units, x = x0 +
sigma n or (1 - sigma) x0 + sigma n; schedulers that keep x in variance-preserving units see it scaled.
"""

import math
from collections.abc import Callable

import diffusers
import numpy as np
import torch

from .common import SD15, in_double, k_diffusion, shifted, training_sigmas, zero_snr_sigmas

START = torch.tensor([[-1.7, -0.4, 0.05, 1.1]], dtype=torch.float64)
STEPS = 7


def alpha_of(path: str, sigma: float) -> float:
    return 1 - sigma if path == "flow" else 1.0


def two_points(x: torch.Tensor, sigma: float, path: str) -> torch.Tensor:
    return torch.tanh(alpha_of(path, sigma) * x / sigma**2)


class Walk:
    """One walk: what is drawn, and every call of the network with its sigma."""

    def __init__(self, sampler: str, oracle: str, path: str, sigmas, eta: float | None = None) -> None:
        self.case = {"sampler": sampler, "oracle": oracle, "path": path, "eta": eta,
                     "sigmas": [float(sigma) for sigma in sigmas]}
        self.path = path
        self.calls: list = []
        self.noises: list = []
        self.generator = torch.Generator().manual_seed(len(sampler) + STEPS)
        self.start = START * (self.case["sigmas"][0] if path != "flow" else 1.0)

    def network(self, x: torch.Tensor, sigma: float) -> torch.Tensor:
        self.calls.append([float(sigma), x.flatten().tolist()])
        return two_points(x, float(sigma), self.path)

    def noise(self, *_, **__) -> torch.Tensor:
        drawn = torch.randn(START.shape, generator=self.generator, dtype=torch.float64)
        self.noises.append(drawn.flatten().tolist())
        return drawn

    def done(self, x: torch.Tensor | None) -> dict:
        end = None if x is None else x.flatten().tolist()
        return {**self.case, "start": self.start.flatten().tolist(), "noises": self.noises, "calls": self.calls,
                "end": end}


def karras(low: float = 0.0292, high: float = 14.6146) -> np.ndarray:
    ramp = np.linspace(high ** (1 / 7), low ** (1 / 7), STEPS) ** 7
    return np.append(ramp, 0.0)


def flow(first: float = 1.0) -> np.ndarray:
    sigmas = shifted(np.linspace(1, 1 / STEPS, STEPS), 3.0)
    sigmas[0] = min(sigmas[0], first)
    return np.append(sigmas, 0.0)


# k-diffusion

KD = {
    "euler": ("sample_euler", None), "heun": ("sample_heun", None), "dpm2": ("sample_dpm_2", None),
    "lms": ("sample_lms", None), "dpmpp_2m": ("sample_dpmpp_2m", None),
    "euler_a": ("sample_euler_ancestral", (0.0, 0.6, 1.0)), "dpm2_a": ("sample_dpm_2_ancestral", (0.0, 0.6, 1.0)),
    "dpmpp_2s_a": ("sample_dpmpp_2s_ancestral", (0.0, 0.6, 1.0)), "dpmpp_sde": ("sample_dpmpp_sde", (0.0, 0.6, 1.0)),
    "dpmpp_2m_sde": ("sample_dpmpp_2m_sde", (0.0, 0.6, 1.0)),
    "dpmpp_3m_sde": ("sample_dpmpp_3m_sde", (0.0, 0.6, 1.0)),
}
KD_ON_FLOW = ("euler", "heun", "dpm2", "lms")  # written on dx/dsigma alone, which is the same on both paths


class Brownian:
    """Noise of overlapping intervals from one Brownian path, as BrownianTreeNoiseSampler gives it, of recorded draws."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.begin = self.middle = self.first = None

    def __call__(self, sigma, sigma_next):
        if self.begin is not None and math.isclose(float(sigma), self.begin):
            share = (self.begin - self.middle) / (self.begin - float(sigma_next))
            self.begin = None
            return share**0.5 * self.first + (1 - share) ** 0.5 * self.walk.noise()
        self.begin, self.middle, self.first = float(sigma), float(sigma_next), self.walk.noise()
        return self.first


def kd_case(sampler: str, path: str, sigmas: np.ndarray, eta: float | None) -> dict:
    walk = Walk(sampler, "k-diffusion", path, sigmas, eta)
    options = {"disable": True}
    if eta is not None:
        options |= {"eta": eta, "noise_sampler": Brownian(walk) if sampler == "dpmpp_sde" else walk.noise}
    function = getattr(k_diffusion("sampling"), KD[sampler][0])
    x = function(lambda x, sigma: walk.network(x, sigma[0]), walk.start,
                 torch.tensor(sigmas, dtype=torch.float64), **options)
    return walk.done(x)


def kd_cases() -> list[dict]:
    cases = []
    for sampler, (_, etas) in KD.items():
        for eta in etas or (None,):
            cases.append(kd_case(sampler, "variance_exploding", karras(), eta))
        if sampler in KD_ON_FLOW:
            cases.append(kd_case(sampler, "flow", flow(), None))
    return cases


# diffusers


def scheduler_of(kind: str, walk: Walk, **options):
    kind_class = getattr(diffusers, kind)
    module = in_double(kind_class)
    if hasattr(module, "randn_tensor"):
        module.randn_tensor = walk.noise
    return kind_class(**options)


def sigma_case(sampler: str, kind: str, path: str, sigmas: np.ndarray, draws: bool = False, ends: bool = True,
               **options) -> dict:
    """A scheduler that walks sigmas: its own are replaced. It keeps x in units where alpha^2 + sigma^2 is 1, or a flow's."""
    walk = Walk(sampler, "diffusers", path, sigmas, 1.0 if draws else None)
    if path == "flow":
        options |= {"use_flow_sigmas": True}
    else:
        options |= SD15
    scheduler = scheduler_of(kind, walk, prediction_type="sample", **options)
    scheduler.set_timesteps(STEPS)
    scheduler.sigmas = torch.tensor(sigmas, dtype=torch.float64)
    scheduler.set_begin_index(0)
    unit = (lambda sigma: 1.0) if path == "flow" else (lambda sigma: (sigma**2 + 1) ** -0.5)
    x = walk.start
    steps = STEPS if ends else STEPS - 1
    for i in range(steps):
        x0 = walk.network(x, sigmas[i])
        x = scheduler.step(x0, scheduler.timesteps[i], x * unit(sigmas[i]), return_dict=False)[0] / unit(sigmas[i + 1])
    if not ends:
        walk.network(x, sigmas[steps])
        x = None
    return walk.done(x)


def timed_case(sampler: str, kind: str, eta: float | None, step: Callable, ends: bool = True, **options) -> dict:
    """A scheduler that walks times of the training and reads alphas there, in units where alpha^2 + sigma^2 is 1."""
    walk = Walk(sampler, "diffusers", "variance_exploding", [1.0], eta)
    scheduler = scheduler_of(kind, walk, **SD15, **options)
    sigmas = training_sigmas()
    scheduler.alphas_cumprod = torch.tensor(1 / (sigmas**2 + 1))
    scheduler.set_timesteps(STEPS)
    times = list(dict.fromkeys(int(time) for time in scheduler.timesteps))
    walk.case["sigmas"] = [float(sigmas[time]) for time in times] + [0.0]
    walk.start = START * walk.case["sigmas"][0]
    unit = 1 / (walk.case["sigmas"][0] ** 2 + 1) ** 0.5
    x = walk.start * unit
    calls = list(scheduler.timesteps)
    for i, timestep in enumerate(calls):
        sigma = float(sigmas[int(timestep)])
        x0 = walk.network(x * (sigma**2 + 1) ** 0.5, sigma)
        if i + 1 == len(calls) and not ends:
            return walk.done(None)
        x = step(scheduler, walk, x0, timestep, x, sigma)
    return walk.done(x)


def with_eta(eta: float | None):
    def step(scheduler, walk, x0, timestep, x, _):
        options = {} if eta is None else {"eta": eta}
        return scheduler.step(x0, timestep, x, return_dict=False, **options)[0]
    return step


def with_epsilon(scheduler, walk, x0, timestep, x, sigma):
    epsilon = (x * (sigma**2 + 1) ** 0.5 - x0) / sigma
    return scheduler.step(epsilon, timestep, x, return_dict=False)[0]


def ipndm_case(path: str, sigmas: np.ndarray) -> dict:
    """Its alphas are set to one: what it then walks is dx/dsigma, on either path."""
    walk = Walk("ipndm", "diffusers", path, sigmas)
    scheduler = scheduler_of("IPNDMScheduler", walk)
    scheduler.set_timesteps(STEPS)
    scheduler.alphas = torch.ones(STEPS + 1, dtype=torch.float64)
    scheduler.betas = torch.tensor(sigmas)
    scheduler.set_begin_index(0)
    x = walk.start
    for i in range(STEPS):
        slope = (x - walk.network(x, sigmas[i])) / sigmas[i]
        x = scheduler.step(slope - x * sigmas[i], scheduler.timesteps[i], x, return_dict=False)[0]
    return walk.done(x)


# Zero terminal SNR


NOISE_ALONE = 2.0**40  # lapis' sigma of abar 0
ALL_V = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"} | SD15


def v_of(x: torch.Tensor, x0: torch.Tensor, sigma: float) -> torch.Tensor:
    """What a network predicts that expects `x0` behind x, in units where alpha^2 + sigma^2 is 1."""
    alpha = 0.0 if sigma == NOISE_ALONE else (sigma**2 + 1) ** -0.5
    return (alpha * x - x0) / (1 - alpha**2) ** 0.5


def zero_snr_case(sampler: str, kind: str, eta: float | None = None, unit: bool = True, ends: bool = True,
                  steps: int = STEPS, **options) -> dict:
    """A scheduler whose own alphas are rescaled, and end in 0 or in what it sets there; `unit`: it keeps x in units where
    alpha^2 + sigma^2 is 1."""
    walk = Walk(sampler, "diffusers", "variance_exploding", [1.0], eta)
    scheduler = scheduler_of(kind, walk, **ALL_V, **options)
    trained = zero_snr_sigmas()
    last = float(scheduler.alphas_cumprod[-1])
    scheduler.alphas_cumprod = torch.tensor(1 / (trained**2 + 1))
    scheduler.alphas_cumprod[-1] = last
    scheduler.set_timesteps(steps)
    trained[-1] = (1 / last - 1) ** 0.5 if last > 0 else NOISE_ALONE
    sigmas = [float(trained[int(time)]) for time in scheduler.timesteps] + [0.0]
    walk.case |= {"sigmas": sigmas, "zero_snr": True}
    if hasattr(scheduler, "sigmas"):
        scheduler.sigmas = torch.tensor(sigmas, dtype=torch.float64)
        scheduler.set_begin_index(0)
    walk.start = START * sigmas[0]
    to_unit = [(sigma**2 + 1) ** -0.5 for sigma in sigmas]
    x = walk.start * (to_unit[0] if unit else 1.0)
    for i, timestep in enumerate(scheduler.timesteps):
        plain = x / to_unit[i] if unit else x
        x0 = walk.network(plain, sigmas[i])
        if i + 1 == steps and not ends:
            return walk.done(None)
        if not unit:
            scheduler.scale_model_input(x, timestep)
        extra = {} if eta is None or kind in ("DPMSolverMultistepScheduler", "EulerAncestralDiscreteScheduler") else {"eta": eta}
        x = scheduler.step(v_of(plain * to_unit[i], x0, sigmas[i]), timestep, x, return_dict=False, **extra)[0]
    return walk.done(x)


def zero_snr_cases() -> list[dict]:
    dpm = {"solver_order": 2, "final_sigmas_type": "zero"}
    plain = {"clip_sample": False}
    found = [
        zero_snr_case("euler", "EulerDiscreteScheduler", unit=False),
        zero_snr_case("euler_a", "EulerAncestralDiscreteScheduler", 1.0, unit=False),
        zero_snr_case("dpmpp_2m", "DPMSolverMultistepScheduler", **dpm),
        zero_snr_case("dpmpp_2m_sde", "DPMSolverMultistepScheduler", 1.0, **dpm, algorithm_type="sde-dpmsolver++"),
        zero_snr_case("unipc", "UniPCMultistepScheduler", final_sigmas_type="zero"),
        # It counts back by 1000 // steps, which are the spacing's times where nothing is left over.
        *(zero_snr_case("ddim", "DDIMScheduler", eta, **plain, steps=8, set_alpha_to_one=True) for eta in (0.0, 0.6, 0.9)),
        zero_snr_case("ddpm", "DDPMScheduler", **plain),
        zero_snr_case("lcm", "LCMScheduler", timestep_scaling=1e6),
        *(zero_snr_case("tcd", "TCDScheduler", eta, ends=False) for eta in (0.0, 0.3)),
    ]
    sigmas = np.append(zero_snr_sigmas()[[999, 856, 713, 570, 428, 285, 142]], 0.0)
    for sampler in ("lms", "dpmpp_2m", "dpmpp_2m_sde", "dpmpp_2s_a", "dpmpp_sde", "dpmpp_3m_sde", "euler_a"):
        found.append(kd_case(sampler, "variance_exploding", sigmas, 1.0 if KD[sampler][1] else None) | {"zero_snr": True})
    found.append(sigma_case("deis", "DEISMultistepScheduler", "variance_exploding", sigmas, ends=False) | {"zero_snr": True})
    found.append(ipndm_case("variance_exploding", sigmas) | {"zero_snr": True})
    return found


def euler_case(prediction: str) -> dict:
    sigmas = karras()
    walk = Walk("euler", "diffusers", "variance_exploding", sigmas)
    scheduler = scheduler_of("EulerDiscreteScheduler", walk, prediction_type=prediction, **SD15)
    scheduler.set_timesteps(STEPS)
    scheduler.sigmas = torch.tensor(sigmas)
    scheduler.set_begin_index(0)
    x = walk.start
    for i in range(STEPS):
        scheduler.scale_model_input(x, scheduler.timesteps[i])
        sigma = sigmas[i]
        x0 = walk.network(x, sigma)
        output = (x - x0) / sigma
        if prediction == "v_prediction":
            output = (x / (sigma**2 + 1) - x0) * (sigma**2 + 1) ** 0.5 / sigma
        x = scheduler.step(output, scheduler.timesteps[i], x, return_dict=False)[0]
    return walk.done(x)


def flow_match_case(sampler: str, kind: str, share: float | None = None, **options) -> dict:
    sigmas = flow()
    walk = Walk(sampler, "diffusers", "flow", sigmas, share)
    scheduler = scheduler_of(kind, walk, **options)
    scheduler.set_timesteps(STEPS)
    scheduler.sigmas = torch.tensor(sigmas)
    scheduler.set_begin_index(0)
    x = walk.start
    for i in range(STEPS):
        velocity = (x - walk.network(x, sigmas[i])) / sigmas[i]
        x = scheduler.step(velocity, scheduler.timesteps[i], x, return_dict=False)[0]
    return walk.done(x)


def diffusers_cases() -> list[dict]:
    ve, dpm = "variance_exploding", {"solver_order": 2, "final_sigmas_type": "zero"}
    sde = dpm | {"algorithm_type": "sde-dpmsolver++"}
    plain = {"clip_sample": False, "timestep_spacing": "leading", "steps_offset": 1}
    return [
        euler_case("epsilon"), euler_case("v_prediction"),
        flow_match_case("euler", "FlowMatchEulerDiscreteScheduler"),
        flow_match_case("lcm", "FlowMatchLCMScheduler"),
        *(flow_match_case("euler_a", "LTXEulerAncestralRFScheduler", share, eta=share)
          for share in (0.0, 0.6, 1.0)),
        sigma_case("dpmpp_2m", "DPMSolverMultistepScheduler", ve, karras(), **dpm),
        sigma_case("dpmpp_2m", "DPMSolverMultistepScheduler", "flow", flow(), **dpm),
        sigma_case("dpmpp_2m_sde", "DPMSolverMultistepScheduler", ve, karras(), draws=True, **sde),
        sigma_case("dpmpp_2m_sde", "DPMSolverMultistepScheduler", "flow", flow(), draws=True, **sde),
        sigma_case("unipc", "UniPCMultistepScheduler", ve, karras(), final_sigmas_type="zero"),
        sigma_case("unipc", "UniPCMultistepScheduler", "flow", flow(1 - 1e-6), final_sigmas_type="zero"),
        sigma_case("deis", "DEISMultistepScheduler", ve, karras(), ends=False),
        sigma_case("deis", "DEISMultistepScheduler", "flow", flow(0.999), ends=False),
        *(timed_case("ddim", "DDIMScheduler", eta, with_eta(eta), prediction_type="sample", set_alpha_to_one=True,
                     **plain) for eta in (0.0, 0.6, 1.0)),
        timed_case("ddpm", "DDPMScheduler", None, with_eta(None), prediction_type="sample", **plain),
        timed_case("pndm", "PNDMScheduler", None, with_epsilon, skip_prk_steps=True, set_alpha_to_one=True,
                   timestep_spacing="leading", steps_offset=1),
        timed_case("lcm", "LCMScheduler", None, with_eta(None), prediction_type="sample", timestep_scaling=1e6),
        *(timed_case("tcd", "TCDScheduler", eta, with_eta(eta), ends=False, prediction_type="sample")
          for eta in (0.0, 0.3, 1.0)),
        ipndm_case(ve, karras()), ipndm_case("flow", flow()),
    ]


# ComfyUI's ancestral steps on a flow, which neither oracle has: written here anew from its formula.


def rf_descent(sigma: float, after: float, eta: float) -> tuple[float, float, float]:
    down = after * (1 + (after / sigma - 1) * eta)
    keep = (1 - after) / (1 - down)
    return down, keep, (after**2 - down**2 * keep**2) ** 0.5


def rf_case(sampler: str, eta: float) -> dict:
    sigmas = flow()
    walk = Walk(sampler, "ComfyUI's formula", "flow", sigmas, eta)
    x = walk.start
    for sigma, after in zip(sigmas[:-1], sigmas[1:], strict=True):
        down, keep, up = rf_descent(sigma, after, eta)
        x0 = walk.network(x, sigma)
        if down > 0 and sampler == "dpm2_a":
            middle = (sigma * down) ** 0.5
            half = x + (x - x0) / sigma * (middle - sigma)
            x = x + (half - walk.network(half, middle)) / middle * (down - sigma)
        elif down > 0:
            if sigma == 1:
                middle = 0.9999
            else:
                level = (math.log((1 - sigma) / sigma) + math.log((1 - down) / down)) / 2
                middle = 1 / (1 + math.exp(level))
            half = middle / sigma * x + (1 - middle / sigma) * x0
            x = down / sigma * x + (1 - down / sigma) * walk.network(half, middle)
        else:
            x = x0
        if after > 0 and eta > 0:
            x = keep * x + up * walk.noise()
    return walk.done(x)


def cases() -> list[dict]:
    formula = [rf_case(sampler, eta) for sampler in ("dpm2_a", "dpmpp_2s_a") for eta in (0.0, 0.6, 1.0)]
    return kd_cases() + diffusers_cases() + formula + zero_snr_cases()
