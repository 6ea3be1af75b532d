"""Return types, each asked for on the bundled model and read back, at more than one seed."""

from __future__ import annotations

import enum
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, TypedDict, Union
from uuid import UUID

from aigen import AiFunction, AiGen, Answer, Length, Range, ai_fn
from aigen._prompt import plain_json

SEEDS = range(int(os.environ.get("AIGEN_TEST_SEEDS", "2")))
CLIENT = AiGen()


class Polarity(enum.Enum):
    POSITIVE = "positive"
    NEGATIVE = "negative"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Point:
    """A place on the map."""

    x: Annotated[int, Range(-90, 90)]
    y: Annotated[float, Range(-1, 1), "how high"]


@dataclass(frozen=True)
class Defaults:
    name: Annotated[str, Length(high=12)] = "nobody"
    tags: Annotated[list[bool], Length(high=3)] = field(default_factory=list)


class Person(TypedDict):
    name: Annotated[str, Length(1, 10)]
    age: Annotated[int, Range(0, 130)]


class Pair(NamedTuple):
    left: bool
    right: Polarity


@dataclass
class Circle:
    kind: Literal["circle"]
    radius: Annotated[float, Range(0, 10)]


@dataclass
class Square:
    kind: Literal["square"]
    side: Annotated[int, Range(0, 10)]


@dataclass
class Tree:
    label: Annotated[str, Length(1, 4)]
    below: Annotated[list[Tree], Length(high=2)]


@dataclass
class Add:
    kind: Literal["add"]
    first: Annotated[int, Range(0, 9)]
    rest: Sum


@dataclass
class One:
    kind: Literal["one"]


Sum = Union[Add, One]
Percent = NewType("Percent", int)


@dataclass
class Nested:
    where: Point
    who: Optional[Person]
    shapes: Annotated[list[Union[Circle, Square]], Length(1, 2)]


@dataclass
class Even:
    value: Annotated[int, Range(0, 9)]

    def __post_init__(self) -> None:
        if not 0 <= self.value <= 9:
            raise ValueError("not a digit")


def asked(of: Any, max_tokens: int = 200) -> AiFunction[[str], Any]:
    """A function that returns it. Types are given as values, so that a row is a type."""

    def made_up(what: str) -> Any:
        """Make something up."""
        raise Answer

    made_up.__annotations__ = {"what": str, "return": of}
    return ai_fn(CLIENT, max_tokens=max_tokens, temperature=1.0)(made_up)


GALLERY: dict[str, Any] = {
    "bool": bool,
    "int": int,
    "bounded int": Annotated[int, Range(-5, 10)],
    "one-sided int": Annotated[int, Range(low=7)],
    "float": float,
    "bounded float": Annotated[float, Range(-1, 1)],
    "str": str,
    "bounded str": Annotated[str, Length(2, 8)],
    "None": None,
    "Literal of texts": Literal["red", "green", "blue"],
    "Literal of several kinds": Literal["auto", 1, True, None],
    "Enum by value": Polarity,
    "Enum by name": Level,
    "Optional": Optional[Annotated[int, Range(0, 9)]],
    "Union of kinds": Union[
        bool, Annotated[str, Length(high=5)], Annotated[list[int], Length(high=2)]
    ],
    "list": Annotated[list[Annotated[str, Length(high=6)]], Length(1, 3)],
    "Sequence": Annotated[Sequence[bool], Length(high=3)],
    "tuple of parts": tuple[bool, Annotated[int, Range(0, 9)]],
    "tuple of any length": Annotated[tuple[bool, ...], Length(high=4)],
    "set": Annotated[set[Polarity], Length(high=3)],
    "frozenset": Annotated[frozenset[bool], Length(1, 3)],
    "dict of texts": Annotated[dict[str, bool], Length(high=2)],
    "dict of integers": Annotated[dict[int, bool], Length(high=2)],
    "Mapping": Annotated[Mapping[str, Polarity], Length(high=2)],
    "dataclass": Point,
    "frozen dataclass with defaults": Defaults,
    "TypedDict": Person,
    "NamedTuple": Pair,
    "tagged Union": Union[Circle, Square],
    "type inside itself": Tree,
    "tagged Union inside itself": Sum,
    "nested": Nested,
    "class that checks itself": Even,
    "NewType": Annotated[Percent, Range(0, 100)],
    "UUID": UUID,
    "IPv4Address": IPv4Address,
    "IPv6Address": IPv6Address,
}

