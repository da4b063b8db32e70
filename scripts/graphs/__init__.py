"""Graphs without numbers: TorchScript parts of a diffusers folder that any checkpoint of the architecture can fill.

`families` is the table of what can be exported, `clip`, `unet` and `vae` the parts, `flatten` traces and saves a part,
`folder` reads a diffusers folder and writes its model.json, `check` compares a part with the module it came from.
"""


class ExportError(Exception):
    """A folder that cannot be exported: what, where, expected, found and what to do."""
