"""The sampling facts of a diffusers scheduler configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers

from . import ExportError
from .folder import read_json

PREDICTIONS = {"epsilon": "epsilon", "v_prediction": "v"}
CURVES = {"linear": "linear", "scaled_linear": "scaled_linear", "squaredcos_cap_v2": "cosine"}
VARIANCE_EXPECTED = {"prediction_type": tuple(PREDICTIONS), "beta_schedule": tuple(CURVES),
                     "timestep_spacing": ("leading", "linspace", "trailing"), "trained_betas": (None,)}
FLOW_EXPECTED = {"time_shift_type": ("exponential",), "shift_terminal": (None,), "invert_sigmas": (False,),
                 "stochastic_sampling": (False,)}


def sampling_facts(folder: Path) -> dict[str, Any]:
    """The sampling entry, from scheduler_config.json; keys it leaves out have its scheduler's own defaults."""
    path = folder / "scheduler" / "scheduler_config.json"
    written = read_json(path)
    scheduler = getattr(diffusers, written.get("_class_name", ""), None)
    if scheduler is None:
        raise ExportError(f"{path}: _class_name is {written.get('_class_name')!r}, expected a scheduler of diffusers "
                          f"{diffusers.__version__}. Name one, for example EulerDiscreteScheduler.")
    config = scheduler.from_config(written).config
    if scheduler is diffusers.FlowMatchEulerDiscreteScheduler:
        refuse_others(path, config, FLOW_EXPECTED)
        return {"prediction": "flow", "train_steps": config["num_train_timesteps"], "flow_shift": flow_shift(config)}
    refuse_others(path, config, VARIANCE_EXPECTED)
    zero_snr = {"zero_snr": True} if config.get("rescale_betas_zero_snr") else {}
    return {"prediction": PREDICTIONS[config["prediction_type"]], "train_steps": config["num_train_timesteps"],
            "beta_curve": CURVES[config["beta_schedule"]], "beta_start": config["beta_start"],
            "beta_end": config["beta_end"], "spacing": config.get("timestep_spacing", "leading"),
            "steps_offset": config.get("steps_offset", 0)} | zero_snr


def flow_shift(config: dict[str, Any]) -> dict[str, Any]:
    """How the schedule leans towards noise: by one number, or by the picture's size."""
    if not config["use_dynamic_shifting"]:
        return {"dynamic": False, "shift": config["shift"]}
    return {"dynamic": True, "base_shift": config["base_shift"], "max_shift": config["max_shift"],
            "base_tokens": config["base_image_seq_len"], "max_tokens": config["max_image_seq_len"]}


def refuse_others(path: Path, config: dict[str, Any], expected: dict[str, tuple[Any, ...]]) -> None:
    """Refuses a configuration whose keys have other values than `expected`; the first of them stands for a lack."""
    for key, allowed in expected.items():
        if config.get(key, allowed[0]) not in allowed:
            raise ExportError(f"{path}: {key} is {config[key]!r}, expected {' or '.join(map(repr, allowed))}. "
                              f"lapis has no other kind.")
