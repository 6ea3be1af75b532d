"""One request over HTTP, sent again where it did not arrive.

A reply reaches the caller whole or not at all. Nothing of it has therefore been seen when a
request is sent again, and the same `Idempotency-Key` makes both of them one: the server gives the
same answer and charges once.
"""

from __future__ import annotations

import http.client
import json
import random
import secrets
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from ._errors import ApiError, ClientError, ShapeError, TransportError

_PASSING = frozenset({408, 429, 502, 503, 504})
_NOT_THERE = "start one with `aigen dev`, or name one: AIGEN_URL"
_WAIT_MAX = 30.0
"""Seconds that a server's `retry-after` is followed."""


@dataclass(frozen=True)
class Arrived:
    """A reply, and how often the request was sent again before it."""

    body: dict[str, object]
    sent_again: int


@dataclass(frozen=True)
class Wire:
    """Where requests go, and how patiently."""

    root: str
    key: str
    timeout: float
    """Seconds without a byte, of connecting and of reading."""
    sends_again: int
    pause: float
    """Seconds before a request is sent again, twice as long each time; half to one and a half
    times that, so that many clients do not come back at once."""

    def get(self, path: str) -> Arrived:
        return self._until_it_arrives(self._request(path, None, None))

    def post(self, path: str, body: object, idempotency_key: str | None = None) -> Arrived:
        key = idempotency_key or secrets.token_hex(16)
        return self._until_it_arrives(self._request(path, body, key))

    def _request(self, path: str, body: object, key: str | None) -> urllib.request.Request:
        headers = {"accept": "application/json"}
        if self.key:
            headers["authorization"] = f"Bearer {self.key}"
        if key is not None:
            headers["content-type"] = "application/json"
            headers["idempotency-key"] = key
        data = None if key is None else json.dumps(body).encode()
        return urllib.request.Request(self.root + path, data, headers)

    def _until_it_arrives(self, request: urllib.request.Request) -> Arrived:
        for sent_again in range(self.sends_again + 1):
            try:
                return Arrived(_send(request, self.timeout), sent_again)
            except _Failed as failed:
                if not failed.passes or sent_again == self.sends_again:
                    raise failed.error(sent_again + 1, self.root) from failed.cause
                time.sleep(wait(self.pause, sent_again, failed.retry_after))
        raise AssertionError("the last sending returns or raises")


def wait(pause: float, sent_again: int, retry_after: float) -> float:
    """Seconds until a request is sent again: what the server asks for, and never less than usual."""
    usual: float = pause * 2.0**sent_again * random.uniform(0.5, 1.5)
    return max(usual, min(retry_after, _WAIT_MAX))


class _Failed(Exception):
    def __init__(self, cause: Exception, passes: bool, retry_after: float = 0.0) -> None:
        self.cause, self.passes, self.retry_after = cause, passes, retry_after

    def error(self, sent: int, root: str) -> ClientError:
        if isinstance(self.cause, ClientError):
            return self.cause
        why = getattr(self.cause, "reason", self.cause)
        text = str(why) or type(why).__name__
        return TransportError(f"no server was reached at {root}: {text}", sent, _NOT_THERE)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A key is not carried to another place, and a POST does not become a GET."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def _send(request: urllib.request.Request, timeout: float) -> dict[str, object]:
    try:
        with _OPENER.open(request, timeout=timeout) as reply:
            body = reply.read()
    except urllib.error.HTTPError as refused:
        raise _refusal(refused) from None
    except (OSError, http.client.HTTPException) as error:
        raise _Failed(error, passes=True) from None
    read = _object(body)
    if read is None:
        raise _Failed(
            ShapeError("the reply is no JSON object\nhint: is this an AiGen server?"), False
        )
    return read


def _refusal(reply: urllib.error.HTTPError) -> _Failed:
    try:
        with reply:
            envelope = (_object(reply.read()) or {}).get("error")
    except (OSError, http.client.HTTPException):
        envelope = None
    headers, fields = reply.headers, envelope if isinstance(envelope, dict) else {}
    error = ApiError(reply.code, fields, headers.get("x-request-id"))
    passes = reply.code in _PASSING or error.code == "idempotency_in_progress"
    # Where the server knows better it says so: what failed and was charged is final.
    advice = headers.get("x-should-retry")
    passes = passes if advice is None else advice == "true"
    return _Failed(error, passes, _seconds(headers.get("retry-after")))


def _seconds(text: str | None) -> float:
    """What `retry-after` says in seconds; a date is left aside."""
    return float(text) if text is not None and text.isdecimal() else 0.0


def _object(body: bytes) -> dict[str, object] | None:
    try:
        read: object = json.loads(body)
    except ValueError:
        return None
    return read if isinstance(read, dict) else None
