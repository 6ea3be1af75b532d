"""Requests that do not arrive: a small server in front that fails as its script says, and passes
what it does not fail on to the real node."""

from __future__ import annotations

import http.client
import json
import socket
import socketserver
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import aigen
from aigen import AiGen, Answer, ai_fn
from aigen._transport import wait

NODE = AiGen()
REQUEST = {
    "messages": [{"role": "user", "content": "Hello"}],
    "max_completion_tokens": 5,
}

Act = str
"""`drop`: closed before the first byte. `lose`: the node answers and the reply is dropped. `cut`:
half of the reply arrives. `pass`. A status: an error of that status, with its envelope; `final`
and `passing` say beside it whether another try may help."""


class Flaky(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, script: list[Act]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script, self.keys = iter(script), list[str]()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(socketserver.StreamRequestHandler):
    server: Flaky

    def handle(self) -> None:
        line = self.rfile.readline().decode()
        headers = http.client.parse_headers(self.rfile)
        body = self.rfile.read(int(headers.get("content-length", "0")))
        with self.server.lock:
            act = next(self.server.script)
            self.server.keys.append(headers.get("idempotency-key", ""))
        if act == "drop":
            return
        if act[:3].isdecimal():
            self.wfile.write(refusal(*act.split()))
            return
        reply = passed_on(line.split()[0], line.split()[1], body, dict(headers.items()))
        self.wfile.write({"lose": b"", "cut": reply[: len(reply) - 9], "pass": reply}[act])


def refusal(status: str, advice: str = "") -> bytes:
    said = {"final": "x-should-retry: false\r\n", "unfit": "x-should-retry: false\r\n", "passing": "x-should-retry: true\r\n"}
    error = {
        "message": "busy; try again in a moment", "type": "overloaded", "param": None,
        "code": "engine_busy", "hint": "try again in a moment",
        "metadata": {"reason": "full", "receipt": "ab", "cost": "0.5"},
    }  # fmt: skip
    if advice == "unfit":
        error["metadata"] = {"raw": "Maybe.", "receipt": "ab", "cost": "0.5"}
    body = json.dumps({"error": error}).encode()
    return written(int(status), body, said.get(advice, "") + "x-request-id: req_1\r\n")


def written(status: int, body: bytes, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status} x\r\ncontent-length: {len(body)}\r\nretry-after: 0\r\n{more}\r\n"
    return head.encode() + body


def passed_on(method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(NODE.base_url).netloc)
    connection.request(method, path, body or None, headers)
    reply = connection.getresponse()
    return written(reply.status, reply.read())


@contextmanager
def flaky(*script: Act) -> Iterator[tuple[Flaky, AiGen]]:
    with Flaky(list(script)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server, AiGen(server.url, NODE.key, pause=0.001)
        finally:
            server.shutdown()
            thread.join()


def calls() -> int:
    return sum(usage.calls for usage in NODE.usage())


def test_what_did_not_arrive_is_sent_again_and_charged_once() -> None:
    for script in (["drop"], ["503", "429"], ["lose"], ["cut"], ["drop", "lose", "cut"]):
        before, money = calls(), NODE.account().posted
        with flaky(*script, "pass") as (server, client):
            answer = client.complete({**REQUEST, "model": NODE.model()})
        assert answer.sent_again == len(script)
        assert answer.aigen is not None
        assert len(set(server.keys)) == 1 and server.keys[0]
        assert calls() == before + 1, script
        assert money - NODE.account().posted == answer.aigen.cost, script


def test_what_never_arrives_says_so() -> None:
    with flaky(*["drop"] * 4) as (server, client):
        error = failure(lambda: client.complete({**REQUEST, "model": "x"}), aigen.TransportError)
    assert error.sent == 4 and len(server.keys) == 4
    with flaky(*["503"] * 4) as (server, client):
        busy = failure(lambda: client.account(), aigen.ApiError)
    assert (busy.status, busy.type, busy.code, busy.param) == (
        503,
        "overloaded",
        "engine_busy",
        None,
    )
    assert (busy.hint, busy.reason) == ("try again in a moment", "full")
    assert str(busy) == "busy; try again in a moment" and len(server.keys) == 4


def test_what_will_not_pass_is_not_sent_again() -> None:
    for status in ("400", "402", "404", "500"):
        with flaky(status) as (server, client):
            error = failure(lambda: client.account(), aigen.ApiError)  # noqa: B023
        assert error.status == int(status) and len(server.keys) == 1


def test_pauses_double_and_differ() -> None:
    for sent_again in range(4):
        waits = {wait(0.2, sent_again, 0) for _ in range(200)}
        assert len(waits) > 100
        assert 0.1 * 2**sent_again <= min(waits) < max(waits) <= 0.3 * 2**sent_again
    assert wait(0.2, 0, 7) == 7 and wait(0.2, 0, 3600) == 30 and wait(0, 3, 0) == 0


def test_the_server_knows_better_than_the_status() -> None:
    with flaky("503 final") as (server, client):
        error = failure(client.account, aigen.ApiError)
    assert (error.status, error.request_id, len(server.keys)) == (503, "req_1", 1)
    with flaky("409 passing", "pass") as (server, client):
        assert client.account().address == NODE.account().address


def test_what_failed_and_was_charged_is_told() -> None:
    with flaky("422") as (_, client):
        error = failure(truth.call("Well?").on(client).model("x").value, aigen.Refused)
    assert error.receipts == (aigen.Reply("ab", aigen.Amount.of("0.5")),)


def test_what_the_server_found_unfit_is_asked_for_again() -> None:
    with flaky("502 unfit", "pass") as (server, client):
        model = NODE.model()
        detailed = truth.call("Well?").on(client).model(model).detailed()
    assert (detailed.asked_again, detailed.sent_again, detailed.guarantee) == (1, 0, "decoder")
    assert detailed.receipts[0] == aigen.Reply("ab", aigen.Amount.of("0.5"))
    assert len(set(server.keys)) == 2
    with flaky(*["502 unfit"] * 3) as (_, client):
        error = failure(truth.call("Well?").on(client).model("x").value, aigen.Check)
    assert (error.raw, error.why) == ("Maybe.", "busy") and len(error.receipts) == 3


@ai_fn
def truth(text: str) -> bool:
    """Say yes or no."""
    raise Answer


def test_sent_again_and_asked_again_are_two_counts() -> None:
    with flaky("pass", "drop", "pass", "503", "lose", "pass") as (server, client):

        @ai_fn(client, max_tokens=10)
        def yes(text: str) -> bool:
            """Say yes or no."""
            raise Answer

        verdicts = iter(["no", None])
        detailed = yes.call("Well?").check(lambda _: next(verdicts)).detailed()
    assert (detailed.asked_again, detailed.sent_again) == (1, 3)
    # The first asks for the model; each answer is a request of its own.
    assert server.keys[0] == "" and len(set(server.keys[1:])) == 2


def test_an_ai_function_says_what_failed() -> None:
    with flaky(*["drop"] * 4) as (_, client):
        error = failure(truth.call("Well?").on(client).model("x").value, aigen.Transport)
    assert isinstance(error.error, aigen.TransportError)
    with flaky("402") as (_, client):
        failure(truth.call("Well?").on(client).model("x").value, aigen.Budget)


def test_a_silent_server_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        client = AiGen(url, "k", timeout=0.05, sends_again=1, pause=0)
        error = failure(client.account, aigen.TransportError)
    assert error.sent == 2 and "timed out" in str(error)


E = TypeVar("E", bound=Exception)


def failure(act: Callable[[], object], of: type[E]) -> E:
    try:
        value = act()
    except of as error:
        return error
    raise AssertionError(f"{value!r} instead of {of.__name__}")
