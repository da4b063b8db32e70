"""What the goldens of samplers and schedules share."""

import importlib.util
import sys
import types

import numpy as np
import torch
from diffusers import EulerDiscreteScheduler

SD15 = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


class DoubleTorch(types.ModuleType):
    """torch, with float64 under the name float32: an oracle's own lines, run in double precision."""

    def __init__(self) -> None:
        super().__init__("torch")

    def __getattr__(self, name: str):
        return torch.float64 if name == "float32" else getattr(torch, name)


def in_double(scheduler_class: type) -> types.ModuleType:
    """The module of a diffusers scheduler, its casts to float32 turned into casts to float64."""
    module = sys.modules[scheduler_class.__module__]
    module.torch = DoubleTorch()
    return module


def in_single(scheduler_class: type) -> type:
    """The same scheduler with its casts as they are."""
    sys.modules[scheduler_class.__module__].torch = torch
    return scheduler_class


def k_diffusion(name: str) -> types.ModuleType:
    """A module of k-diffusion. Its package imports training code with many dependencies, so it is gone around."""
    if "k_diffusion" not in sys.modules:
        spec = importlib.util.find_spec("k_diffusion")
        if spec is None:
            sys.exit("k-diffusion is missing: pip install --no-deps k-diffusion torchsde torchdiffeq scipy trampoline")
        package = types.ModuleType("k_diffusion")
        package.__path__ = list(spec.submodule_search_locations)
        sys.modules["k_diffusion"] = package
        for absent in ("torchvision", "torchvision.transforms", "torchvision.transforms.functional"):
            try:
                importlib.import_module(absent)
            except ImportError:
                sys.modules[absent] = types.ModuleType(absent)
        if not hasattr(sys.modules["torchvision.transforms"], "functional"):
            sys.modules["torchvision.transforms"].functional = types.ModuleType("functional")
    return importlib.import_module(f"k_diffusion.{name}")


def training_sigmas() -> np.ndarray:
    """sigma of the 1000 training steps of SD1.5, rising, in double from the float32 products."""
    alphas = in_single(EulerDiscreteScheduler)(**SD15).alphas_cumprod.double().numpy()
    return ((1 - alphas) / alphas) ** 0.5


def zero_snr_sigmas() -> np.ndarray:
    """The same, with betas of zero terminal SNR; the last is that of 2^-24."""
    alphas = in_single(EulerDiscreteScheduler)(**SD15, rescale_betas_zero_snr=True).alphas_cumprod.double().numpy()
    return ((1 - alphas) / alphas) ** 0.5


def shifted(sigmas: np.ndarray, shift: float) -> np.ndarray:
    """A flow's sigmas moved towards noise."""
    return shift * sigmas / (1 + (shift - 1) * sigmas)
