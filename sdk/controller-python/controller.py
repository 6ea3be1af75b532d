"""What stands between the contract and a controller. It is named after the interface it exports."""

from wit_world.exports import controller as contract

import aigen_controller


class Session(contract.Session):
    """One branch."""

    def __init__(self, controller):
        self.controller = controller

    @classmethod
    def open(cls, r):
        made = aigen_controller.Controller.made()
        made.open(r)
        return cls(made)

    def prompt(self):
        return self.controller.prompt()

    def step(self, s):
        return self.controller.step(aigen_controller.plain(s))

    def fork(self, index):
        return Session(self.controller.fork())

    def finish(self):
        return self.controller.finish()
