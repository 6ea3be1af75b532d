"""A fork of a controller's state shares nothing that can change, and what is raised is said. `python forks.py FOLDER_OF_THE_SDK`"""

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



class Err(Exception):
    def __init__(self, value):
        self.value = value


class Reason:
    def __init__(self, reason):
        self.reason = reason


logged = []
sys.modules["componentize_py_types"].Err = Err
sys.modules["wit_world.imports.types"].Error_Invalid = Reason
sys.modules["wit_world.imports.output"].log = lambda level, message: logged.append(message)
sys.modules["wit_world.imports.output"].Level = Host("Level")

sys.path.insert(0, sys.argv[1])
from aigen_controller import Controller  # noqa: E402
from controller import Session  # noqa: E402


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



# What a controller raises ends the request in its own words, and the log says where.
class Raising(Controller):
    def step(self, step):
        if step == "nothing":
            return None
        raise step

    def finish(self):
        return {"a": 1}


sys.modules["aigen_controller"].plain = lambda step: step


def said(ask, *given):
    try:
        ask(*given)
    except Err as error:
        return error.value.reason
    raise SystemExit("nothing was raised")


session = Session.open(None)
assert isinstance(session.controller, Raising)
assert said(session.step, ValueError("too far")) == "ValueError: too far"
assert logged[-1].startswith("ValueError: too far\n") and "forks.py, line" in logged[-1], logged
assert said(session.step, "nothing") == "TypeError: None is no decision"
assert said(session.finish) == "TypeError: {'a': 1} is no text of JSON"
before = len(logged)
assert said(session.step, Err(Reason("no"))) == "no" and len(logged) == before

print("all passed")
