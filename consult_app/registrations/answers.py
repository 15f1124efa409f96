"""Answers to the organiser's questions: one row for each value, so that a choice can be counted and filtered."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select

from consult_app import audit
from consult_app.db import db
from consult_app.i18n import day
from consult_app.policy import Actor
from consult_app.registrations import labels
from consult_app.registrations.limits import check_options, option_names
from consult_app.registrations.models import Question, QuestionAnswer, QuestionKind, Registration

Given = dict[Question, list[str]]  # the values of each question that was on the form; none: not answered


@audit.in_turn
def set_answers(registration: Registration, given: Given, *, by: Actor) -> None:
    """Keep what was answered. Under the event's lock; raises Invalid where an option newly chosen is full."""
    held: dict[int, list[QuestionAnswer]] = defaultdict(list)
    if registration.id is not None:
        for row in registration.answers:
            held[row.question_id].append(row)
    new = {q: [v for v in values if v not in {row.value for row in held[q.id]}] for q, values in given.items()}
    check_options(registration.event, new, registration)
    for question, values in given.items():
        gone = [row for row in held[question.id] if row.value not in values]
        for value in new[question]:
            if gone:  # another answer to the same question: the row goes on
                row = gone.pop()
                row.value = value
                audit.record(by, "answer.change", row)
            else:
                row = QuestionAnswer(
                    consultation_id=registration.consultation_id, registration=registration, question_id=question.id, value=value
                )
                row.question = question
                db.session.add(row)
                audit.record(by, "answer.give", row)
        for row in gone:
            audit.record(by, "answer.delete", row)
            registration.answers.remove(row)
            db.session.delete(row)


def words(question: Question, values: Sequence[str]) -> str:
    """Answers as people read them."""
    if question.kind in (QuestionKind.CHOICE, QuestionKind.MULTIPLE):
        names = dict(option_names(question))
        return ", ".join(names.get(value, value) for value in values)
    if question.kind in (QuestionKind.YES_NO, QuestionKind.CONSENT):
        return ", ".join(str(labels.YES_NO.get(value, value)) for value in values)
    if question.kind is QuestionKind.DATE:
        return ", ".join(day(dt.date.fromisoformat(value)) for value in values)
    return ", ".join(values)


def words_of(registration: Registration) -> list[tuple[Question, str]]:
    """Every question that was answered, with the answer; retired ones too."""
    values: dict[Question, list[str]] = {}
    for row in sorted(registration.answers, key=lambda row: (row.question.place, row.id)):
        values.setdefault(row.question, []).append(row.value)
    return [(question, words(question, given)) for question, given in values.items()]


def values_of(questions: Sequence[Question], registrations: Sequence[Registration]) -> dict[tuple[int, int], list[str]]:
    """The values by (registration, question), in one statement however many people there are."""
    if not questions or not registrations:
        return {}
    found: dict[tuple[int, int], list[str]] = defaultdict(list)
    wanted = {r.id for r in registrations}
    rows = db.session.execute(
        select(QuestionAnswer.registration_id, QuestionAnswer.question_id, QuestionAnswer.value)
        .where(QuestionAnswer.question_id.in_([q.id for q in questions]))
        .order_by(QuestionAnswer.id)
    ).tuples()
    for registration_id, question_id, value in rows:
        if registration_id in wanted:
            found[registration_id, question_id].append(value)
    return found
