"""Amounts, receipts, accounts, and OpenAI's own client beside this one."""

from __future__ import annotations

import os
import pathlib
import tempfile
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import TypeVar

from openai import OpenAI

import aigen
from aigen import AiGen, Amount

E = TypeVar("E", bound=Exception)
CLIENT = AiGen()
OPENAI = OpenAI(base_url=CLIENT.base_url, api_key=CLIENT.key)


def test_amounts_are_exact() -> None:
    for text, nano, shown in [
        ("0", 0, "0.00"),
        ("1", 10**9, "1.00"),
        ("0.000000001", 1, "0.000000001"),
        ("12.5", 12_500_000_000, "12.50"),
        ("90071992547.409930001", 90_071_992_547_409_930_001, "90071992547.409930001"),
    ]:
        assert Amount.of(text).nano == nano and str(Amount(nano)) == shown, text
        assert Amount.of(str(Amount(nano))) == Amount(nano)
    for wrong in ["", ".5", "5.", "-1", "1e3", "0.0000000001", "1,5", " 1", "\u0661", "1\n"]:
        refused(lambda: Amount.of(wrong), ValueError)  # noqa: B023
    refused(lambda: Amount(-1), ValueError)
    refused(lambda: Amount(1) - Amount(2), ValueError)
    refused(lambda: Amount(0.5), TypeError)  # type: ignore[arg-type]
    refused(lambda: Amount.of(0.5), TypeError)  # type: ignore[arg-type]
    assert Amount(1) + Amount(2) - Amount(1) == max(Amount(1), Amount(2))


def test_a_receipt_of_openais_client() -> None:
    before = CLIENT.account()
    plain = OPENAI.chat.completions.create(
        model=CLIENT.model(), max_tokens=8, messages=[{"role": "user", "content": "Hello"}]
    )
    receipt = CLIENT.receipt(aigen.receipt_id(plain))
    assert isinstance(receipt, aigen.Receipt) and receipt.reads == ()
    assert receipt.model == CLIENT.model() and receipt.payer == before.address
    assert sum((line.amount for line in receipt.lines), Amount(0)) == receipt.total
    shares = sum((share.amount for share in receipt.split), Amount(0))
    assert shares == receipt.total + receipt.margin
    assert before.posted - CLIENT.account().posted == receipt.total
    assert aigen.receipt_id(plain.model_dump()) == receipt.id
    raw = OPENAI.chat.completions.with_raw_response.create(
        model=CLIENT.model(), max_tokens=8, messages=[{"role": "user", "content": "Hello"}]
    )
    assert aigen.receipt_id(raw) == aigen.receipt_id(raw.parse())
    refused(lambda: setattr(receipt, "total", Amount(0)), FrozenInstanceError)


def test_a_receipt_of_a_stream() -> None:
    parts = OPENAI.chat.completions.create(
        model=CLIENT.model(),
        max_tokens=8,
        messages=[{"role": "user", "content": "Hello"}],
        stream=True,
    )
    *_, last = parts
    receipt = CLIENT.receipt(aigen.receipt_id(last))
    assert isinstance(receipt, aigen.Receipt) and receipt.finish in ("stop", "length")
    refused(lambda: aigen.receipt_id({"id": "x"}), LookupError)


def test_what_the_account_may_see() -> None:
    account = CLIENT.account()
    assert account.posted == account.available + account.held
    all_usage, by_model = CLIENT.usage(), CLIENT.usage("model", "day")
    assert sum(each.calls for each in all_usage) == sum(each.calls for each in by_model) > 0
    reads = [each for each in by_model if each.kind == "dataset_read"]
    assert all(each.model is None and each.calls == 0 and each.reads for each in reads)
    assert {each.model for each in by_model if each not in reads} == {CLIENT.model()}
    assert all(each.day is not None and (each.charged or each in reads) for each in by_model)
    assert CLIENT.usage("day", since="2001-01-01", until="2001-01-02") == ()
    assert CLIENT.controllers() == ()
    models = CLIENT.models()
    assert models[0].aigen is not None and models[0].aigen.price.input_per_million
    assert models[0].id == CLIENT.model()


