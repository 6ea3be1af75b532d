"""Shapes: what a type looks like in JSON, and how JSON of it is read back.

A shape makes a schema that allows no more than `read` takes, so that a decoder that follows the
schema cannot write what is not of the type. Bounds where a type has none are the Rust twin's.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from ._errors import SchemaError

ITEMS_MAX = 32
"""Items of a list."""
ENTRIES_MAX = 16
"""Entries of a map."""
LENGTH_MAX = 1_000
"""Characters of a text."""
INTEGER_MAX = 2**53 - 1
"""Beyond this, readers of JSON lose digits."""
NUMBER_MAX = 1e15
DEPTH_MAX = 5
"""How often a type may contain itself; less where that gives more than NODES_MAX parts."""
NODES_MAX = 5_000

Node = dict[str, Any]


class Misfit(ValueError):
    """A value that is not of the type."""

    def __init__(self, at: str, what: str) -> None:
        super().__init__(f"{at}: {what}")


class TooLarge(Exception):
    """With so many levels the schema becomes too large."""


@dataclass
class Maker:
    """One attempt at a schema, with types inside themselves at most `depth` times."""

    depth: int
    nodes: int = 0
    inside: dict[int, int] = field(default_factory=dict)

    def node(self, shape: Shape) -> Node | None:
        """None where nothing can stand."""
        self.nodes += 1
        if self.nodes > NODES_MAX:
            raise TooLarge
        return shape.node(self)


class Shape(Protocol):
    """A type, as JSON has it."""

    def kinds(self) -> frozenset[str]:
        """Of which kinds of JSON its values are."""

    def node(self, maker: Maker) -> Node | None:
        """Its schema; None where the type has no finite value any more."""

    def read(self, value: object, at: str) -> Any:
        """Its value; raises Misfit."""


@dataclass(frozen=True)
class Null:
    def kinds(self) -> frozenset[str]:
        return frozenset({"null"})

    def node(self, maker: Maker) -> Node:
        return {"type": "null"}

    def read(self, value: object, at: str) -> None:
        if value is not None:
            raise Misfit(at, "not null")


@dataclass(frozen=True)
class Boolean:
    def kinds(self) -> frozenset[str]:
        return frozenset({"boolean"})

    def node(self, maker: Maker) -> Node:
        return {"type": "boolean"}

    def read(self, value: object, at: str) -> bool:
        if not isinstance(value, bool):
            raise Misfit(at, "neither true nor false")
        return value


@dataclass(frozen=True)
class Integer:
    low: int = -INTEGER_MAX
    high: int = INTEGER_MAX

    def kinds(self) -> frozenset[str]:
        return frozenset({"number"})

    def node(self, maker: Maker) -> Node:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}

    def read(self, value: object, at: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Misfit(at, "no integer")
        if not self.low <= value <= self.high:
            raise Misfit(at, f"{value} is not within {self.low} and {self.high}")
        return value


@dataclass(frozen=True)
class Number:
    low: float = -NUMBER_MAX
    high: float = NUMBER_MAX

    def kinds(self) -> frozenset[str]:
        return frozenset({"number"})

    def node(self, maker: Maker) -> Node:
        return {"type": "number", "minimum": self.low, "maximum": self.high}

    def read(self, value: object, at: str) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Misfit(at, "no number")
        if not self.low <= value <= self.high or math.isnan(value):
            raise Misfit(at, f"{value} is not within {self.low} and {self.high}")
        return float(value)


@dataclass(frozen=True)
class Text:
    low: int = 0
    high: int = LENGTH_MAX

    def kinds(self) -> frozenset[str]:
        return frozenset({"string"})

    def node(self, maker: Maker) -> Node:
        return {"type": "string", "minLength": self.low, "maxLength": self.high}

    def read(self, value: object, at: str) -> str:
        if not isinstance(value, str):
            raise Misfit(at, "no text")
        if not self.low <= len(value) <= self.high:
            raise Misfit(at, f"{len(value)} characters are not within {self.low} and {self.high}")
        return _whole(value, at)


@dataclass(frozen=True)
class Formatted:
    """A text that a decoder holds to a format, and that `parse` reads."""

    format: str
    parse: Callable[[str], Any]

    def kinds(self) -> frozenset[str]:
        return frozenset({"string"})

    def node(self, maker: Maker) -> Node:
        return {"type": "string", "format": self.format}

    def read(self, value: object, at: str) -> Any:
        try:
            return self.parse(value if isinstance(value, str) else "")
        except ValueError:
            raise Misfit(at, f"{value!r} is no {self.format}") from None


@dataclass(frozen=True)
class OneOf:
    """Some values and how they are written: Literal and Enum."""

    written: tuple[tuple[object, Any], ...]

    def kinds(self) -> frozenset[str]:
        return frozenset(_kind(written) for written, _ in self.written)

    def node(self, maker: Maker) -> Node:
        return {"enum": [written for written, _ in self.written]}

    def read(self, value: object, at: str) -> Any:
        for written, means in self.written:
            # 1 == True, and they are two values here.
            if type(written) is type(value) and written == value:
                return means
        raise Misfit(at, f"{value!r} is none of {[written for written, _ in self.written]}")


@dataclass(frozen=True)
class Array:
    items: Shape
    low: int
    high: int
    make: Callable[[list[Any]], Any]

    def kinds(self) -> frozenset[str]:
        return frozenset({"array"})

    def node(self, maker: Maker) -> Node | None:
        items = maker.node(self.items)
        if items is None:
            return {"const": []} if self.low == 0 else None
        return {"type": "array", "items": items, "minItems": self.low, "maxItems": self.high}

    def read(self, value: object, at: str) -> Any:
        if not isinstance(value, list):
            raise Misfit(at, "no array")
        if not self.low <= len(value) <= self.high:
            raise Misfit(at, f"{len(value)} items are not within {self.low} and {self.high}")
        return self.make([self.items.read(item, f"{at}[{n}]") for n, item in enumerate(value)])


@dataclass(frozen=True)
class Row:
    """A tuple of so many parts."""

    parts: tuple[Shape, ...]

    def kinds(self) -> frozenset[str]:
        return frozenset({"array"})

    def node(self, maker: Maker) -> Node | None:
        nodes = [maker.node(part) for part in self.parts]
        if None in nodes:
            return None
        count = {"minItems": len(nodes), "maxItems": len(nodes)}
        return {"type": "array", "prefixItems": nodes, "items": False, **count}

    def read(self, value: object, at: str) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) != len(self.parts):
            raise Misfit(at, f"no array of {len(self.parts)}")
        both = enumerate(zip(self.parts, value, strict=True))
        return tuple(part.read(item, f"{at}[{n}]") for n, (part, item) in both)


@dataclass(frozen=True)
class Map:
    """Texts, or integers of at most nine digits, to values."""

    values: Shape
    numbered: bool
    low: int
    high: int

    SIGNED = r"^(0|-?[1-9][0-9]{0,8})$"

    def kinds(self) -> frozenset[str]:
        return frozenset({"object"})

    def node(self, maker: Maker) -> Node | None:
        values = maker.node(self.values)
        if values is None:
            return _closed({}) if self.low == 0 else None
        node: Node = {"type": "object", "maxProperties": self.high}
        if self.low > 0:
            node["minProperties"] = self.low
        if self.numbered:
            return {
                **node,
                "patternProperties": {self.SIGNED: values},
                "additionalProperties": False,
            }
        return {**node, "additionalProperties": values}

    def read(self, value: object, at: str) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise Misfit(at, "no object")
        if not self.low <= len(value) <= self.high:
            raise Misfit(at, f"{len(value)} entries are not within {self.low} and {self.high}")
        return {self._key(k, at): self.values.read(v, f"{at}.{k}") for k, v in value.items()}

    def _key(self, key: str, at: str) -> str | int:
        if not self.numbered:
            return _whole(key, at)
        if re.fullmatch(self.SIGNED, key) is None:
            raise Misfit(at, f"the key {key!r} is no integer of at most nine digits")
        return int(key)


@dataclass(eq=False)
class Fields:
    """A class with named fields. Every one is asked for: a model that may leave something out
    does. Its fields are set after it is made, since they may contain it."""

    name: str
    make: Callable[[dict[str, Any]], Any]
    description: str
    hashable: bool = True
    """Whether its values are, if all of their fields are."""
    fields: dict[str, Shape] = field(default_factory=dict)

    def kinds(self) -> frozenset[str]:
        return frozenset({"object"})

    def node(self, maker: Maker) -> Node | None:
        inside = maker.inside.get(id(self), 0)
        if inside >= maker.depth:
            return None
        maker.inside[id(self)] = inside + 1
        nodes = {name: maker.node(shape) for name, shape in self.fields.items()}
        maker.inside[id(self)] = inside
        if None in nodes.values():
            return None
        return _described(_closed(nodes), self.description)

    def read(self, value: object, at: str) -> Any:
        if not isinstance(value, dict):
            raise Misfit(at, "no object")
        if value.keys() != self.fields.keys():
            raise Misfit(at, f"its fields are {sorted(value)} instead of {sorted(self.fields)}")
        read = {
            name: shape.read(value[name], f"{at}.{name}") for name, shape in self.fields.items()
        }
        try:
            return self.make(read)
        except ValueError as refused:
            # A class may be narrower than its fields, in __post_init__.
            raise Misfit(at, str(refused) or type(refused).__name__) from refused


@dataclass(frozen=True)
class Either:
    """Alternatives that the kind of JSON, or a field with a Literal, tells apart."""

    parts: tuple[Shape, ...]

    def kinds(self) -> frozenset[str]:
        return frozenset[str]().union(*(part.kinds() for part in self.parts))

    def node(self, maker: Maker) -> Node | None:
        nodes = [node for node in map(maker.node, self.parts) if node is not None]
        if len(nodes) < 2:
            return nodes[0] if nodes else None
        return {"anyOf": nodes}

    def read(self, value: object, at: str) -> Any:
        why = []
        for part in self.parts:
            try:
                return part.read(value, at)
            except Misfit as misfit:
                why.append(str(misfit))
        raise Misfit(at, "none of its alternatives: " + "; ".join(why))


@dataclass(frozen=True)
class Described:
    """A shape, and what its place is for."""

    shape: Shape
    description: str

    def kinds(self) -> frozenset[str]:
        return self.shape.kinds()

    def node(self, maker: Maker) -> Node | None:
        node = self.shape.node(maker)
        return None if node is None else _described(node, self.description)

    def read(self, value: object, at: str) -> Any:
        return self.shape.read(value, at)


class Schema:
    """What answers follow, with every reference written out, and the reader of them."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.value: Node = _written_out(shape)

    def __str__(self) -> str:
        return json.dumps(self.value, ensure_ascii=False, separators=(",", ":"))

    def __repr__(self) -> str:
        return f"Schema({self})"

    def read(self, text: str) -> Any:
        """Raises ValueError if the text is not JSON of this schema."""
        return self.shape.read(json.loads(text, parse_constant=_no_constant), "$")


def _written_out(shape: Shape) -> Node:
    for depth in range(DEPTH_MAX, 0, -1):
        try:
            node = Maker(depth).node(shape)
        except TooLarge:
            continue
        if node is None:
            hint = "let it end somewhere: make a field Optional or a list"
            raise SchemaError("$", "no finite value is of this type", hint)
        return node
    what = f"written out, the schema has more than {NODES_MAX} parts"
    raise SchemaError("$", what, "ask for a smaller type, in several calls")


def _whole(text: str, at: str) -> str:
    """Half a surrogate pair can be written in JSON and is no text: it cannot be printed or sent."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Misfit(at, "half a surrogate pair")
    return text


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _closed(properties: dict[str, Any]) -> Node:
    fields = {"properties": properties, "required": list(properties)}
    return {"type": "object", **fields, "additionalProperties": False}


def _described(node: Node, description: str) -> Node:
    return {**node, "description": description} if description else node


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"
