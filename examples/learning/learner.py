"""What a learner can do, estimated from right and wrong answers: Elo, with guessing.

A level is a logit, as of items: a learner meets an item of the same level with even odds of
knowing it. Whoever does not know it guesses among the options.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

GAIN = 1.2
"""What the first answer may move; large, since nothing is known yet."""
GAIN_MIN = 0.08
"""What any later answer may move, so that a level follows a learner who gets better. It makes the
estimate of one who does not spread by about a fifth of a logit (see the tests)."""
SETTLING = 8.0
"""Answers after which the gain is half of the first."""
EASE = 0.4
"""Items this far below the learner's level are asked: seven in ten answers are right then, with
four options, which keeps learners going."""


def chance(level: float, item: float, options: int) -> float:
    """How likely the right answer is, guessed ones among them."""
    guess = 1.0 / options
    return guess + (1.0 - guess) / (1.0 + math.exp(item - level))


@dataclass(frozen=True)
class Learner:
    """An estimate of what somebody can do."""

    level: float = 0.0
    answers: int = 0

    def answered(self, item: float, options: int, right: bool) -> Learner:
        """The estimate after one more answer: what was surprising about it moves the level."""
        gain = max(GAIN_MIN, GAIN / (1.0 + self.answers / SETTLING))
        surprise = float(right) - chance(self.level, item, options)
        return Learner(self.level + gain * surprise, self.answers + 1)

    @property
    def wanted(self) -> float:
        """The level of items that suit."""
        return self.level - EASE
