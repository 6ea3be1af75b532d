"""Typed AI functions of an AiGen node. Written by `aigen gen python`: change the functions, not this file.

It needs Python 3.11 and nothing else.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, NotRequired, TypeAlias, TypedDict, TypeVar, Union, cast

Value = TypeVar("Value")


class Options(TypedDict, total=False):
    """How a function is computed and paid."""

    model: str
    seed: int
    temperature: float
    max_tokens: int
    max_cost: str
    end_user: str
    bill_to: str


class Receipt(TypedDict):
    """What a value took. `cost` is in AIGEN."""

    id: str
    cost: str
    guarantee: Literal["decoder", "retry"]
    function: str
    function_digest: str
    model: str
    journal_seq: int
    usage: dict[str, Any]
    closed_early: NotRequired[bool]
    asked_before: NotRequired[list[str]]


@dataclass(frozen=True)
class Reply(Generic[Value]):
    """A value, and what it took."""

    value: Value
    receipt: Receipt


class FunctionError(Exception):
    """Why there is no value; status 0 where no node was reached. `metadata` has a cut answer under `raw`, and the
    receipt of what was charged."""

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        super().__init__(str(error.get("message", f"status {status}")))
        self.status = status
        self.code: str | None = error.get("code")
        self.hint: str | None = error.get("hint")
        self.param: str | None = error.get("param")
        self.metadata: Mapping[str, Any] = error.get("metadata") or {}


class Client:
    """A node, with or without the final /v1; without arguments that of AIGEN_URL, asked with AIGEN_KEY."""

    def __init__(self, url: str | None = None, key: str | None = None, timeout: float = 600.0) -> None:
        url = url or os.environ.get("AIGEN_URL") or "http://127.0.0.1:8000"
        self.url = url.rstrip("/").removesuffix("/v1")
        self.key = key if key is not None else os.environ.get("AIGEN_KEY", "")
        self.timeout = timeout

    def call(
        self,
        function: str,
        input: Mapping[str, Any],
        options: Options | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Reply[Any]:
        """Any function by its name. Two calls with one idempotency key are one, and charged once."""
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.key}"}
        if idempotency_key is not None:
            headers["idempotency-key"] = idempotency_key
        body = json.dumps({"input": input, "aigen": options or {}}).encode()
        request = urllib.request.Request(f"{self.url}/v1/functions/{function}", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:
                reply = json.load(response)
        except urllib.error.HTTPError as failed:
            raise FunctionError(failed.code, _error(failed.read())) from None
        except OSError as failed:
            why = getattr(failed, "reason", failed)
            hint = "start a node with `aigen dev`, or name one: AIGEN_URL"
            told = {"message": f"no node was reached at {self.url}: {why}\nhint: {hint}", "hint": hint}
            raise FunctionError(0, told) from failed
        return Reply(reply["value"], cast(Receipt, reply["receipt"]))


def _error(body: bytes) -> Mapping[str, Any]:
    try:
        error = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return {"message": body.decode(errors="replace")}
    return cast("Mapping[str, Any]", error)
