"""What the model reads."""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ._errors import ArgumentError
from ._shapes import Schema


@dataclass(frozen=True)
class Prompt:
    """The messages of a call."""

    system: str
    """What the function does, what its parameters are, and what an answer looks like."""
    user: str
    """The arguments."""

    def messages(self) -> list[dict[str, str]]:
        """In OpenAI's form."""
        return [
            {"role": "system", "content": self.system},
            {"role": "user", "content": self.user},
        ]


def prompt_of(
    instruction: str,
    arguments: Mapping[str, object],
    described: Mapping[str, str],
    context: str,
    schema: Schema,
) -> Prompt:
    """Raises ArgumentError if an argument has no JSON."""
    told = [f"`{name}` is {described[name]}." for name in arguments if described.get(name)]
    system = "\n".join([instruction, *told])
    if context:
        system += f"\n\n{context}"
    system += f"\n\nAnswer in JSON of this schema:\n{schema}"
    return Prompt(system, _user(arguments))


def _user(arguments: Mapping[str, object]) -> str:
    """A single argument stands as it is; several stand under their names."""
    shown = {name: _shown(name, value) for name, value in arguments.items()}
    if len(shown) == 1:
        return next(iter(shown.values()))
    return "\n\n".join(f"{name}:\n{text}" for name, text in shown.items())


def _shown(name: str, value: object) -> str:
    try:
        plain = plain_json(value)
        if isinstance(plain, str):
            return plain
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentError(name, str(error)) from None


def plain_json(value: object) -> Any:
    """A value in what JSON has; raises TypeError where it has nothing."""
    if isinstance(value, enum.Enum):
        # By value where all members' values are texts, as a return type is read.
        by_value = all(type(member.value) is str for member in type(value))
        return value.value if by_value else value.name
    if value is None or isinstance(value, (str, int, float)):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain_json(value._asdict())
    if isinstance(value, Mapping):
        return {_key(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        # In an order of its own, so that the same set gives the same prompt.
        return sorted(map(plain_json, value), key=json.dumps)
    if isinstance(value, (list, tuple)):
        return [plain_json(item) for item in value]
    if isinstance(value, (uuid.UUID, ipaddress.IPv4Address, ipaddress.IPv6Address)):
        return str(value)
    raise TypeError(
        f"{type(value).__name__} is nothing that JSON has\nhint: give a str or a dataclass"
    )


def _key(key: object) -> str:
    plain = plain_json(key)
    if isinstance(plain, (str, int)) and not isinstance(plain, bool):
        return str(plain)
    raise TypeError(f"the key {key!r} is neither a str nor an int")
