"""A client for what OpenAI's has no words for."""

from __future__ import annotations

import os
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._errors import SetupError, ShapeError
from ._records import Account, Controller, Model, ReadReceipt, Receipt, Reply, Usage, record, records
from ._transport import Wire

_LOCAL = "http://127.0.0.1:8000"
"""Where `aigen dev` answers unless it is told another port."""
_HINT = "hint: write it like http://127.0.0.1:8000"


@dataclass(frozen=True)
class Completion:
    """An answer of chat completions."""

    text: str
    finish: str
    aigen: Reply | None
    """Servers other than AiGen give none."""
    body: dict[str, object]
    """All of it."""
    sent_again: int


class AiGen:
    """A server and a key. It holds no connection and may be used from many threads.

    `base_url` with or without `/v1`; else `AIGEN_URL`, else the node that runs on the data folder
    (`AIGEN_DATA_DIR`, else `data_dir` of `aigen.toml`, else `.aigen`), else this machine's port
    8000. `key`, else `AIGEN_KEY`; of a server on this machine else the key that `aigen dev` left in
    the data folder. `timeout` in seconds without a byte. A request that did not arrive is sent again
    `sends_again` times, the first time after about `pause` seconds.
    """

    def __init__(
        self,
        base_url: str | None = None,
        key: str | None = None,
        *,
        timeout: float = 600.0,
        sends_again: int = 3,
        pause: float = 0.2,
    ) -> None:
        root = _root(base_url or os.environ.get("AIGEN_URL") or _running() or _LOCAL)
        key = key if key is not None else os.environ.get("AIGEN_KEY")
        key = key if key is not None else _key_of_dev(root)
        if not key.isascii() or not key.isprintable():
            raise SetupError("the key is not one\nhint: it is ASCII, on one line")
        if sends_again < 0 or timeout <= 0 or pause < 0:
            raise SetupError("timeout is more than zero; sends_again and pause are not below it")
        self._wire = Wire(root, key, timeout, sends_again, pause)
        self._model: str | None = None

    def __repr__(self) -> str:
        return f"AiGen({self._wire.root!r})"

    @property
    def base_url(self) -> str:
        """What OpenAI's client takes as `base_url`."""
        return self._wire.root + "/v1"

    @property
    def key(self) -> str:
        """What OpenAI's client takes as `api_key`."""
        return self._wire.key

    def receipt(self, id: str) -> Receipt | ReadReceipt:
        """What one call, or one read of a dataset, came to, what it cost and who was paid."""
        body = self._get("/aigen/receipts/" + _quoted(id))
        return record(Receipt, body) if "kind" not in body else record(ReadReceipt, body)

    def account(self) -> Account:
        """The key's account."""
        return record(Account, self._get("/aigen/account"))

    def usage(
        self, *by: str, since: str | None = None, until: str | None = None
    ) -> tuple[Usage, ...]:
        """What was used, by `day`, `spender`, `model`, `controller` or `dataset`; days like
        `2026-01-31`."""
        asked = {"by": ",".join(by), "from": since, "to": until}
        query = urllib.parse.urlencode({name: value for name, value in asked.items() if value})
        return records(Usage, self._get("/aigen/usage" + (f"?{query}" if query else "")))

    def controllers(self) -> tuple[Controller, ...]:
        """The published controllers, with scores."""
        return records(Controller, self._get("/aigen/controllers"))

    def models(self) -> tuple[Model, ...]:
        """The models of this server, with prices."""
        return records(Model, self._get("/models"))

    def model(self) -> str:
        """For requests that name none: `AIGEN_MODEL`, else the server's first, asked for once."""
        self._model = self._model or os.environ.get("AIGEN_MODEL") or self._first_model()
        return self._model

    def complete(
        self, request: Mapping[str, object], *, idempotency_key: str | None = None
    ) -> Completion:
        """One chat completion, not streamed. Two requests with the same key are one: the second
        is answered like the first, and charged once."""
        arrived = self._wire.post("/v1/chat/completions", dict(request), idempotency_key)
        body: dict[str, Any] = arrived.body
        try:
            choice = body["choices"][0]
            text, finish = choice["message"]["content"] or "", choice["finish_reason"]
        except (KeyError, IndexError, TypeError):
            raise ShapeError(f"the reply is no chat completion: {body}") from None
        aigen = record(Reply, body["aigen"]) if body.get("aigen") else None
        return Completion(text, finish, aigen, body, arrived.sent_again)

    def _get(self, path: str) -> dict[str, object]:
        return self._wire.get("/v1" + path).body

    def _first_model(self) -> str:
        models = self.models()
        if not models:
            raise SetupError("the server has no model")
        return models[0].id


def receipt_id(answer: object) -> str:
    """The receipt of an answer: of OpenAI's SDK (the last part, of a streamed one), of its raw
    response with headers, of this package's `complete` and `detailed`, or of the JSON itself."""
    own = answer if isinstance(answer, Reply) else getattr(answer, "receipt", None)
    if isinstance(own, Reply):
        return own.receipt
    headers = getattr(answer, "headers", None)
    aigen = answer.get("aigen") if isinstance(answer, Mapping) else getattr(answer, "aigen", None)
    found = aigen.get("receipt") if isinstance(aigen, Mapping) else getattr(aigen, "receipt", None)
    if found is None and headers is not None:
        found = headers.get("x-aigen-receipt")
    if not isinstance(found, str):
        raise LookupError(
            f"{type(answer).__name__} names no receipt\n"
            "hint: give the whole completion of an AiGen server; of a stream, its last part"
        )
    return found


def _root(url: str) -> str:
    root = url.rstrip("/").removesuffix("/v1")
    try:
        parts = urllib.parse.urlsplit(root)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return root
    except ValueError:
        pass
    raise SetupError(f"{url!r} is no address of a server\n{_HINT}")


def _key_of_dev(root: str) -> str:
    """A key of this machine is not sent to any other."""
    if urllib.parse.urlsplit(root).hostname not in ("127.0.0.1", "localhost", "::1"):
        return ""
    return _kept("dev.key").strip()


def _running() -> str | None:
    """Where the node answers that runs on the data folder; its lock says so, in TOML."""
    found = re.search(r'^url = "([^"]+)"$', _kept("lock"), re.MULTILINE)
    return found[1] if found else None


def _kept(name: str) -> str:
    return _read(Path(os.environ.get("AIGEN_DATA_DIR") or _configured() or ".aigen") / name)


def _configured() -> str | None:
    """`data_dir` of the configuration, which stands above its tables; TOML has a reader from 3.11 on."""
    config = _read(Path(os.environ.get("AIGEN_CONFIG") or "aigen.toml"))
    above = re.split(r"^\s*\[", config, maxsplit=1, flags=re.MULTILINE)[0]
    found = re.search(r"""^\s*data_dir\s*=\s*(["'])(.+?)\1""", above, re.MULTILINE)
    return found[2] if found else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _quoted(part: str) -> str:
    return urllib.parse.quote(part, safe="")
