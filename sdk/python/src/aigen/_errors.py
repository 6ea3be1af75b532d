"""What can go wrong, in the words of the server and of the Rust twin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._records import Reply


class ClientError(Exception):
    """A request that has no answer."""


class SetupError(ClientError):
    """The client cannot begin: a wrong address, no model."""


class TransportError(ClientError):
    """The server was not reached, or its reply was cut, every time."""

    def __init__(self, why: str, sent: int, hint: str = "") -> None:
        self.why, self.sent, self.hint = why, sent, hint
        said = f"{why} (sent {sent} times)" if sent > 1 else why
        super().__init__(f"{said}\nhint: {hint}" if hint else said)


class ShapeError(ClientError):
    """A reply that is none of AiGen's."""


class ApiError(ClientError):
    """The server's own error, field by field. `request_id` names the request in its log."""

    def __init__(
        self, status: int, envelope: Mapping[str, object], request_id: str | None = None
    ) -> None:
        def text(name: str) -> str | None:
            value = envelope.get(name)
            return value if isinstance(value, str) else None

        metadata = envelope.get("metadata")
        self.status, self.request_id = status, request_id
        self.message: str = text("message") or f"the server answered {status}"
        self.type: str = text("type") or "unknown"
        self.code = text("code")
        self.param = text("param")
        self.hint = text("hint")
        self.metadata: dict[str, object] = dict(metadata) if isinstance(metadata, dict) else {}
        super().__init__(self._shown())

    @property
    def reason(self) -> str | None:
        """The refusal behind it, like `budget_exhausted`; docs/refusals.md lists all."""
        reason = self.metadata.get("reason")
        return reason if isinstance(reason, str) else None

    def _shown(self) -> str:
        # The server ends its messages with the way out, for clients that show nothing else.
        if self.hint is None or self.message.endswith(self.hint):
            return self.message
        return f"{self.message}\nhint: {self.hint}"


class AiError(Exception):
    """Why an AI function has no value. What a model said is never lost."""

    raw: str = ""
    """As far as the last answer had come."""
    receipts: tuple[Reply, ...] = ()
    """What was charged all the same: one for each answer."""


class Budget(AiError):
    """The money, or the call's budget, does not reach."""

    def __init__(self, reason: str, raw: str = "", error: ApiError | None = None) -> None:
        self.reason, self.raw, self.error = reason, raw, error
        super().__init__(f"the budget does not reach: {reason}")


class Refused(AiError):
    """The server does not do this: another model, controller or request may."""

    def __init__(self, error: ApiError) -> None:
        self.error = error
        super().__init__(f"refused: {error}")


class Truncated(AiError):
    """The answer is longer than it may be."""

    def __init__(self, raw: str) -> None:
        self.raw = raw
        super().__init__("the answer was cut off\nhint: raise max_tokens, or ask for less")


class Check(AiError):
    """Every answer was refused by the check, or was none of this type."""

    def __init__(self, raw: str, why: str) -> None:
        self.raw, self.why = raw, why
        super().__init__(f"no answer was accepted: {why}")


class Transport(AiError):
    """The server was not reached, or failed, every time."""

    def __init__(self, error: ClientError) -> None:
        self.error = error
        super().__init__(str(error))


class SchemaError(AiError, TypeError):
    """The return type cannot be promised."""

    def __init__(self, path: str, what: str, hint: str) -> None:
        self.path, self.what, self.hint = path, what, hint
        super().__init__(f"the return type cannot be promised: {path}: {what}\nhint: {hint}")


class ArgumentError(AiError, TypeError):
    """An argument has no JSON, or is of another type than its parameter."""

    def __init__(self, name: str, why: str, what: str = "has no JSON") -> None:
        self.name, self.why = name, why
        super().__init__(f"the argument `{name}` {what}: {why}")


class Setup(AiError):
    """There is nothing to call."""


def ai_error(error: ClientError) -> AiError:
    """What an AI function says of it."""
    if isinstance(error, SetupError):
        return Setup(str(error))
    if isinstance(error, ApiError):
        if error.status == 402:
            return Budget(error.message, error=error)
        if 400 <= error.status <= 428:
            return Refused(error)
    return Transport(error)
