"""Calls on a real node: options, checks, budgets, errors, and what is refused at decoration."""

from __future__ import annotations

import datetime
import decimal
import enum
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Optional, TypeVar, Union

import aigen
from aigen import AiGen, Amount, Answer, Length, Range, ai_fn

CLIENT = AiGen()


class Polarity(enum.Enum):
    POSITIVE = "positive"
    NEGATIVE = "negative"


@dataclass
class Sentiment:
    """What a text feels like."""

    polarity: Polarity
    score: Annotated[int, Range(-5, 5), "how strong"]
    evidence: Annotated[list[Annotated[str, Length(1, 12)]], Length(high=2)]


@ai_fn(CLIENT, max_tokens=200, temperature=0.0)
def sentiment(text: Annotated[str, "the message to judge"], context: str = "none") -> Sentiment:
    """Judge the sentiment of `text`."""
    raise Answer(f"Today's context is {context}.")


@ai_fn
def of_environment(text: str) -> Annotated[int, Range(0, 9)]:
    """Give a number."""
    raise Answer


def test_a_call_and_its_receipt() -> None:
    detailed = sentiment.call("Great, it broke again.", context="a new phone").seed(7).detailed()
    assert isinstance(detailed.value, Sentiment) and isinstance(detailed.value.polarity, Polarity)
    assert detailed.guarantee == "decoder"
    assert (detailed.asked_again, detailed.sent_again) == (0, 0)
    assert detailed.receipt is not None and len(detailed.receipts) == 1
    receipt = CLIENT.receipt(aigen.receipt_id(detailed))
    assert receipt.id == aigen.receipt_id(detailed.receipt) == detailed.receipt.receipt
    assert receipt.total == detailed.cost == detailed.receipt.cost
    assert sum(line.amount.nano for line in receipt.lines) == receipt.total.nano
    assert sum(share.amount.nano for share in receipt.split) == receipt.total.nano
    again = sentiment.call("Great, it broke again.", context="a new phone").seed(7).detailed()
    assert again.raw == detailed.raw


def test_the_environment_names_the_client() -> None:
    assert 0 <= of_environment("three") <= 9


def test_the_prompt_is_known_without_a_call() -> None:
    before = CLIENT.account()
    prompt = sentiment.prompt("Great.", context="rain")
    assert prompt.system.startswith(
        "Judge the sentiment of `text`.\n`text` is the message to judge.\n\n"
        "Today's context is rain.\n\nAnswer in JSON of this schema:\n"
    )
    assert prompt.system.endswith(str(sentiment.schema()))
    assert prompt.user == "text:\nGreat.\n\ncontext:\nrain"
    assert of_environment.prompt("three").user == "three"
    assert sentiment.schema().value["properties"]["score"] == {
        "type": "integer", "minimum": -5, "maximum": 5, "description": "how strong",
    }  # fmt: skip
    assert CLIENT.account() == before


def test_map_keeps_the_order_and_the_errors() -> None:
    @ai_fn(CLIENT, temperature=0.0, check=lambda value, text: text != "bad", retries=0)
    def label(text: str) -> Polarity:
        """Label the text."""
        raise Answer

    values = label.map(["a", "bad", "b"], concurrency=3)
    assert [type(value) for value in values] == [Polarity, aigen.Check, Polarity]
    pairs = sentiment.map([("a", "rain"), ("b", "sun")], concurrency=2)
    assert all(isinstance(value, Sentiment) for value in pairs)


def test_shortcuts() -> None:
    assert aigen.classify("I love it", Polarity, CLIENT) in Polarity
    assert aigen.classify("I love it", ["yes", "no"], CLIENT, seed=1) in ("yes", "no")
    assert isinstance(aigen.extract(Sentiment, "It is fine.", CLIENT), Sentiment)
    assert isinstance(aigen.cast(Sentiment, {"mood": "fine"}, CLIENT, max_tokens=150), Sentiment)
    assert len(aigen.generate(Polarity, 3, CLIENT)) == 3
    assert "no option" in str(failure(lambda: aigen.extract(int, "1", CLIENT, tempo=3), TypeError))


def test_a_check_that_fails_is_told_and_asked_again() -> None:
    said: list[Sentiment] = []

    def never(value: Sentiment, text: str, context: str) -> str:
        assert (text, context) == ("Great.", "rain")
        said.append(value)
        return "it is too short"

    strict = ai_fn(CLIENT, max_tokens=200, check=never, retries=2)(undecorated)
    error = failure(lambda: strict("Great.", context="rain"), aigen.Check)
    assert error.why == "it is too short" and len(said) == 3
    assert strict.schema().read(error.raw) == said[-1]
    assert len(error.receipts) == 3
    assert len({receipt.receipt for receipt in error.receipts}) == 3


