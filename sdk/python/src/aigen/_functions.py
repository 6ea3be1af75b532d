"""AI functions: a signature and a docstring."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import update_wrapper
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    ParamSpec,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
    overload,
)
from typing import cast as typed

from ._amount import Amount
from ._call import RETRIES, TOKENS, Call, Options, Verdict
from ._client import AiGen
from ._errors import AiError, ArgumentError, SchemaError, Setup
from ._prompt import Prompt
from ._shapes import Array, Schema, Shape
from ._types import schema_of

P = ParamSpec("P")
T = TypeVar("T")
Checks = Callable[..., Verdict]
"""Of the value, and then the function's arguments."""


class Answer(Exception):
    """What the body of an AI function raises: the model answers, and reads `context` before."""

    def __init__(self, context: str = "") -> None:
        self.context = context
        super().__init__(
            "an AI function's body ran outside of a call\nhint: decorate it with @ai_fn"
        )


class AiFunction(Generic[P, T]):
    """A function that a model computes. Calling it makes a call; `call` says more about one."""

    def __init__(
        self,
        function: Callable[P, T],
        options: Options,
        client: AiGen | None = None,
        check: Checks | None = None,
    ) -> None:
        self._function, self._options, self._client, self._check = function, options, client, check
        self._signature = inspect.signature(function)
        if inspect.iscoroutinefunction(function):
            hint = "write def; in a coroutine, await asyncio.to_thread(f, …)"
            raise Setup(f"{function.__name__} is async, and calls are synchronous\nhint: {hint}")
        self._instruction = _instruction(function)
        hints = _hints(function)
        self._schema = schema_of(_returned(function, hints))
        self._described = {name: _described(hint) for name, hint in hints.items()}
        self._plain = _plain(self._signature, hints)
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.call(*args, **kwargs).value()

    def call(self, *args: P.args, **kwargs: P.kwargs) -> Call[T]:
        """A call to say more about, before `value()` or `detailed()` makes it."""
        bound = self._signature.bind(*args, **kwargs)
        for name, of in self._plain.items():
            _must_be(name, of, bound.arguments)
        bound.apply_defaults()
        check, judge = self._check, None
        if check is not None:

            def judge(value: T) -> Verdict:
                return check(value, *args, **kwargs)

        return Call(
            name=self._function.__name__,
            instruction=self._instruction,
            arguments=bound.arguments,
            schema=self._schema,
            options=self._options,
            client=self._client,
            judge=judge,
            described=self._described,
            context=self._context(*args, **kwargs),
        )

    def prompt(self, *args: P.args, **kwargs: P.kwargs) -> Prompt:
        """The exact messages, without a call."""
        return self.call(*args, **kwargs).prompt()

    def schema(self) -> Schema:
        """What the decoder enforces: `.value` as JSON."""
        return self._schema

    def map(self, items: Iterable[Any], concurrency: int = 8) -> list[T | AiError]:
        """One call for each, in their order, some at a time; a tuple is several arguments. One
        that fails does not stop the others: its error stands in its place."""
        with ThreadPoolExecutor(max(concurrency, 1)) as pool:
            return list(pool.map(self._one, items))

    def _one(self, item: Any) -> T | AiError:
        several = isinstance(item, tuple) and len(self._signature.parameters) > 1
        call = typed("Callable[..., T]", self)
        try:
            return call(*item) if several else call(item)
        except AiError as error:
            return error

    def _context(self, *args: P.args, **kwargs: P.kwargs) -> str:
        try:
            said = self._function(*args, **kwargs)
        except Answer as answer:
            return answer.context
        if said is None or said is Ellipsis:
            return ""
        name = self._function.__name__
        raise Setup(
            f"the body of {name} returned {said!r}\nhint: let it `raise Answer(context)`, or be `...`"
        )


@overload
def ai_fn(function: Callable[P, T], /) -> AiFunction[P, T]: ...


@overload
def ai_fn(
    client: AiGen | None = None,
    /,
    *,
    max_tokens: int = TOKENS,
    temperature: float | None = None,
    seed: int | None = None,
    model: str | None = None,
    controller: str | None = None,
    params: Mapping[str, object] | None = None,
    bill_to: str | None = None,
    budget: Amount | str | None = None,
    retries: int = RETRIES,
    check: Checks | None = None,
) -> Callable[[Callable[P, T]], AiFunction[P, T]]: ...


def ai_fn(
    first: Any = None,
    /,
    *,
    check: Checks | None = None,
    budget: Amount | str | None = None,
    **options: Any,
) -> Any:
    """Makes an AI function of a typed signature with a docstring.

    `check` is a function of the value and the arguments: None or True accept; a text, which is
    told to the model, or False refuse. `budget` in AIGEN bounds each call, however often the model
    is asked. `retries` counts answers that were not accepted, never what did not arrive.
    Raises SchemaError if the return type cannot be promised.
    """
    said = Options(**options, budget=None if budget is None else Amount.of(budget))
    if first is not None and not isinstance(first, AiGen):
        if not callable(first):
            raise TypeError(f"{first!r} is neither a client nor a function")
        return AiFunction(first, said)
    return lambda function: AiFunction(function, said, first, check)


