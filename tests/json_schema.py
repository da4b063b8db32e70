"""JSON Schema 2020-12, as far as the schemas in docs/ go, with nothing but the standard library."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1] / "docs"
TYPES = {"object": dict, "array": list, "string": str, "number": (int, float), "integer": int, "boolean": bool}
NOTES = {"$schema", "$defs", "title", "description", "contentMediaType"}


def schema(name: str) -> dict[str, Any]:
    """The schema docs/NAME.schema.json."""
    return json.loads((DOCS / f"{name}.schema.json").read_text("utf-8"))


def matches(pattern: str, text: str) -> bool:
    return re.search(pattern.replace("$", r"\Z"), text) is not None


def is_valid(value: Any, schema: Any, root: dict[str, Any] | None = None) -> bool:
    """JSON Schema 2020-12, as far as the schemas of docs/ go; a keyword beyond that is an error. References are to `root`,
    the schema itself where none is given.
    """
    root = schema if root is None else root
    if isinstance(schema, bool):
        return schema
    return all(holds(keyword, value, schema, root) for keyword in schema if keyword not in NOTES)


def holds(keyword: str, value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Whether one keyword of the schema holds for the value."""
    wanted = schema[keyword]
    is_object = isinstance(value, dict)
    rules = {
        "$ref": lambda: is_valid(value, root["$defs"][wanted.removeprefix("#/$defs/")], root),
        "type": lambda: isinstance(value, TYPES[wanted]) and isinstance(value, bool) == (wanted == "boolean"),
        "const": lambda: value == wanted,
        "enum": lambda: value in wanted,
        "pattern": lambda: not isinstance(value, str) or matches(wanted, value),
        "minLength": lambda: not isinstance(value, str) or len(value) >= wanted,
        "minimum": lambda: not isinstance(value, int | float) or value >= wanted,
        "maximum": lambda: not isinstance(value, int | float) or value <= wanted,
        "items": lambda: not isinstance(value, list) or all(is_valid(item, wanted, root) for item in value),
        "minItems": lambda: not isinstance(value, list) or len(value) >= wanted,
        "maxItems": lambda: not isinstance(value, list) or len(value) <= wanted,
        "required": lambda: not is_object or all(key in value for key in wanted),
        "properties": lambda: not is_object or all(is_valid(value[key], wanted[key], root) for key in wanted if key in value),
        "patternProperties": lambda: not is_object or all(
            is_valid(value[key], each, root) for pattern, each in wanted.items() for key in value if matches(pattern, key)),
        "additionalProperties": lambda: not is_object or wanted or all(is_known(key, schema) for key in value),
        "dependentRequired": lambda: not is_object or all(key not in value or all(other in value for other in others)
                                                          for key, others in wanted.items()),
        "oneOf": lambda: sum(is_valid(value, each, root) for each in wanted) == 1,
        "anyOf": lambda: any(is_valid(value, each, root) for each in wanted),
        "if": lambda: is_valid(value, schema["then" if is_valid(value, wanted, root) else "else"], root),
        "then": lambda: True,
        "else": lambda: True,
        "contentSchema": lambda: is_valid_content(value, wanted, root),
    }
    return bool(rules[keyword]())


def is_known(key: str, schema: dict[str, Any]) -> bool:
    return key in schema["properties"] or any(matches(each, key) for each in schema.get("patternProperties", {}))


def is_valid_content(text: str, schema: Any, root: dict[str, Any]) -> bool:
    try:
        return is_valid(json.loads(text), schema, root)
    except ValueError:
        return False
