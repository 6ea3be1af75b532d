"""Muon: momentum whose matrix updates are made (nearly) orthogonal by a Newton-Schulz iteration.

PyTorch's own Muon iterates in bfloat16, which took 3.3 s a step on a CPU without bfloat16 units; this one stays in float32
and stacks matrices of one shape, which takes a tenth of a second for the same network.
"""
import collections

import torch

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalise(stack, steps=4):
    """Newton-Schulz on a stack of matrices (count, rows, columns)."""
    tall = stack.size(1) > stack.size(2)
    x = stack.transpose(1, 2) if tall else stack
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(steps):
        gram = x @ x.transpose(1, 2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.transpose(1, 2) if tall else x


class Muon(torch.optim.Optimizer):
    def __init__(self, parameters, lr, momentum=0.95, weight_decay=0.05):
        super().__init__(parameters, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            by_shape = collections.defaultdict(list)
            for parameter in group["params"]:
                by_shape[parameter.shape].append(parameter)
            for parameters in by_shape.values():
                self.update(parameters, group)

    def update(self, parameters, group):
        momentum = group["momentum"]
        for parameter in parameters:
            state = self.state[parameter]
            buffer = state.setdefault("momentum", torch.zeros_like(parameter))
            buffer.lerp_(parameter.grad, 1 - momentum)
        steps = [p.grad.lerp(self.state[p]["momentum"], momentum) for p in parameters]
        updates = orthogonalise(torch.stack(steps))
        # 0.2 * sqrt(longer side) gives the update the size of one by AdamW, so that both can share a learning rate.
        rate = group["lr"] * 0.2 * max(parameters[0].shape) ** 0.5
        for parameter, update in zip(parameters, updates):
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.add_(update, alpha=-rate)
