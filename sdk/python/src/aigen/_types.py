"""From Python's types to shapes, or a refusal that says what to do instead."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import inspect
import ipaddress
import types
import typing
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

from ._errors import SchemaError
from ._shapes import (
    ENTRIES_MAX,
    INTEGER_MAX,
    ITEMS_MAX,
    LENGTH_MAX,
    NUMBER_MAX,
    Array,
    Boolean,
    Described,
    Either,
    Fields,
    Formatted,
    Integer,
    Map,
    Null,
    Number,
    OneOf,
    Row,
    Schema,
    Shape,
    Text,
)


@dataclass(frozen=True)
class Range:
    """Bounds of an int or a float, both included: `Annotated[int, Range(0, 10)]`."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Length:
    """Bounds of a text's characters, a list's items or a dict's entries, both included."""

    low: int = 0
    high: int | None = None


def schema_of(of: Any) -> Schema:
    """The schema of a type's values, from which every value is read back.

    Raises SchemaError if the type cannot be promised.
    """
    reader = _Reader()
    shape = reader.shape(of, "$", ())
    for at, parts in reader.unions:
        _told_apart(at, parts)
    for at, name, items in reader.sets:
        if not _hashable(items, ()):
            hint = "use a list, or let it be a frozen dataclass, a tuple or a frozenset"
            raise SchemaError(at, f"a set of {name}, which Python cannot put into one", hint)
    return Schema(shape)


_FORMATS: dict[object, Shape] = {
    uuid.UUID: Formatted("uuid", uuid.UUID),
    ipaddress.IPv4Address: Formatted("ipv4", ipaddress.IPv4Address),
    ipaddress.IPv6Address: Formatted("ipv6", ipaddress.IPv6Address),
}

_INSTEAD = {
    "Any": "say what it is: a dataclass, a Union, or dict[str, str]",
    "object": "say what it is: a dataclass, a Union, or dict[str, str]",
    "Decimal": "use Annotated[int, Range(…)] of the smallest unit, or str",
    "bytes": "use str",
    "date": "a decoder does not know that February has no 31st: use str and a check, or three ints",
    "datetime": "a decoder does not know that February has no 31st: use str and a check, or ints",
    "time": "use ints with Range",
    "timedelta": "use a float of seconds",
    "complex": "use a tuple[float, float]",
    "list": "say of what: list[str]",
    "tuple": "say of what: tuple[str, int]",
    "set": "say of what: set[str]",
    "frozenset": "say of what: frozenset[str]",
    "dict": "say of what: dict[str, int]",
}
_ELSE = "use a dataclass, TypedDict, NamedTuple, Enum, Literal, list, dict, Optional, Union, int, float, bool or str"

_ARRAYS: dict[object, Callable[[list[Any]], Any]] = {
    list: list,
    collections.abc.Sequence: list,
    set: set,
    frozenset: frozenset,
}