def test_errors_have_the_envelopes_fields() -> None:
    error = refused(lambda: CLIENT.receipt("0" * 32), aigen.ApiError)
    assert (error.status, error.code, error.type) == (404, "not_found", "not_found_error"), vars(
        error
    )
    error = refused(lambda: CLIENT.receipt("a/b"), aigen.ApiError)
    assert error.status == 400 and error.param == "path" and error.hint and error.message
    assert str(error).count(error.hint) == 1
    poor = AiGen(key=os.environ["POOR_KEY"])
    request = {"model": CLIENT.model(), "messages": [{"role": "user", "content": "Hello"}]}
    error = refused(lambda: poor.complete(request), aigen.ApiError)
    assert (error.status, error.reason) == (402, "insufficient_funds")
    reused = CLIENT.complete({**request, "max_tokens": 4}, idempotency_key="one key")
    again = CLIENT.complete({**request, "max_tokens": 4}, idempotency_key="one key")
    assert again.aigen == reused.aigen and again.body == reused.body
    error = refused(
        lambda: CLIENT.complete({**request, "max_tokens": 5}, idempotency_key="one key"),
        aigen.ApiError,
    )
    assert (error.status, error.code) == (409, "idempotency_key_reused")


def test_addresses() -> None:
    for given in ("http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/"):
        assert AiGen(given, "k").base_url == "http://h:1/v1"
    for wrong in ("h:1", "ftp://h", "http://"):
        refused(lambda: AiGen(wrong, "k"), aigen.SetupError)  # noqa: B023
    for wrong in ("http://h:x", "http://h:0"):
        refused(lambda: AiGen(wrong, "k"), aigen.SetupError)  # noqa: B023
    refused(lambda: AiGen("http://h", "k\nx: y"), aigen.SetupError)
    assert CLIENT.key not in repr(CLIENT)


SETTINGS = ("AIGEN_URL", "AIGEN_KEY", "AIGEN_DATA_DIR", "AIGEN_CONFIG")


def test_a_read_of_rows_has_a_receipt() -> None:
    read = os.environ.get("READ")
    if read is None:
        return
    receipt = CLIENT.receipt(read)
    assert isinstance(receipt, aigen.ReadReceipt) and isinstance(receipt, aigen.Charged)
    assert (receipt.kind, receipt.read.rows, receipt.read.ranges[0].count) == ("dataset_read", 2, 2)
    assert sum((line.amount for line in receipt.lines), Amount(0)) == receipt.total


def test_the_node_and_the_key_of_this_machine_stay_here() -> None:
    kept = {name: os.environ.pop(name, None) for name in SETTINGS}
    try:
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "dev.key").write_text("aigen_dev.x\n")
            os.environ["AIGEN_DATA_DIR"] = folder
            assert AiGen("http://127.0.0.1:1").key == "aigen_dev.x"
            assert AiGen("http://example.org").key == ""
            assert AiGen("http://127.0.0.1:1", "other").key == "other"
            assert AiGen().base_url == "http://127.0.0.1:8000/v1"
            pathlib.Path(folder, "lock").write_text('pid = 7\nurl = "http://127.0.0.1:1"\n')
            found = AiGen(sends_again=1, pause=0.001)
            assert (found.base_url, found.key) == ("http://127.0.0.1:1/v1", "aigen_dev.x")
            error = refused(found.account, aigen.TransportError)
            assert "no server was reached at http://127.0.0.1:1: " in str(error)
            assert str(error).endswith(
                "(sent 2 times)\nhint: start one with `aigen dev`, or name one: AIGEN_URL"
            )
            # Without the variable the configuration says which folder it is.
            os.environ.pop("AIGEN_DATA_DIR")
            config = pathlib.Path(folder, "c.toml")
            os.environ["AIGEN_CONFIG"] = str(config)
            config.write_text(f'log = "info"\ndata_dir = "{folder}" # here\n[x]\n')
            assert AiGen().base_url == "http://127.0.0.1:1/v1"
            config.write_text(f'[x]\ndata_dir = "{folder}"\n')
            assert AiGen().base_url == "http://127.0.0.1:8000/v1"
    finally:
        for name in SETTINGS:
            os.environ.pop(name, None)
        os.environ.update((name, value) for name, value in kept.items() if value is not None)


def refused(act: Callable[[], object], of: type[E]) -> E:
    try:
        value = act()
    except of as error:
        return error
    raise AssertionError(f"{value!r} instead of {of.__name__}")
