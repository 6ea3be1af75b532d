"""The course: facts with levels, each with a question and an answer that a teacher wrote."""

from __future__ import annotations

import json
import random
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

STEMS = {"planets": "Which planet", "capitals": "Which city", "elements": "Which element"}
"""How a question of each topic begins."""
CANDIDATES = 3
"""Facts that the model may choose from."""
OPTIONS = 4
"""Answers that a learner chooses from."""


@dataclass(frozen=True)
class Fact:
    topic: str
    level: float
    fact: str
    question: str
    answer: str

    @property
    def stem(self) -> str:
        """How a question about it begins."""
        return STEMS[self.topic]

    @property
    def predicate(self) -> str:
        """What the fact says of its answer: every fact begins with it."""
        return self.fact.removeprefix(self.answer).strip(" .")


@dataclass(frozen=True)
class Choice:
    """What an item may be made of: any of these facts can be taught, and its answer is an option."""

    facts: tuple[Fact, ...]
    options: tuple[str, ...]

    @property
    def holes(self) -> dict[str, object]:
        """What a controller may choose from."""
        return {
            "facts": [fact.fact for fact in self.facts],
            "stems": sorted({fact.stem for fact in self.facts}),
            "predicates": [fact.predicate for fact in self.facts],
            "options": list(self.options),
        }

    def fact(self, sentence: str) -> Fact | None:
        return next((fact for fact in self.facts if fact.fact == sentence), None)


class Course:
    def __init__(self, facts: list[Fact]) -> None:
        self.facts = facts

    @classmethod
    def shipped(cls) -> Course:
        lines = Path(__file__).with_name("course.jsonl").read_text().splitlines()
        return cls([Fact(**json.loads(line)) for line in lines])

    @property
    def topics(self) -> list[str]:
        return sorted({fact.topic for fact in self.facts})

    def choice(
        self, topic: str, level: float, taught: Collection[str], chance: random.Random
    ) -> Choice | None:
        """The facts nearest to a level that were not taught yet; None if there are none left."""
        of_topic = [fact for fact in self.facts if fact.topic == topic]
        left = [fact for fact in of_topic if fact.fact not in taught]
        if not left:
            return None
        facts = sorted(left, key=lambda fact: abs(fact.level - level))[:CANDIDATES]
        answers = {fact.answer for fact in facts}
        others = sorted({fact.answer for fact in of_topic} - answers)
        options = [*sorted(answers), *chance.sample(others, OPTIONS - len(answers))]
        chance.shuffle(options)
        return Choice(tuple(facts), tuple(options))
