"""A fork of a controller's state shares nothing that can change. `python forks.py FOLDER_OF_THE_SDK`"""

import sys
from types import ModuleType


class Host(ModuleType):
    """A module of the bindings: whatever is asked of it is a class."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (), {})
        setattr(self, name, made)
        return made


class Handle:
    def __init__(self, at=0):
        self.at = at

    def fork(self):
        return type(self)(self.at)


class Matcher(Handle):
    pass


class TokenSet(Handle):
    pass


class Grammar:
    regex = lark = choice = quote = json_schema = None


NAMES = ["constraints", "meter", "output", "rng", "tokenizer", "variables", "types"]
for name in ["componentize_py_types", "wit_world", "wit_world.exports", "wit_world.imports"]:
    sys.modules[name] = Host(name)
sys.modules["wit_world.exports"].controller = Host("wit_world.exports.controller")
for name in NAMES:
    module = sys.modules[f"wit_world.imports.{name}"] = Host(name)
    setattr(sys.modules["wit_world.imports"], name, module)
bindings = sys.modules["wit_world.imports.constraints"]
bindings.Matcher, bindings.TokenSet, bindings.Grammar = Matcher, TokenSet, Grammar

sys.path.insert(0, sys.argv[1])
from aigen_controller import Controller  # noqa: E402


class State(Controller):
    def open(self, request):
        matcher = Matcher()
        self.plain = {"n": 0, "list": [1, [2]]}
        self.matcher = matcher
        self.matchers = [matcher, Matcher()]
        self.held = {"tokens": TokenSet()}
        self.grammar = Grammar()
        self.me = self


one = State()
one.open(None)
other = one.fork()
other.plain["n"] = 1
other.plain["list"][1].append(3)
other.matchers[0].at = 1
other.held["tokens"].at = 1

assert one.plain == {"n": 0, "list": [1, [2]]}, one.plain
assert one.matchers[0].at == 0 and one.held["tokens"].at == 0
assert other.matchers[0] is other.matcher, "one handle stays one"
assert other.me is other and other.grammar is one.grammar and type(other) is State

one.steps = (n for n in [])
try:
    one.fork()
    raise SystemExit("a generator was shared")
except TypeError as error:
    assert "generator" in str(error), error

print("all passed")
