"""The Python of the README and of the guide is run as it stands."""

from __future__ import annotations

import contextlib
import io
import pathlib
import re
import sys
import types

PACKAGE = pathlib.Path(__file__).parents[1]
GUIDE = PACKAGE.parents[1] / "docs" / "guides" / "ai-functions.md"


def python_of(page: pathlib.Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def run(page: pathlib.Path) -> tuple[int, str]:
    """All of a page in one module, so that what is below knows what is above."""
    module = types.ModuleType("page")
    sys.modules["page"] = module
    blocks = python_of(page)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        for block in blocks:
            exec(compile(block, str(page), "exec", dont_inherit=True), module.__dict__)
    return len(blocks), said.getvalue()


def test_the_readme() -> None:
    count, said = run(PACKAGE / "README.md")
    assert count == 4
    for part in ("decoder 0.", "provider:", "$ the type complex", "AIGEN to ['provider:"):
        assert part in said, said


def test_the_guide() -> None:
    count, said = run(GUIDE)
    assert count == 1 and "decoder" in said, said
