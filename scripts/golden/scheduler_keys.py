"""Every scheduler class of diffusers with the keys of its configuration and what it takes where they say nothing."""

import importlib
import inspect
import json
import pkgutil

import diffusers
from diffusers import ConfigMixin, SchedulerMixin, schedulers


def plain(value: object) -> object:
    """A default as a configuration has it; a key without one as null."""
    if value is inspect.Parameter.empty:
        return None
    return json.loads(json.dumps(value).replace("-Infinity", '"-Infinity"'))


def modules() -> list:
    return [importlib.import_module(found.name) for found in pkgutil.walk_packages(schedulers.__path__, f"{schedulers.__name__}.")
            if not found.name.endswith("_flax")]


def cases() -> list[dict]:
    found = {}
    for module in modules():
        for name, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ != module.__name__ or not issubclass(kind, ConfigMixin) or not issubclass(kind, SchedulerMixin):
                continue
            parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
            keys = {each.name: plain(each.default) for each in parameters if each.kind is not inspect.Parameter.VAR_KEYWORD}
            found[name] = {"class": name, "keys": keys}
    public = {name for name in dir(diffusers) if name.endswith("Scheduler")}
    missing = sorted(public - set(found))
    assert not missing, f"classes of diffusers that were not looked at: {missing}"
    return [found[name] for name in sorted(found)]
