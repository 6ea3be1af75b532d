"""Runs every `test_…` function of the files beside it, against the node that AIGEN_URL and
AIGEN_KEY name; POOR_KEY is a key of an account without money. pytest runs them as well."""

import importlib
import pathlib
import sys

HERE = pathlib.Path(__file__).parent


def main() -> None:
    sys.path[:0] = [str(HERE), str(HERE.parent / "src")]
    count = 0
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        for name, test in list(vars(module).items()):
            if name.startswith("test_") and callable(test):
                test()
                count += 1
                print(f"{path.stem}: {name.removeprefix('test_').replace('_', ' ')}", flush=True)
    assert count > 0
    print("all passed")


main()
