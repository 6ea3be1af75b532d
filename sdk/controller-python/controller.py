"""What stands between the contract and a controller. It is named after the interface it exports."""

import functools

from wit_world.exports import controller as contract
from wit_world.imports import output

import aigen_controller

# Frames of a traceback that are logged: the innermost ones.
FRAMES = 8


def places(error):
    """Where it was raised. `traceback` would look the lines up in files, of which there are none here."""
    found, at = [], error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        found.append(f"  {code.co_filename}, line {at.tb_lineno}, in {code.co_name}")
        at = at.tb_next
    return found[-FRAMES:]


def told(method):
    """Has what a controller raises end the request in its own words, and logs where it came from: a trap would
    say neither. An error of the contract is said as it is."""

    @functools.wraps(method)
    def asked(*given):
        try:
            return method(*given)
        except aigen_controller.Err:
            raise
        except BaseException as error:
            reason = f"{type(error).__name__}: {error}"
            output.log(output.Level.ERROR, "\n".join([reason, *places(error)]))
            raise aigen_controller.invalid(reason) from None

    return asked


def expected(said, kinds, what):
    """What a controller said, if it is what it should be."""
    if isinstance(said, kinds):
        return said
    raise TypeError(f"{said!r:.100} is no {what}")


class Session(contract.Session):
    """One branch."""

    def __init__(self, controller):
        self.controller = controller

    @classmethod
    @told
    def open(cls, r):
        made = aigen_controller.Controller.made()
        made.open(r)
        return cls(made)

    @told
    def prompt(self):
        return self.controller.prompt()

    @told
    def step(self, s):
        decision = self.controller.step(aigen_controller.plain(s))
        return expected(decision, aigen_controller.DECISIONS, "decision")

    @told
    def fork(self, index):
        return Session(self.controller.fork())

    @told
    def finish(self):
        return expected(self.controller.finish(), str, "text of JSON")
