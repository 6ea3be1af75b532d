"""rig is in Rust: `rig/`, whose binary `WITH_RIG` names, prints a value or the name of an error."""

import json
import os
import subprocess
from types import SimpleNamespace

from cases import play


def make(url):
    def sentiment(context, text):
        ran = subprocess.run([os.environ["WITH_RIG"], url, context, text], capture_output=True, text=True, check=True)
        said = ran.stdout.strip()
        if said.startswith("{"):
            return SimpleNamespace(**json.loads(said))
        raise type(said, (Exception,), {})()

    return sentiment


if __name__ == "__main__":
    play(make)
