"""Graphs without numbers: TorchScript parts of a diffusers folder that any checkpoint of the architecture can fill.

`families` is the table of what can be exported; `clip`, `t5`, `unet`, `flux` and `vae` are the parts; `flatten` traces
and saves a part; `folder`, `sampling` and `tokenizers` read a diffusers folder for its model.json; `check` compares a
part with the module it came from.
"""


class ExportError(Exception):
    """A folder that cannot be exported: what, where, expected, found and what to do."""
