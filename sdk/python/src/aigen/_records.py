"""What the server tells of money: frozen, and in exact amounts.

Fields that this version does not know are left aside, so that a newer server can be read.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from ._amount import Amount
from ._errors import ShapeError

R = TypeVar("R")


@dataclass(frozen=True)
class TokenUsage:
    """Tokens of calls, each counted once, by what it is charged as."""

    prompt_tokens: int
    cached_prompt_tokens: int
    sampled_tokens: int
    forced_tokens: int
    discarded_tokens: int


@dataclass(frozen=True)
class ChargeLine:
    """So many of `kind` at that price: per 1,000,000 tokens; per request, row, hit or download."""

    kind: str
    quantity: int
    unit_price: Amount
    amount: Amount


@dataclass(frozen=True)
class Share:
    """One payee's part; `role` is `provider`, `controller`, `validators`, `protocol` or `app`."""

    to: str
    role: str
    amount: Amount


@dataclass(frozen=True)
class Correction:
    """What was given back of a call; `at` in nanoseconds of ledger time."""

    id: str
    kind: str
    reason: str
    amount: Amount
    at: int
    journal_seq: int


@dataclass(frozen=True)
class Steering:
    """What steering a call came to."""

    fuel: int
    controller_micros: int
    decisions: str
    hidden_tokens: int
    unkept_tokens: int
    branches: int
    fault: str | None = None


@dataclass(frozen=True)
class RowRange:
    """Rows that follow one another: the first, by its number from 0, and how many."""

    first: int
    count: int


@dataclass(frozen=True)
class DatasetRead:
    """What was read of a dataset, by a call or on its own; `earned` is the provider's."""

    dataset: str
    purpose: str
    """`read`, `completion`, `controller` or `download`."""
    rows: int
    hits: int
    ranges: tuple[RowRange, ...]
    fee: Amount
    provider: str
    earned: Amount
    columns: tuple[str, ...] = ()
    """Which columns; all where empty."""


@dataclass(frozen=True, kw_only=True)
class Charged:
    """What every receipt says of money. Amounts of `lines` add up to `total`, those of `split` to
    `total` and `margin`."""

    id: str
    lines: tuple[ChargeLine, ...]
    total: Amount
    margin: Amount
    """What the app added for itself; the payer paid both."""
    payer: str
    spender: str
    split: tuple[Share, ...]
    created: int
    """When the call began, or the read was paid, in nanoseconds of ledger time."""
    journal_seq: int
    budgets: tuple[str, ...] = ()
    corrections: tuple[Correction, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReadReceipt(Charged):
    """What a read of a dataset outside of calls came to."""

    kind: str
    """`dataset_read`."""
    read: DatasetRead


@dataclass(frozen=True, kw_only=True)
class Receipt(Charged):
    """What one call used, what it cost and who was paid."""

    model: str
    model_digest: str
    usage: TokenUsage
    finish: str
    steering: Steering
    controller: str | None = None
    controller_digest: str | None = None
    reads: tuple[DatasetRead, ...] = ()
    """The rows of datasets that went into it."""


@dataclass(frozen=True)
class Account:
    """What an account owns: `available` is `posted` less `held`."""

    address: str
    available: Amount
    held: Amount
    posted: Amount


@dataclass(frozen=True)
class Usage:
    """Calls that ended, summed up over what was not asked for by `by`; where `kind` is
    `dataset_read`, rows that were read outside of calls."""

    account: str
    calls: int
    usage: TokenUsage
    charged: Amount
    given_back: Amount
    day: str | None = None
    spender: str | None = None
    model: str | None = None
    controller: str | None = None
    kind: str | None = None
    dataset: str | None = None
    reads: int = 0
    rows: int = 0


@dataclass(frozen=True)
class Controller:
    """A published controller; `score` in parts per million, none before its first settlement."""

    reference: str
    digest: str
    description: str
    published_at: int
    """In nanoseconds of ledger time."""
    score: int | None = None
    standing: str = "current"
    reason: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelPrice:
    """Per 1,000,000 tokens, and per request."""

    input_per_million: Amount
    cached_input_per_million: Amount
    output_per_million: Amount
    per_request: Amount


@dataclass(frozen=True)
class ModelInfo:
    """`control` is how closely a controller can steer it: `token`, `schema` or `text`."""

    digest: str
    context_tokens: int
    control: str
    engine: str
    price: ModelPrice


@dataclass(frozen=True)
class Model:
    """What a request can name as `model`."""

    id: str
    owned_by: str
    aigen: ModelInfo | None = None


@dataclass(frozen=True)
class Reply:
    """The `aigen` object of an answer: what it cost and who made it."""

    receipt: str
    cost: Amount
    journal_seq: int | None = None
    stop: str | None = None
    controller: str | None = None
    grammar_complete: bool | None = None
    closed_early: bool = False
    """`max_tokens` or the money was about to end: the value is whole, and would have gone on."""
    guarantee: str | None = None
    """Who held the answer to its form: `decoder`, or `retry` where a model elsewhere was read."""


def record(of: type[R], value: object) -> R:
    """Reads one; raises ShapeError where a field is missing or of another type."""
    read: R = _read(of, value, of.__name__)
    return read


def records(of: type[R], body: Mapping[str, object]) -> tuple[R, ...]:
    """Reads the list under `data`."""
    read: tuple[R, ...] = _read(tuple[of, ...], body.get("data"), "data")  # type: ignore[valid-type]
    return read


def _read(of: Any, value: Any, at: str) -> Any:
    if is_dataclass(of) and isinstance(value, dict):
        hints = get_type_hints(of)
        read = {f.name: _field(f, hints[f.name], value, at) for f in fields(of)}
        return of(**read)  # type: ignore[operator]
    if get_origin(of) is tuple and isinstance(value, list):
        return tuple(_read(get_args(of)[0], item, f"{at}[{n}]") for n, item in enumerate(value))
    if get_origin(of) in (Union, types.UnionType):
        return None if value is None else _read(get_args(of)[0], value, at)
    if isinstance(of, type) and type(value) is of:
        return value
    raise ShapeError(
        f"{at} is not what it should be: {value!r}\nhint: is this package older than the server?"
    )


def _field(field: Any, of: Any, value: Mapping[str, Any], at: str) -> Any:
    at = f"{at}.{field.name}"
    if of is Amount:
        return _amount(value, field.name, at)
    if field.name in value:
        return _read(of, value[field.name], at)
    if field.default is not MISSING:
        return field.default
    raise ShapeError(f"{at} is missing\nhint: is this an AiGen server?")


def _amount(value: Mapping[str, Any], name: str, at: str) -> Amount:
    """In whole nano where it is there, else in AIGEN; both are exact."""
    nano, aigen = value.get(f"{name}_nano"), value.get(name)
    if isinstance(nano, str) and nano.isascii() and nano.isdecimal():
        return Amount(int(nano))
    try:
        return Amount.of(aigen)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ShapeError(f"{at} is no amount: {nano or aigen!r}") from None