@overload
def classify(text: str, labels: type[T], client: AiGen | None = None, **options: Any) -> T: ...
@overload
def classify(
    text: str, labels: Sequence[str], client: AiGen | None = None, **options: Any
) -> str: ...
def classify(text: str, labels: Any, client: AiGen | None = None, **options: Any) -> Any:
    """Which label fits a text: members of an Enum, or texts."""
    if isinstance(labels, str) or not labels:
        raise TypeError(f"{labels!r} are no labels\nhint: an Enum, or a list of texts")
    of = labels if isinstance(labels, type) else Literal[tuple(labels)]
    said = "Say which label fits the text best."
    return _shortcut("classify", said, text, schema_of(of), client, options)


def extract(of: type[T], text: str, client: AiGen | None = None, **options: Any) -> T:
    """The `of` that a text tells of."""
    said = "Extract from the text what the schema asks for. Say only what the text says."
    return typed("T", _shortcut("extract", said, text, schema_of(of), client, options))


def cast(of: type[T], value: object, client: AiGen | None = None, **options: Any) -> T:
    """Something as an `of` that means the same."""
    said = "Say the same in the form that the schema asks for."
    return typed("T", _shortcut("cast", said, value, schema_of(of), client, options))


def generate(of: type[T], count: int, client: AiGen | None = None, **options: Any) -> list[T]:
    """So many different values; what the type's docstring says is what they are about."""
    said = "Think of as many different and realistic examples as are asked for."
    shape = Array(_shape_of(of), count, count, list)
    call: Call[list[T]] = Call("generate", said, {"count": count}, Schema(shape))
    return _with(call, client, options).value()


def _shape_of(of: Any) -> Shape:
    return schema_of(of).shape


def _shortcut(
    name: str,
    said: str,
    value: object,
    schema: Schema,
    client: AiGen | None,
    options: dict[str, Any],
) -> Any:
    call: Call[Any] = Call(name, said, {"value": value}, schema, Options(temperature=0.0))
    return _with(call, client, options).value()


def _with(call: Call[T], client: AiGen | None, options: dict[str, Any]) -> Call[T]:
    """Options are the names of Call's methods."""
    for name, value in options.items():
        if name not in (*Options.__dataclass_fields__, "check"):
            raise TypeError(
                f"{name!r} is no option\nhint: {', '.join(Options.__dataclass_fields__)}, check"
            )
        call = getattr(call, name)(value)
    return call if client is None else call.on(client)


def _instruction(function: Callable[..., object]) -> str:
    instruction = inspect.getdoc(function)
    if not instruction:
        name = function.__name__
        raise Setup(
            f"{name} has no docstring\nhint: say in it what the function does; the model reads it"
        )
    return instruction


def _hints(function: Callable[..., object]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as unknown:
        hint = "define the types that it names before it, at the top of a module"
        raise SchemaError(
            "$", f"{function.__name__} names a type that is not there: {unknown}", hint
        ) from None


def _returned(function: Callable[..., object], hints: dict[str, Any]) -> Any:
    if "return" not in hints:
        hint = "say what it returns: -> str"
        raise SchemaError("$", f"{function.__name__} has no return type", hint)
    return hints["return"]


_PLAIN: dict[Any, tuple[type, ...]] = {
    str: (str,),
    bool: (bool,),
    int: (int,),
    float: (int, float),
}


def _plain(signature: inspect.Signature, hints: dict[str, Any]) -> dict[str, Any]:
    """The parameters that take one value of a plain type. What others take, mypy knows best."""
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    alone = (name for name, one in signature.parameters.items() if one.kind not in several)
    of = {name: hints.get(name) for name in alone}
    bare = {
        name: get_args(hint)[0] if get_origin(hint) is Annotated else hint
        for name, hint in of.items()
    }
    # By identity: a hint need not be hashable.
    return {name: hint for name, hint in bare.items() if any(hint is one for one in _PLAIN)}


def _must_be(name: str, of: Any, arguments: Mapping[str, object]) -> None:
    """A bool is no number, though Python counts it as one. Raises ArgumentError."""
    if name not in arguments:
        return
    value = arguments[name]
    fits = isinstance(value, _PLAIN[of]) and (of is bool or not isinstance(value, bool))
    if not fits:
        raise ArgumentError(name, f"{value!r} is {type(value).__name__}", f"is no {of.__name__}")


def _described(hint: Any) -> str:
    """The text beside a parameter's type: `Annotated[str, "the message to judge"]`."""
    notes = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return " ".join(note for note in notes if isinstance(note, str))
