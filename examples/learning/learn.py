"""Lessons and questions at a learner's level.

    python examples/learning/learn.py --topic planets

AIGEN_URL and AIGEN_KEY name the node; README.md says the rest.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from course import CANDIDATES, OPTIONS, Course
from learner import Learner, chance
from tutor import Lesson, Session, Tutor  # Finds the package `aigen` beside this folder.

from aigen import AiError, AiGen

Answering = Callable[[Lesson], str]


def simulated(skill: float, dice: random.Random) -> Answering:
    """Somebody who knows items by their level, and guesses otherwise."""

    def answer(lesson: Lesson) -> str:
        right = lesson.fact.answer
        if dice.random() < chance(skill, lesson.fact.level, len(lesson.options)):
            return right
        return dice.choice([option for option in lesson.options if option != right])

    return answer


def person(lesson: Lesson) -> str:
    for number, option in enumerate(lesson.options, 1):
        print(f"    {number}. {option}")
    while True:
        said = input("  Your answer: ").strip()
        if said.isdecimal() and 1 <= int(said) <= len(lesson.options):
            return lesson.options[int(said) - 1]
        if said in lesson.options:
            return said
        print(f"  hint: a number from 1 to {len(lesson.options)}")


def study(tutor: Tutor, topic: str, session: Session, answering: Answering, count: int) -> None:
    before = len(session.taught)
    for _, lesson in zip(range(count), tutor.lessons(topic, session)):
        print(f"  {lesson.fact.fact}" if answering is not person else "")
        author = "the model" if lesson.by_model else "the teacher"
        print(f"  {lesson.question} ({' / '.join(lesson.options)}; asked by {author})")
        answer = answering(lesson)
        right = session.answered(lesson, answer)
        said = "right" if right else f"no: {lesson.fact.answer}"
        print(f"    {answer}: {said}; level {session.learner.level:+.2f}")
        if answering is person and not right:
            print(f"    {lesson.fact.fact}")
    if len(session.taught) - before < count:
        print(f"  That is all there is about {topic}.")


def golden(tutor: Tutor) -> dict[str, object]:
    """Every topic at two levels, all of it: what the model's items are like at the first try."""
    tutor.retries = 0
    seen: list[Lesson] = []
    formed = repeated = 0
    guessed = 0.0
    for topic in tutor.course.topics:
        for level in (-1.0, 1.0):
            session = Session(Learner(level))
            lessons = list(tutor.lessons(topic, session))
            formed += sum(well_formed(lesson) for lesson in lessons)
            repeated += len(session.questions) - len(set(session.questions))
            seen += lessons
            guessed += sum(1 / (min(CANDIDATES, left) * OPTIONS) for left in range(len(lessons), 0, -1))
    of = len(seen)
    accepted = sum(lesson.by_model for lesson in seen)
    return {
        "scores": [
            score("question is well-formed, its answer is an option", formed, of, 0),
            score("question is new in its session", of - repeated, of, 0),
            score("item is the model's own, and its answer is right", accepted, of, int(guessed)),
        ]
    }


def well_formed(lesson: Lesson) -> bool:
    options = set(lesson.options)
    return lesson.question.endswith("?") and lesson.fact.answer in options and len(options) == 4


def score(what: str, right: int, of: int, baseline: int) -> dict[str, object]:
    return {"what": what, "right": right, "of": of, "baseline": baseline}


def arguments() -> argparse.Namespace:
    course = Course.shipped()
    said = argparse.ArgumentParser(description="Lessons and questions at a learner's level.")
    said.add_argument("--topic", choices=course.topics, default=course.topics[0])
    said.add_argument("--count", type=int, default=6, help="how many lessons; 6 otherwise")
    said.add_argument("--learner", type=Path, help="a file that keeps what the learner has seen and can do")
    said.add_argument("--simulate", type=float, metavar="LEVEL", help="somebody of this level answers")
    said.add_argument("--golden", action="store_true", help="measure, and print JSON")
    said.add_argument("--controller", help="what steers, like lena/tutor@1.0.0; the type's schema otherwise")
    said.add_argument("--bill-to", help="which user pays, by an allowance to this app; the app otherwise")
    return said.parse_args()


def opened(path: Path | None) -> Session:
    if path is None or not path.exists():
        return Session()
    try:
        kept = json.loads(path.read_text())
        return Session(Learner(**kept.pop("learner")), **kept)
    except (ValueError, KeyError, TypeError, AttributeError):
        sys.exit(f"error: {path} is no learner's file\nhint: name another, or delete it")


def main() -> None:
    said = arguments()
    tutor = Tutor(AiGen(), Course.shipped(), said.controller, said.bill_to)
    if said.golden:
        print(json.dumps(golden(tutor)))
        return
    session = opened(said.learner)
    answering = person if said.simulate is None else simulated(said.simulate, random.Random(7))
    try:
        study(tutor, said.topic, session, answering, said.count)
    except (EOFError, KeyboardInterrupt):
        print("\n  Goodbye.")
    if said.learner is not None:
        said.learner.write_text(json.dumps(asdict(session)) + "\n")


if __name__ == "__main__":
    try:
        main()
    except AiError as error:
        sys.exit(f"error: {error}")
