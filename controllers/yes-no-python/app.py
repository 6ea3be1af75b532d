"""Sample: the model may answer `yes` or `no`, and nothing else."""

import controller  # noqa: F401  (the contract's side of it)
from aigen_controller import Controller, choice, output, segment, stop


class YesNo(Controller):
    def open(self, request):
        output.hold(0)
        self.matcher = choice(["yes", "no"]).matcher()

    def step(self, step):
        return segment(under=self.matcher) if step.why == "started" else stop()
