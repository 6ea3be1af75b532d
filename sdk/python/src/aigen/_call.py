"""One call: ask, read, check, ask again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Generic, Literal, TypeVar

from ._amount import ZERO, Amount
from ._client import AiGen, Completion
from ._errors import AiError, ApiError, Budget, Check, ClientError, Truncated, ai_error
from ._prompt import Prompt, prompt_of
from ._records import Reply
from ._shapes import Schema

T = TypeVar("T")

RETRIES = 2
"""How often a model is asked again after an answer that was not accepted."""
TOKENS = 1_024
"""Output tokens where the function says nothing."""

Verdict = str | bool | None
"""What a check says: a text or False refuses; the text is told to the model."""
Guarantee = Literal["decoder", "retry"]


@dataclass(frozen=True)
class Options:
    """What a function, or one call of it, says of how it is answered."""

    max_tokens: int = TOKENS
    temperature: float | None = None
    seed: int | None = None
    model: str | None = None
    controller: str | None = None
    params: Mapping[str, object] | None = None
    bill_to: str | None = None
    budget: Amount | None = None
    retries: int = RETRIES


@dataclass(frozen=True)
class Detailed(Generic[T]):
    """A value, and what it took."""

    value: T
    raw: str
    """As the model wrote it."""
    guarantee: Guarantee
    """`decoder`: no token was possible that leaves the type. `retry`: nobody promised it, and an
    answer that did not fit was asked for again."""
    receipts: tuple[Reply, ...]
    """One for each time the model was asked, the last for this value. Servers other than AiGen
    give none."""
    asked_again: int
    """How often the model was asked again, since an answer was not accepted."""
    sent_again: int
    """How often a request was sent again, since it did not arrive."""

    @property
    def cost(self) -> Amount:
        """What all answers together cost."""
        return spent(self.receipts)

    @property
    def receipt(self) -> Reply | None:
        """Of the answer that gave the value: `client.receipt(receipt_id(detailed))`. Servers other
        than AiGen give none."""
        return self.receipts[-1] if self.receipts else None


@dataclass(frozen=True)
class Call(Generic[T]):
    """A call that is not made yet: `value()` or `detailed()` makes it."""

    name: str
    instruction: str
    arguments: Mapping[str, object]
    schema: Schema
    options: Options = Options()
    client: AiGen | None = None
    judge: Callable[[T], Verdict] | None = None
    described: Mapping[str, str] = field(default_factory=dict)
    context: str = ""

    def on(self, client: AiGen) -> Call[T]:
        """Who answers; otherwise the server that `AIGEN_URL` and `AIGEN_KEY` name."""
        return replace(self, client=client)

    def budget(self, budget: Amount | str) -> Call[T]:
        """What the call may cost, however often the model is asked."""
        return self._with(budget=Amount.of(budget))

    def seed(self, seed: int) -> Call[T]:
        """Names the stream of chance."""
        return self._with(seed=seed)

    def model(self, model: str) -> Call[T]:
        """Which model answers; otherwise `AIGEN_MODEL`, or the server's first."""
        return self._with(model=model)

    def temperature(self, temperature: float) -> Call[T]:
        """0 to 2; 0 is the likeliest answer."""
        return self._with(temperature=temperature)

    def max_tokens(self, max_tokens: int) -> Call[T]:
        """Output tokens of one answer."""
        return self._with(max_tokens=max_tokens)

    def controller(self, controller: str) -> Call[T]:
        """A controller that steers instead of the type's schema, which its answer has to fit."""
        return self._with(controller=controller)

    def params(self, params: Mapping[str, object]) -> Call[T]:
        """What the controller is given; only with a controller."""
        return self._with(params=params)

    def bill_to(self, user: str) -> Call[T]:
        """Which user pays, by an allowance to the key's account, like `user:ada`; otherwise the
        key's account does."""
        return self._with(bill_to=user)

    def retries(self, retries: int) -> Call[T]:
        """How often a model is asked again after an answer that was not accepted."""
        return self._with(retries=retries)

    def check(self, check: Callable[[T], Verdict]) -> Call[T]:
        """Refuses values; what it says is told to the model, which is asked again."""
        return replace(self, judge=check)

    def _with(self, **changes: Any) -> Call[T]:
        return replace(self, options=replace(self.options, **changes))

    def prompt(self) -> Prompt:
        """The exact messages, without making the call."""
        return prompt_of(
            self.instruction, self.arguments, self.described, self.context, self.schema
        )

    def value(self) -> T:
        """Makes the call. Raises AiError."""
        return self.detailed().value

    def detailed(self) -> Detailed[T]:
        """Makes the call, and says what it took. Raises AiError."""
        talk = _Talk(self)
        try:
            return talk.until_accepted()
        except ClientError as error:
            failed = ai_error(error)
            failed.receipts = (*talk.receipts, *charged_all_the_same(error))
            failed.raw = failed.raw or talk.raw
            raise failed from error
        except AiError as error:
            error.receipts = tuple(talk.receipts)
            raise


