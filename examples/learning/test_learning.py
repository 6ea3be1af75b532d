"""The learner model by simulation, and the items by what could go wrong with them.

    python -m pytest examples/learning
"""

from __future__ import annotations

import random
import statistics

import pytest
from course import OPTIONS, Choice, Course
from learn import simulated, well_formed
from learner import Learner, chance
from tutor import Item, Lesson, Session, Tutor, fault

ANSWERS = 300
"""Of one simulated learner."""
LEARNERS = 40


def taught(skill: float, dice: random.Random, learner: Learner | None = None) -> Learner:
    """A learner of this skill after many items at whatever level the estimate asked for."""
    learner = learner or Learner()
    for _ in range(ANSWERS):
        item = learner.wanted
        learner = learner.answered(item, OPTIONS, dice.random() < chance(skill, item, OPTIONS))
    return learner


@pytest.mark.parametrize("skill", [-2.0, -1.0, 0.0, 1.0, 2.0])
def test_a_learner_of_known_skill_is_found_out(skill: float) -> None:
    dice = random.Random(20261128)
    levels = [taught(skill, dice).level for _ in range(LEARNERS)]
    assert abs(statistics.fmean(levels) - skill) < 0.1, levels
    assert statistics.stdev(levels) < 0.3, levels


def test_a_learner_who_gets_better_is_followed() -> None:
    dice = random.Random(7)
    before = [taught(-1.0, dice) for _ in range(LEARNERS)]
    after = [taught(1.0, dice, learner).level for learner in before]
    assert abs(statistics.fmean(after) - 1.0) < 0.2, after


def test_who_only_guesses_goes_down_and_who_knows_all_goes_up() -> None:
    guesses = taught(-50.0, random.Random(1))
    knows = taught(50.0, random.Random(1))
    assert guesses.level < -2.0 and knows.level > 2.0, (guesses, knows)


@pytest.mark.parametrize("level", [-2.0, 0.0, 2.0])
def test_asked_at_the_right_level_seven_in_ten_are_right(level: float) -> None:
    assert abs(chance(level, Learner(level).wanted, OPTIONS) - 0.7) < 0.01


def choices() -> list[Choice]:
    """Every choice that a learner can come to, teaching the first fact each time."""
    course, dice, found = Course.shipped(), random.Random(3), []
    for topic in course.topics:
        done: list[str] = []
        while choice := course.choice(topic, 0.0, done, dice):
            found.append(choice)
            done.append(choice.facts[0].fact)
    return found


def test_the_right_answer_is_always_an_option() -> None:
    for choice in choices():
        assert len(set(choice.options)) == OPTIONS
        assert {fact.answer for fact in choice.facts} <= set(choice.options)


def test_facts_begin_with_their_answer_and_teachers_ask_for_it() -> None:
    course = Course.shipped()
    for fact in course.facts:
        assert fact.fact == f"{fact.answer} {fact.predicate}."
        assert fact.question.endswith("?") and fact.answer not in fact.question
    sentences = [fact.fact for fact in course.facts]
    assert len(set(sentences)) == len(sentences) > 0


def test_faults_are_named() -> None:
    choice = choices()[0]
    one, other = choice.facts[:2]
    question = f"{one.stem} {one.predicate}?"
    rows = [
        (Item(one.fact, question, one.answer), [], None),
        (Item("Cats are planets.", question, one.answer), [], "none of the course's facts"),
        (Item(one.fact, question, other.answer), [], "is not the answer"),
        (Item(one.fact, f"{one.stem} {other.predicate}?", one.answer), [], "a question about that fact is"),
        (Item(one.fact, question, one.answer), [question.upper()], "asked before"),
    ]
    for item, asked, expected in rows:
        found = fault(item, choice, asked)
        assert found is None if expected is None else expected in (found or ""), (item, found)


class Nobody(Tutor):
    """A tutor whose model gives nothing that can be used."""

    def lesson(self, choice: Choice, asked: list[str]) -> Lesson:
        fact = choice.facts[0]
        return Lesson(fact, fact.question, choice.options, by_model=False)


def test_a_course_is_taught_once_and_moves_the_level() -> None:
    from aigen import AiGen

    course = Course.shipped()
    for topic in course.topics:
        session = Session()
        tutor = Nobody(AiGen(base_url="http://127.0.0.1:9", key=""), course)
        answering = simulated(50.0, random.Random(1))
        for lesson in tutor.lessons(topic, session):
            assert well_formed(lesson)
            assert session.answered(lesson, answering(lesson))
        assert len(session.taught) == len(set(session.taught)) == session.learner.answers
        assert len(session.taught) == sum(fact.topic == topic for fact in course.facts)
        assert session.learner.level > 1.0
