"""A node of its own, and everybody who takes part: through `aigen`'s command line and the public API."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
SUITES = HERE / "suites"


class Failed(Exception):
    """A command ended badly; what it said is the message."""


def programs() -> Path:
    """The folder with `aigen` and `sentiment`: `AIGEN_PROGRAMS`, or they are built."""
    if named := os.environ.get("AIGEN_PROGRAMS"):
        return Path(named)
    packages = ["--package", "aigen", "--package", "examples"]
    built = subprocess.run(["cargo", "build", "--locked", "--bins", *packages], cwd=ROOT)
    if built.returncode != 0:
        raise Failed("the programs were not built\nhint: scripts/setup brings what cargo cannot")
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"


def ran(command: Sequence[str | Path], **environment: str) -> str:
    """What a command prints; what is of this machine's configuration does not reach it."""
    done = subprocess.run(command, env=environ(environment), capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def environ(more: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIGEN_")}
    for name in ("AIGEN_MODELS_DIR", "AIGEN_TEST_NODE", "AIGEN_EXAMPLES_DIR"):
        if name in os.environ:
            kept[name] = os.environ[name]
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "AIGEN_LOG": "warn", **more}


@dataclass(frozen=True)
class Data:
    """A dataset of somebody's, which an app reads row by row."""

    provider: str
    file: str
    reference: str
    price_per_row: str


@dataclass(frozen=True)
class App:
    """An application, its end user, and the controller that its developer publishes."""

    name: str
    says: str
    owner: str
    grammar: str
    about: str
    suite: str
    user: str
    command: tuple[str, ...]
    shows: tuple[str, ...]
    data: Data | None = None

    @property
    def address(self) -> str:
        return f"app:{self.name}"

    @property
    def controller(self) -> str:
        return f"{self.owner}/{Path(self.grammar).stem}@1.0.0"


APPS = (
    App(
        "sentiment", "judges what a message feels by what it answers to", "nadia",
        "sentiment/sentiment.lark", "Judgements whose evidence is quoted", "contextual-sentiment",
        "user:ana", ("{programs}/sentiment",), ("--demo",),
    ),
    App(
        "learning", "teaches at a learner's level", "lena",
        "learning/tutor.lark", "Quiz items that are well-formed", "tutor-item",
        "user:ben", (sys.executable, "{here}/learning/learn.py"), ("--topic", "planets", "--simulate", "0.5"),
    ),
    App(
        "support", "answers customers in five languages", "sofia",
        "support/reply.lark", "Replies that quote the company", "faq-reply",
        "user:cleo", ("node", "{here}/support/run.mjs"),
        ("Where is my parcel?", "Wie lange gilt die Garantie?", "Où est ma facture ?",
         "¿Puedo pagar con tarjeta?", "Posso annullare il mio ordine?", "Gdzie jest moja paczka?"),
        Data("provider:babel", "support/faq.jsonl", "babel/shop-faq@1.0.0", "0.0001"),
    ),
)  # fmt: skip

VALIDATORS = ("vera", "viktor", "violet")
MARGIN_PPM = 100_000
FUNDED = "2"
"""AIGEN of each end user."""


@dataclass
class Stage:
    """A running node in a folder that goes when it ends."""

    model: str | None = None
    home: Path = field(init=False)
    url: str = field(init=False)
    keys: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Stage:
        self.programs = programs()
        self._folder = tempfile.TemporaryDirectory(prefix="aigen-examples-")
        self.home = Path(self._folder.name)
        serve = ["serve", "--json", "--quiet", "--listen", "127.0.0.1:0", "--data-dir", str(self.home / "node")]
        serve += ["--model", self.model] if self.model else []
        self._node = subprocess.Popen(
            [self.programs / "aigen", *serve], env=environ({}), stdout=subprocess.PIPE, text=True
        )
        assert self._node.stdout is not None
        line = self._node.stdout.readline()
        if not line:
            raise Failed("the node did not start; its message is above")
        self.url = json.loads(line)["url"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._folder.cleanup()

    def stop(self) -> None:
        """Asks the node to stop, and waits until it has settled everything."""
        if self._node.poll() is None:
            self._node.send_signal(signal.SIGTERM)
            self._node.wait()

    def aigen(self, *said: str, as_: str | None = None) -> Any:
        """What `aigen … --json` prints, asked with somebody's key; otherwise with the operator's."""
        folder, key = ("node", {}) if as_ is None else (as_, {"AIGEN_KEY": self.keys[as_]})
        where = ("--json", "--url", self.url, "--data-dir", self.home / folder)
        return json.loads(ran([self.programs / "aigen", *said, *where], **key))

    def books(self, *said: str) -> str:
        """What `aigen` reads in the journal itself; no node is asked."""
        return ran([self.programs / "aigen", *said, "--data-dir", self.home / "node"])

    def join(self, address: str, aigen: str | None) -> None:
        """Gives an address a key, and money."""
        self.keys[address] = self.aigen("key", "create", address)["key"]
        if aigen is not None:
            self.aigen("fund", address, aigen)

    def open(self, app: App) -> None:
        """The app's key, what its user allows it, and its developer's signed controller."""
        self.keys[app.address] = self.aigen("app", "create", app.address)["key"]
        self.join(app.user, FUNDED)
        grant = ("allowance", "grant", app.address, "--cap", "1", "--margin-ppm", str(MARGIN_PPM))
        self.aigen(*grant, as_=app.user)
        developer = f"developer:{app.owner}"
        self.join(developer, None)
        publish = ("controller", "publish", str(HERE / app.grammar), app.controller)
        self.aigen(*publish, "--description", app.about, as_=developer)
        if app.data is not None:
            self.offer(app.data)

    def offer(self, data: Data) -> None:
        """The provider's rows, for everybody who pays."""
        self.join(data.provider, None)
        publish = ("dataset", "publish", str(HERE / data.file), "--name", data.reference, "--licence", "CC0-1.0")
        self.aigen(*publish, "--price-per-row", data.price_per_row, "--use", "read", "--open", as_=data.provider)

    def use(self, app: App, *said: str, steered: bool = True) -> str:
        """What the app prints, at its user's expense."""
        names = {"programs": str(self.programs), "here": str(HERE)}
        command = [part.format(**names) for part in app.command]
        steering = ["--controller", app.controller] if steered else []
        data = ["--dataset", app.data.reference] if app.data else []
        return ran([*command, "--bill-to", app.user, *steering, *data, *said], AIGEN_URL=self.url, AIGEN_KEY=self.keys[app.address])