def undecorated(text: str, context: str) -> Sentiment:
    """Judge the sentiment."""
    raise Answer


def test_a_check_that_accepts_later_is_counted() -> None:
    verdicts = iter(["once more", False, None])
    call = of_environment.call("three").on(CLIENT).check(lambda _: next(verdicts))
    detailed = call.retries(2).detailed()
    assert detailed.asked_again == 2 and detailed.sent_again == 0
    assert len(detailed.receipts) == 3
    assert detailed.cost.nano == sum(receipt.cost.nano for receipt in detailed.receipts)


def test_a_check_that_raises() -> None:
    def broken(_: int) -> None:
        raise KeyError("x")

    call = of_environment.call("three").on(CLIENT).check(broken).retries(0)
    error = failure(call.value, aigen.Check)
    assert error.why == "the check itself raised KeyError: 'x'"
    assert isinstance(error.__cause__, KeyError) and error.raw.isdecimal()


def test_cut_off_by_max_tokens() -> None:
    @ai_fn(CLIENT, max_tokens=3)
    def long(text: str) -> Annotated[str, Length(200, 300)]:
        """Write a long text."""
        raise Answer

    error = failure(lambda: long("go"), aigen.Truncated)
    assert error.raw.startswith('"') and len(error.receipts) == 1
    assert "hint: raise max_tokens" in str(error)


def test_closed_before_the_tokens_or_the_money_end() -> None:
    @ai_fn(CLIENT, max_tokens=20, temperature=0.0)
    def words(text: str) -> Annotated[list[str], Length(low=3)]:
        """Name words."""
        raise Answer

    @ai_fn(CLIENT, max_tokens=20, temperature=0.0)
    def yes(text: str) -> bool:
        """Say whether it is true."""
        raise Answer

    early, short = words.call("one").detailed().receipt, yes.call("one").detailed().receipt
    assert early is not None and early.closed_early and early.grammar_complete
    assert short is not None and not short.closed_early


def test_no_money() -> None:
    poor = AiGen(key=os.environ["POOR_KEY"])
    error = failure(of_environment.call("three").on(poor).value, aigen.Budget)
    assert error.error is not None and error.error.status == 402
    assert error.error.code == error.error.reason == "insufficient_funds", vars(error.error)
    assert poor.account().available == Amount(0) and error.receipts == ()


def test_a_budget_bounds_all_answers_together() -> None:
    call = of_environment.call("three").on(CLIENT).check(lambda _: "no").retries(10)
    one = failure(call.retries(0).value, aigen.Check).receipts[0].cost
    # The prompt's prefix is cached by now, and what is held first is more than what is charged.
    budget = Amount(one.nano * 10)
    error = failure(call.budget(budget).value, aigen.Budget)
    assert sum(receipt.cost.nano for receipt in error.receipts) <= budget.nano
    assert len(error.receipts) >= 2 and error.raw
    tiny = failure(call.budget("0.000000001").value, aigen.Budget)
    assert tiny.error is not None and tiny.error.param == "aigen.max_cost"
    assert tiny.error.reason == "budget_exhausted"


def test_refused() -> None:
    error = failure(of_environment.call("three").model("no-such").value, aigen.Refused)
    assert (error.error.status, error.error.code) == (404, "model_not_found")
    error = failure(of_environment.call("three").controller("ada/none@1.0.0").value, aigen.Refused)
    assert error.error.code == "controller_not_found"
    unasked = of_environment.call("three").params({"text": "three"})
    assert failure(unasked.value, aigen.Refused).error.param == "aigen.params"
    stranger = of_environment.call("three").bill_to("user:nobody")
    assert failure(stranger.value, aigen.Refused).error.code == "allowance_unknown"
    wrong = AiGen(key="aigen_wrong")
    assert failure(of_environment.call("three").on(wrong).value, aigen.Refused).error.status == 401


def test_arguments_without_json() -> None:
    @ai_fn(CLIENT)
    def number(what: object) -> int:
        """Give a number."""
        raise Answer

    error = failure(lambda: number(decimal.Decimal(1)), aigen.ArgumentError)
    assert str(error).startswith("the argument `what` has no JSON: Decimal is nothing")
    assert failure(lambda: number(float("nan")), aigen.ArgumentError).name == "what"
    error = failure(lambda: of_environment(5), aigen.ArgumentError)  # type: ignore[arg-type]
    assert str(error) == "the argument `text` is no str: 5 is int"
    assert repr(number.schema()) == f"Schema({number.schema()})"
    assert number.prompt({"a": (1, {Polarity.NEGATIVE})}).user == '{"a":[1,["negative"]]}'


