"""A lesson and a question about it: a model chooses and words, the course knows what is right."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

sys.path.insert(0, str(Path(__file__).parents[2] / "sdk/python/src"))

from aigen import AiGen, Answer, Check, Length, Truncated, ai_fn  # noqa: E402
from course import Choice, Course, Fact  # noqa: E402
from learner import Learner  # noqa: E402


@dataclass
class Item:
    teach: Annotated[str, Length(1, 120)]
    question: Annotated[str, Length(10, 112)]
    answer: Annotated[str, Length(1, 40)]


@ai_fn(max_tokens=160, temperature=0.0)
def quiz_item(material: str) -> Item:
    """Choose a fact to teach; ask for its first word in the fact's own words; give the answer,
    which is one of the options."""
    raise Answer


@dataclass(frozen=True)
class Lesson:
    """One step of a course."""

    fact: Fact
    question: str
    options: tuple[str, ...]
    by_model: bool
    """Whether the question is the model's; otherwise it is the teacher's."""


@dataclass
class Tutor:
    """Who teaches, with what, and who pays for it."""

    client: AiGen
    course: Course
    controller: str | None = None
    bill_to: str | None = None
    retries: int = 1
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def lessons(self, topic: str, session: Session) -> Iterator[Lesson]:
        """One lesson after the other, each at the learner's level, until all is taught."""
        while choice := self.course.choice(topic, session.learner.wanted, session.taught, self.chance):
            lesson = self.lesson(choice, session.questions)
            session.taught.append(lesson.fact.fact)
            session.questions.append(lesson.question)
            yield lesson

    def lesson(self, choice: Choice, asked: list[str]) -> Lesson:
        """The model's item if it is a good one, else the teacher's question about the same facts."""
        call = quiz_item.call(material(choice)).on(self.client).retries(self.retries)
        call = call.check(lambda item: fault(item, choice, asked))
        if self.controller is not None:
            call = call.controller(self.controller).params(choice.holes)
        if self.bill_to is not None:
            call = call.bill_to(self.bill_to)
        try:
            item = call.value()
        except (Check, Truncated):
            first = choice.facts[0]
            return Lesson(first, first.question, choice.options, by_model=False)
        fact = choice.fact(item.teach)
        assert fact is not None, "the check has looked"
        return Lesson(fact, item.question, choice.options, by_model=True)


@dataclass
class Session:
    """What one learner has seen, and can do."""

    learner: Learner = field(default_factory=Learner)
    taught: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)

    def answered(self, lesson: Lesson, answer: str) -> bool:
        """Whether it is right, which moves the level."""
        right = answer == lesson.fact.answer
        self.learner = self.learner.answered(lesson.fact.level, len(lesson.options), right)
        return right


def material(choice: Choice) -> str:
    facts = " ".join(fact.fact for fact in choice.facts)
    return f"Write a quiz item.\nLesson: {facts}\nOptions: {', '.join(choice.options)}\nBegin the question with: {choice.facts[0].stem}"


def fault(item: Item, choice: Choice, asked: list[str]) -> str | None:
    """Why a learner should not see it."""
    fact = choice.fact(item.teach)
    if fact is None:
        return "what is taught is none of the course's facts"
    if item.answer != fact.answer:
        return f"{item.answer!r} is not the answer to a question about {fact.fact!r}"
    wanted = f"{fact.stem} {fact.predicate}?"
    if same(item.question) != same(wanted):
        return f"a question about that fact is {wanted!r}"
    if same(item.question) in map(same, asked):
        return "this question was asked before"
    return None


def same(question: str) -> str:
    """What two questions have in common that only differ in case and signs."""
    return "".join(sign for sign in question.casefold() if sign.isalnum())