class _Talk(Generic[T]):
    """What was said so far."""

    def __init__(self, call: Call[T]) -> None:
        self.call = call
        self.receipts: list[Reply] = []
        self.sent_again = 0
        self.raw = ""
        self.messages = call.prompt().messages()

    def until_accepted(self) -> Detailed[T]:
        client = self.call.client or AiGen()
        asked_again = 0
        while True:
            try:
                answer = self.ask(client)
                value = self.read(answer)
            except Check as refused:
                if asked_again >= self.call.options.retries:
                    raise
                asked_again += 1
                self.object(refused)
                continue
            receipts, guarantee = tuple(self.receipts), self.guarantee(answer)
            return Detailed(value, answer.text, guarantee, receipts, asked_again, self.sent_again)

    def ask(self, client: AiGen) -> Completion:
        try:
            answer = client.complete(self.request(client))
        except ApiError as error:
            raise self.unfit(error) from error
        self.sent_again += answer.sent_again
        self.raw = answer.text
        if answer.aigen is not None:
            self.receipts.append(answer.aigen)
        return answer

    def unfit(self, error: ApiError) -> ApiError | Check:
        """A model elsewhere said something that is not of the schema: the server says what."""
        raw = error.metadata.get("raw")
        if error.status != 502 or not isinstance(raw, str):
            return error
        self.receipts.extend(charged_all_the_same(error))
        self.raw = raw
        return Check(raw, error.message.removesuffix(error.hint or "").rstrip("; "))

    def request(self, client: AiGen) -> dict[str, object]:
        options = self.call.options
        request: dict[str, object] = {
            "model": options.model or client.model(),
            "messages": self.messages,
            "max_completion_tokens": options.max_tokens,
        }
        optional = {"temperature": options.temperature, "seed": options.seed}
        request.update((name, value) for name, value in optional.items() if value is not None)
        extension: dict[str, object] = {}
        if options.controller is not None:
            extension["controller"] = options.controller
        else:
            request["response_format"] = self.format()
        said = {"params": options.params, "bill_to": options.bill_to}
        extension.update((name, value) for name, value in said.items() if value is not None)
        if options.budget is not None:
            left = max(options.budget.nano - spent(self.receipts).nano, 0)
            extension["max_cost"] = str(Amount(left))
        return {**request, "aigen": extension} if extension else request

    def format(self) -> dict[str, object]:
        schema = {"name": self.call.name, "strict": True, "schema": self.call.schema.value}
        return {"type": "json_schema", "json_schema": schema}

    def read(self, answer: Completion) -> T:
        raw = answer.text
        if answer.aigen is not None and answer.aigen.stop == "budget":
            raise Budget("the answer was cut off where the money ended", raw)
        if answer.finish == "length":
            raise Truncated(raw)
        try:
            value: T = self.call.schema.read(raw)
        except (ValueError, RecursionError) as error:
            raise Check(raw, f"it is not JSON of the schema: {error}") from None
        self.judge(value, raw)
        return value

    def judge(self, value: T, raw: str) -> None:
        if self.call.judge is None:
            return
        try:
            verdict = self.call.judge(value)
        except Exception as error:
            why = f"the check itself raised {type(error).__name__}: {error}"
            raise Check(raw, why) from error
        if verdict is not None and verdict is not True:
            raise Check(raw, verdict or "the check says no")

    def guarantee(self, answer: Completion) -> Guarantee:
        said = answer.aigen
        steered = said is not None and said.grammar_complete is True and said.guarantee == "decoder"
        return "decoder" if steered and self.call.options.controller is None else "retry"

    def object(self, refused: Check) -> None:
        """Says what is wrong with an answer."""
        objection = f"That was not accepted: {refused.why}. Answer again."
        self.messages = [
            *self.messages,
            {"role": "assistant", "content": refused.raw},
            {"role": "user", "content": objection},
        ]


def charged_all_the_same(error: ClientError) -> tuple[Reply, ...]:
    """A call whose controller failed is charged for what was computed; its error says where."""
    metadata = error.metadata if isinstance(error, ApiError) else {}
    receipt, cost = metadata.get("receipt"), metadata.get("cost")
    if not isinstance(receipt, str) or not isinstance(cost, str):
        return ()
    return (Reply(receipt, Amount.of(cost)),)


def spent(receipts: tuple[Reply, ...] | list[Reply]) -> Amount:
    return reduce(lambda sum, reply: sum + reply.cost, receipts, ZERO)