@dataclass
class Endless:
    again: Endless


@dataclass
class Left:
    x: int


@dataclass
class Right:
    y: int


@dataclass
class Missing:
    there: "NotThere"  # type: ignore[name-defined]  # noqa: F821


UNSUPPORTED: list[tuple[Any, str, str]] = [
    (Any, "$: the type Any", "say what it is"),
    (list[Any], "$[]: the type Any", "say what it is"),
    (decimal.Decimal, "$: the type Decimal", "smallest unit"),
    (datetime.date, "$: the type date", "no 31st"),
    (dict[str, bytes], "$.*: the type bytes", "use str"),
    (complex, "$: the type complex", "tuple[float, float]"),
    (list, "$: the type list", "list[str]"),
    (dict[Polarity, int], "a dict whose keys are Polarity", "str or int"),
    (Endless, "no finite value", "Optional or a list"),
    (Union[Left, Right], "alternatives that are both object", "Literal"),
    (Union[int, float], "alternatives that are both number", "float holds every int"),
    (
        Optional[Annotated[int, Length(1)]],
        "Length(low=1, high=None) beside int",
        "Range is for int",
    ),
    (Annotated[str, Range(1, 2)], "beside str", "Length for str"),
    (Annotated[int, Range(3, 1)], "nothing is between 3 and 1", "swap or widen"),
    (Annotated[int, Range(0.5, 1)], "an int between 0.5 and 1", "whole numbers"),
    (Annotated[str, Length(3, 1)], "nothing is as long as 3 to 1", "swap or widen"),
    (Annotated[set[int], Length(2)], "a set of at least 2", "use a list"),
    (Annotated[dict[str, int], Length(2)], "a dict of at least 2", "list of pairs"),
    (Literal[b"x"], "the Literal b'x'", "use texts"),
    (Missing, "names a type that is not there", "top of a module"),
    (object, "$: the type object", "say what it is"),
    (Callable[[], int], "the type ", "use a dataclass"),
    (set[Left], "a set of Left, which Python cannot put into one", "a frozen dataclass"),
    (frozenset[list[int]], "a set of list, which Python", "use a list"),
    (set[tuple[int, dict[str, int]]], "a set of tuple, which Python", "use a list"),
    (Annotated[float, Range(float("nan"), 1)], "a bound that is no number", "write a number"),
]


def test_a_type_that_is_named_only_is_told_so() -> None:
    error = failure(lambda: aigen.schema_of(list["NotThere"]), aigen.SchemaError)  # type: ignore[name-defined]  # noqa: F821
    assert "'NotThere', which is only the name of a type" in str(error)


def test_unsupported_types_are_refused_at_decoration() -> None:
    for of, what, hint in UNSUPPORTED:

        def function(text: str) -> Any:
            """Something."""

        function.__annotations__["return"] = of
        error = failure(lambda: ai_fn(CLIENT)(function), aigen.SchemaError)  # noqa: B023
        assert what in str(error), (of, str(error))
        assert hint in error.hint, (of, str(error))


def test_signatures_that_say_too_little() -> None:
    def no_docstring(text: str) -> int:
        raise Answer

    def no_type(text):  # type: ignore[no-untyped-def]
        """Something."""

    async def later(text: str) -> int:
        """Something."""
        raise Answer

    assert "is async" in str(failure(lambda: ai_fn(later), aigen.Setup))
    assert "neither a client" in str(failure(lambda: ai_fn("x"), TypeError))  # type: ignore[call-overload]
    assert "no labels" in str(failure(lambda: aigen.classify("x", "yes", CLIENT), TypeError))
    assert "has no docstring" in str(failure(lambda: ai_fn(no_docstring), aigen.Setup))
    assert "has no return type" in str(failure(lambda: ai_fn(no_type), aigen.SchemaError))

    @ai_fn
    def returns(text: str) -> int:
        """Something."""
        return 3

    assert "raise Answer(context)" in str(failure(lambda: returns("x"), aigen.Setup))


E = TypeVar("E", bound=Exception)


def failure(act: Callable[[], object], of: type[E]) -> E:
    try:
        value = act()
    except of as error:
        return error
    raise AssertionError(f"{value!r} instead of {of.__name__}")