class _Reader:
    def __init__(self) -> None:
        self.known: dict[object, Fields] = {}
        self.unions: list[tuple[str, tuple[Shape, ...]]] = []
        self.sets: list[tuple[str, str, Shape]] = []
        """Looked at when every class has its fields, as unions are."""

    def shape(self, of: Any, at: str, notes: tuple[Any, ...]) -> Shape:
        origin = get_origin(of)
        if origin is Annotated:
            return self._annotated(of, at, notes)
        # By name, since those of Python 3.10 come from typing_extensions.
        if getattr(origin, "_name", None) in ("Required", "NotRequired", "ReadOnly"):
            return self.shape(get_args(of)[0], at, notes)
        if isinstance(of, NewType):
            return self.shape(of.__supertype__, at, notes)
        if type(of).__name__ == "TypeAliasType":
            return self.shape(of.__value__, at, notes)
        shape = self._composed(of, origin, at, notes) or self._simple(of, at, notes)
        unused = [note for note in notes if isinstance(note, (Range, Length))]
        if unused and not _takes(shape, unused[0]):
            hint = "Range is for int and float, Length for str, list and dict"
            raise SchemaError(at, f"{unused[0]} beside {_name(of)}", hint)
        return shape

    def _annotated(self, of: Any, at: str, notes: tuple[Any, ...]) -> Shape:
        """A text beside a type is told to the model."""
        inner, *more = get_args(of)
        shape = self.shape(inner, at, notes + tuple(more))
        texts = [note for note in more if isinstance(note, str)]
        return Described(shape, " ".join(texts)) if texts else shape

    def _simple(self, of: Any, at: str, notes: tuple[Any, ...]) -> Shape:
        if of is None or of is type(None):
            return Null()
        if of is bool:
            return Boolean()
        if of is int:
            low, high = _bounds(at, notes, Range, -INTEGER_MAX, INTEGER_MAX)
            if low != int(low) or high != int(high):
                raise SchemaError(at, f"an int between {low} and {high}", "write whole numbers")
            return Integer(int(low), int(high))
        if of is float:
            low, high = _bounds(at, notes, Range, -NUMBER_MAX, NUMBER_MAX)
            return Number(low, high)
        if of is str:
            return Text(*_lengths(at, notes, LENGTH_MAX))
        if of in _FORMATS:
            return _FORMATS[of]
        if isinstance(of, type):
            return self._class(of, at)
        raise _unsupported(at, of)

    def _composed(self, of: Any, origin: Any, at: str, notes: tuple[Any, ...]) -> Shape | None:
        arguments = get_args(of)
        if origin is Literal:
            return _one_of(at, [(value, value) for value in arguments])
        if origin in (Union, types.UnionType):
            parts = tuple(self.shape(part, at, ()) for part in arguments)
            self.unions.append((at, parts))
            return Either(parts)
        if origin is tuple and not (len(arguments) == 2 and arguments[1] is ...):
            places = enumerate(arguments)
            return Row(tuple(self.shape(part, f"{at}[{n}]", ()) for n, part in places))
        if origin is tuple or origin in _ARRAYS:
            low, high = _lengths(at, notes, ITEMS_MAX)
            make = tuple if origin is tuple else _ARRAYS[origin]
            if make in (set, frozenset) and low > 1:
                # What comes twice is dropped, and no decoder hinders it.
                raise SchemaError(at, f"a set of at least {low}", "use a list, and a check")
            items = self.shape(arguments[0], f"{at}[]", ())
            if make in (set, frozenset):
                self.sets.append((at, _name(arguments[0]), items))
            return Array(items, low, high, make)
        if origin in (dict, collections.abc.Mapping):
            return self._map(arguments, at, notes)
        return None

    def _map(self, arguments: tuple[Any, ...], at: str, notes: tuple[Any, ...]) -> Shape:
        if arguments[0] not in (str, int):
            what = f"a dict whose keys are {_name(arguments[0])}"
            raise SchemaError(
                at, what, "let the keys be str or int, or use a class with these fields"
            )
        low, high = _lengths(at, notes, ENTRIES_MAX)
        if low > 1:
            # A key may be written twice, and the second wins.
            raise SchemaError(at, f"a dict of at least {low}", "use a list of pairs, and a check")
        return Map(self.shape(arguments[1], f"{at}.*", ()), arguments[0] is int, low, high)

    def _class(self, of: type, at: str) -> Shape:
        if of in self.known:
            return self.known[of]
        if issubclass(of, enum.Enum):
            return _enum(at, of)
        if dataclasses.is_dataclass(of):
            names = [each.name for each in dataclasses.fields(of) if each.init]
        elif issubclass(of, tuple) and hasattr(of, "_fields"):
            names = list(of._fields)
        elif typing.is_typeddict(of):
            names = list(_hints(of, at))
        else:
            raise _unsupported(at, of)
        # A TypedDict makes a dict of what it is called with, too.
        shape = Fields(of.__name__, lambda read: of(**read), _doc(of), of.__hash__ is not None)
        self.known[of] = shape
        hints = _hints(of, at)
        shape.fields = {name: self.shape(hints[name], f"{at}.{name}", ()) for name in names}
        return shape


def _hints(of: Any, at: str) -> dict[str, Any]:
    try:
        return get_type_hints(of, include_extras=True)
    except NameError as unknown:
        hint = "define the types that it names at the top of a module"
        raise SchemaError(
            at, f"{_name(of)} names a type that is not there: {unknown}", hint
        ) from None


def _enum(at: str, of: type[enum.Enum]) -> Shape:
    """By their values where all are texts, else by their names, which tell a model more."""
    by_value = all(type(member.value) is str for member in of)
    return _one_of(at, [(m.value if by_value else m.name, m) for m in of])


