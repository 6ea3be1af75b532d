"""Writes controllers for AiGen in Python.

A controller decides what comes next: it is asked at the start, at the end of every segment, and
in every branch of a fork. It runs beside the model, in a sandbox without clock, files and network.

    from aigen_controller import Controller, choice, output, segment, stop

    class YesNo(Controller):
        def open(self, request):
            output.hold(0)
            self.matcher = choice(["yes", "no"]).matcher()

        def step(self, step):
            return segment(under=self.matcher) if step.why == "started" else stop()

`aigen controller build` makes a component of it.
"""

import copy
from types import SimpleNamespace

from componentize_py_types import Err
from wit_world.exports import controller as contract
from wit_world.imports import constraints, meter, output, rng, tokenizer, variables
from wit_world.imports.constraints import Grammar, JsonOptions, Matcher, TokenSet
from wit_world.imports.types import Error_Invalid, Sampling

__all__ = [
    "Controller", "Err", "Grammar", "Matcher", "TokenSet", "backtrack", "choice", "constraints", "edit", "fork",
    "invalid", "json_schema", "lark", "meter", "output", "quote", "regex", "rng", "segment", "stop", "text",
    "tokenizer", "variables", "wait_for_branches", "wait_for_variables",
]


class Controller:
    """The state of one branch. The last class derived from it is the component's."""

    made = None

    def __init_subclass__(cls, **more):
        super().__init_subclass__(**more)
        Controller.made = cls

    def open(self, request):
        """At the start of a request. `request.argument` is the caller's JSON."""

    def prompt(self):
        """Other tokens to read instead of the request's prompt; None leaves it."""
        return None

    def step(self, step):
        """What next? `step.why` says why it is asked, in one word."""
        raise NotImplementedError

    def fork(self):
        """A copy for another branch, however deep the state is. What cannot be copied, like a generator, is
        an error: a controller that has one overrides this."""
        return copy.deepcopy(self)

    def finish(self):
        """What it has to say in the end, as JSON; empty for nothing."""
        return ""


def apart(handle, _):
    """Handles of the host go their own way from a fork on."""
    return handle.fork()


def shared(grammar, _):
    """A grammar never changes."""
    return grammar


Matcher.__deepcopy__ = apart
TokenSet.__deepcopy__ = apart
Grammar.__deepcopy__ = shared


def invalid(reason):
    """An error that ends the request: `raise invalid("...")`."""
    return Err(Error_Invalid(reason))


def json_schema(schema, lenient=False, whitespace=False):
    """JSON that is valid under a schema, given as text."""
    return Grammar.json_schema(schema, JsonOptions(lenient, whitespace))


regex = Grammar.regex
lark = Grammar.lark
choice = Grammar.choice


def quote(source, words=None):
    """A run of at most `words` words of the text."""
    return Grammar.quote(source, words)


def segment(under=None, within=None, tokens=0, until=(), triggers=(), bias=(), splices=(), observed=False,
            temperature=None, top_p=None, top_k=None, min_p=None):
    """A segment: under a matcher or within a token set, until one of these happens."""
    if under is not None:
        allow = contract.Mask_Matcher(under.id())
    elif within is not None:
        allow = contract.Mask_Tokens(within.id())
    else:
        allow = contract.Mask_Any()
    stops = [stop if isinstance(stop, bytes) else stop.encode() for stop in until]
    return contract.Decision_Generate(contract.Generate(
        allow=allow,
        bias=list(bias),
        params=Sampling(temperature, top_p, top_k, min_p),
        splices=list(splices),
        observe=contract.Observe_Sampled() if observed else contract.Observe_Nothing(),
        until=contract.Until(tokens, stops, list(triggers)),
    ))


def text(appended):
    """Appends text."""
    return edit(0, tokenizer.encode(appended.encode(), False))


def backtrack(tokens):
    """Takes tokens back."""
    return edit(tokens, [])


def edit(back, tokens, heal=False):
    """Takes tokens back, then appends others."""
    return contract.Decision_Edit(contract.Edit(back, list(tokens), heal))


def fork(branches):
    """So many branches more."""
    return contract.Decision_Fork(branches)


def wait_for_variables(*names):
    """Waits for one of these variables to change."""
    return contract.Decision_Suspend(contract.Waiting_Variables(list(names)))


def wait_for_branches(*branches):
    """Waits for these branches to end."""
    return contract.Decision_Suspend(contract.Waiting_Branches(list(branches)))


def stop(keep=True):
    """The branch is done, and the answer if it is to be kept."""
    return contract.Decision_Stop(contract.Ending(contract.Reason.DONE, keep))


# What a step may say.
DECISIONS = (
    contract.Decision_Generate, contract.Decision_Edit, contract.Decision_Fork, contract.Decision_Suspend,
    contract.Decision_Stop,
)

WAKES = {
    contract.Wake_Started: "started",
    contract.Wake_Forked: "forked",
    contract.Wake_Edited: "edited",
    contract.Wake_MatcherFinished: "matcher-finished",
    contract.Wake_StopMatched: "stop-matched",
    contract.Wake_Triggered: "triggered",
    contract.Wake_EndOfSequence: "end-of-sequence",
    contract.Wake_TokenLimit: "token-limit",
    contract.Wake_Resumed: "resumed",
}


def plain(step):
    """The same step, whose `why` is a word; of a fork also `index` and `first`."""
    fields = dict(vars(step))
    if isinstance(step.why, contract.Wake_Forked):
        fields.update(index=step.why.value.index, first=step.why.value.first)
    fields["why"] = WAKES[type(step.why)]
    return SimpleNamespace(**fields)