# Of these an answer may be longer than a small model's whole context.
LONG = {"str", "type inside itself", "tagged Union inside itself"}


def test_each_is_read_back() -> None:
    calls = read = 0
    for name, of in GALLERY.items():
        function = asked(of, 400 if name in LONG else 200)
        for seed in SEEDS:
            detailed = function.call(name).seed(seed).retries(0).detailed()
            calls += 1
            assert detailed.guarantee == "decoder", name
            assert detailed.asked_again == 0, name
            # What was read is what was written, as far as JSON tells.
            again = function.schema().read(json.dumps(plain_json(detailed.value)))
            assert again == detailed.value, (name, detailed.raw)
            read += 1
    print(f"{read} of {calls} answers of {len(GALLERY)} types were read back")
    assert len(GALLERY) >= 20 and read == calls == len(GALLERY) * len(SEEDS)


def test_schemas_are_closed_and_bounded() -> None:
    def walk(node: object, at: str) -> None:
        if not isinstance(node, dict):
            return
        needed: dict[str, set[str]] = {
            "integer": {"minimum", "maximum"},
            "number": {"minimum", "maximum"},
            "array": {"minItems", "maxItems"},
            "object": {"additionalProperties"},
        }
        kind = node.get("type")
        if isinstance(kind, str):
            assert needed.get(kind, set()) <= node.keys(), (at, node)
        if kind == "string":
            assert "maxLength" in node or "format" in node, (at, node)
        if kind == "object" and "properties" in node:
            assert node["required"] == list(node["properties"]), (at, node)
            assert node["additionalProperties"] is False, (at, node)
        for name, below in node.items():
            for each in below if isinstance(below, list) else [below]:
                walk(each, f"{at}.{name}")
            if name == "properties":
                for each in below.values():
                    walk(each, at)

    for name, of in GALLERY.items():
        walk(asked(of).schema().value, name)


def test_what_does_not_fit_is_refused() -> None:
    """What another engine might answer, where nobody promises the type."""
    rows: list[tuple[Any, str, str]] = [
        (int, "1.0", "$: no integer"),
        (int, "true", "$: no integer"),
        (int, str(2**53), "is not within"),
        (bool, "1", "neither true nor false"),
        (float, "1e16", "is not within"),
        (float, "NaN", "NaN is no JSON"),
        (str, "3", "$: no text"),
        (str, '"\\ud800"', "half a surrogate pair"),
        (Annotated[str, Length(2, 3)], '"abcd"', "4 characters"),
        (Literal[1], "true", "is none of [1]"),
        (Polarity, '"POSITIVE"', "is none of"),
        (list[int], '[1, "2"]', "$[1]: no integer"),
        (tuple[int, int], "[1]", "no array of 2"),
        (dict[int, int], '{"01": 1}', "no integer of at most nine digits"),
        (Point, '{"x": 1}', "its fields are ['x'] instead of ['x', 'y']"),
        (Nested, '{"where": {"x": 91, "y": 0}, "who": null, "shapes": []}', "$.where.x: 91"),
        (Union[Circle, Square], '{"kind": "circle", "side": 1}', "none of its alternatives"),
        (UUID, '"x"', "is no uuid"),
        (int, "no JSON", "Expecting value"),
    ]
    for of, text, why in rows:
        assert why in refusal(lambda: asked(of).schema().read(text)), (of, text)


def refusal(read: Callable[[], object]) -> str:
    try:
        value = read()
    except ValueError as error:
        return str(error)
    raise AssertionError(f"{value!r} was read")