def _one_of(at: str, written: list[tuple[object, Any]]) -> Shape:
    written = [(w.name if isinstance(w, enum.Enum) else w, means) for w, means in written]
    if not written:
        raise SchemaError(at, "an Enum without members", "give it members")
    for value, _ in written:
        if value is not None and type(value) not in (str, int, bool):
            raise SchemaError(at, f"the Literal {value!r}", "use texts, integers, booleans or None")
    return OneOf(tuple(written))


def _hashable(shape: Shape, within: tuple[Shape, ...]) -> bool:
    """Whether what it is read as can be in a set; a class that contains itself is asked once."""
    if shape in within:
        return True
    within = (*within, shape)
    if isinstance(shape, Described):
        return _hashable(shape.shape, within)
    if isinstance(shape, Array):
        return shape.make is frozenset or (shape.make is tuple and _hashable(shape.items, within))
    if isinstance(shape, (Row, Either)):
        return all(_hashable(part, within) for part in shape.parts)
    if isinstance(shape, Fields):
        fields = shape.fields.values()
        return shape.hashable and all(_hashable(field, within) for field in fields)
    return not isinstance(shape, Map)


def _told_apart(at: str, parts: tuple[Shape, ...]) -> None:
    """One value of JSON must not be read as two types."""
    for n, one in enumerate(parts):
        for other in parts[n + 1 :]:
            both = one.kinds() & other.kinds()
            if both and not _tagged(one, other):
                hint = (
                    "give each class the same field with another Literal, like kind: Literal['a']"
                    if both == {"object"}
                    else "use one of them alone (float holds every int; one Literal several values)"
                )
                raise SchemaError(at, f"alternatives that are both {sorted(both)[0]}", hint)


def _tagged(one: Shape, other: Shape) -> bool:
    if not (isinstance(one, Fields) and isinstance(other, Fields)):
        return False
    for name, shape in one.fields.items():
        tags, more = _values(shape), _values(other.fields.get(name))
        if tags and more and not tags & more:
            return True
    return False


def _values(shape: Shape | None) -> set[object]:
    while isinstance(shape, Described):
        shape = shape.shape
    return {written for written, _ in shape.written} if isinstance(shape, OneOf) else set()


def _bounds(
    at: str, notes: tuple[Any, ...], of: type, low: float, high: float
) -> tuple[float, float]:
    """The narrowest of all that is said."""
    for note in notes:
        if isinstance(note, of):
            if note.low != note.low or note.high != note.high:  # type: ignore[attr-defined]
                raise SchemaError(at, f"{note} has a bound that is no number", "write a number")
            low = max(low, low if note.low is None else note.low)  # type: ignore[attr-defined]
            high = min(high, high if note.high is None else note.high)  # type: ignore[attr-defined]
    if not low <= high:
        raise SchemaError(at, f"nothing is between {low} and {high}", "swap or widen the bounds")
    return low, high


def _lengths(at: str, notes: tuple[Any, ...], high: int) -> tuple[int, int]:
    """What a type says, and where it does not, what is usual."""
    said = [note for note in notes if isinstance(note, Length)]
    low = max([0, *(note.low for note in said)])
    highs = [note.high for note in said if note.high is not None]
    high = min(highs) if highs else max(high, low)
    if low > high:
        raise SchemaError(at, f"nothing is as long as {low} to {high}", "swap or widen the bounds")
    return low, high


def _takes(shape: Shape, note: Range | Length) -> bool:
    while isinstance(shape, Described):
        shape = shape.shape
    if isinstance(note, Range):
        return isinstance(shape, (Integer, Number))
    return isinstance(shape, (Text, Array, Map))


def _doc(of: type) -> str:
    """What a class says of itself; dataclasses and NamedTuples say something by themselves."""
    doc = of.__dict__.get("__doc__") or ""
    generated = doc.startswith(f"{of.__name__}(")
    return "" if generated else inspect.cleandoc(doc)


def _unsupported(at: str, of: Any) -> SchemaError:
    if isinstance(of, (str, typing.ForwardRef)):
        name = of if isinstance(of, str) else of.__forward_arg__
        hint = "write the type itself, or define it at the top of a module"
        return SchemaError(at, f"{name!r}, which is only the name of a type", hint)
    name = _name(of)
    return SchemaError(at, f"the type {name}", _INSTEAD.get(name, _ELSE))


def _name(of: Any) -> str:
    return str(getattr(of, "__name__", of))
