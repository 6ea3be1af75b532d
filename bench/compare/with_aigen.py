"""A node that the scripted server answers for: `AIGEN` names the binary, target/debug/aigen otherwise."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

from aigen import AiGen, Answer, Length, ai_fn
from cases import play

from dataclasses import dataclass
from typing import Annotated, Literal

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
[[model]]
name = "tiny"
context_tokens = 4096
[model.remote]
control = "text"
[[model.upstream]]
base_url = "{url}"
"""
RUNNING = []


def node(url):
    """Its address and key. The one before is stopped."""
    while RUNNING:
        stopped, folder = RUNNING.pop()
        stopped.kill()
        stopped.wait()
        folder.cleanup()
    folder = tempfile.TemporaryDirectory()
    Path(folder.name, "aigen.toml").write_text(CONFIG.format(url=url))
    binary = os.environ.get("AIGEN", ROOT / "target/debug/aigen")
    running = subprocess.Popen(
        [binary, "dev", "--port", "0"],
        cwd=folder.name,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    RUNNING.append((running, folder))
    found = {}
    for line in running.stdout:
        if said := re.match(r"\s+(URL|key)\s+(\S+)", line):
            found[said[1]] = said[2]
        if len(found) == 2:
            return found["URL"].removesuffix("/v1"), found["key"]
    raise RuntimeError("the node did not start")


def make(url):
    client = AiGen(*node(url))

    # begin
    @dataclass
    class Sentiment:
        polarity: Literal["positive", "negative", "neutral"]
        sarcasm: bool
        evidence: Annotated[str, Length(1, 80)]

    def is_quoted(value: Sentiment, context: str, text: str) -> str | None:
        return None if value.evidence in text else "it is not in the text"

    @ai_fn(client, temperature=0.0, check=is_quoted)
    def sentiment(context: str, text: str) -> Sentiment:
        """Judge the sentiment of `text`, given its `context`. Sarcasm flips polarity."""
        raise Answer
    # end

    return sentiment


if __name__ == "__main__":
    play(make)
    for running, _ in RUNNING:
        running.kill()
