"""What an organiser does with the questions of an event's form."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from consult_app import audit
from consult_app.db import db
from consult_app.errors import Conflict, Invalid, Missing
from consult_app.events.models import Event
from consult_app.i18n import Texts, _
from consult_app.policy import Actor
from consult_app.registrations.models import Question, QuestionAnswer, QuestionKind

WITH_OPTIONS = frozenset({QuestionKind.CHOICE, QuestionKind.MULTIPLE})
MOST = 60  # questions of one event, the retired ones included


@dataclass
class QuestionDetails:
    """What an organiser gives; an option without a key is new."""

    kind: QuestionKind
    label: Texts
    hint: Texts = field(default_factory=dict)
    is_required: bool = False
    options: list[dict[str, Any]] = field(default_factory=list)
    stakeholder_type_codes: list[str] = field(default_factory=list)


def questions_of(event: Event, *, retired: bool = False) -> list[Question]:
    """The questions of an event's form in their order; with `retired` also those that are asked no more, at the end."""
    query = select(Question).where(Question.event_id == event.id).order_by(Question.is_retired, Question.place, Question.id)
    return list(db.session.scalars(query if retired else query.where(Question.is_retired.is_(False))))


def load_question(event: Event, public_id: str) -> Question:
    """A question of this event. Raises Missing."""
    found = db.session.scalar(select(Question).where(Question.event_id == event.id, Question.public_id == public_id))
    if found is None:
        raise Missing(_("There is no such question at this event."))
    return found


def counts_of_answers(event: Event) -> dict[int, int]:
    """How many people have answered each question."""
    query = (
        select(QuestionAnswer.question_id, func.count(func.distinct(QuestionAnswer.registration_id)))
        .join(Question, Question.id == QuestionAnswer.question_id)
        .where(Question.event_id == event.id)
        .group_by(QuestionAnswer.question_id)
    )
    return dict(db.session.execute(query).tuples().all())


def _fill(question: Question, details: QuestionDetails) -> None:
    options = [{**o, "key": o.get("key") or secrets.token_hex(4)} for o in details.options] if details.kind in WITH_OPTIONS else []
    if details.kind in WITH_OPTIONS and len(options) < (2 if details.kind is QuestionKind.CHOICE else 1):
        raise Invalid(_("Give at least two choices."), field="options")
    question.kind, question.label, question.hint = details.kind, details.label, details.hint
    question.is_required, question.options = details.is_required, options
    question.stakeholder_type_codes = details.stakeholder_type_codes


@audit.in_turn
def add_question(event: Event, details: QuestionDetails, *, by: Actor) -> Question:
    """Ask one more question, after the others. Raises Conflict where there are too many, Invalid without choices."""
    last, count = db.session.execute(select(func.max(Question.place), func.count()).where(Question.event_id == event.id)).one()
    if count >= MOST:
        raise Conflict(_("A form has at most %(most)s questions.", most=MOST))
    question = Question(consultation_id=event.consultation_id, event_id=event.id, place=(last or 0) + 1)
    _fill(question, details)
    db.session.add(question)
    audit.record(by, "question.add", question)
    return question


@audit.in_turn
def change_question(question: Question, event: Event, details: QuestionDetails, *, by: Actor) -> None:
    """Change a question. What was answered has to stay readable: its kind, and the choices that were made, stay."""
    used = set(db.session.scalars(select(QuestionAnswer.value).where(QuestionAnswer.question_id == question.id).distinct()))
    if used and details.kind is not question.kind:
        raise Invalid(_("It has answers already, so its kind stays. Retire it and add another."), field="kind")
    if question.kind in WITH_OPTIONS and used - {o.get("key") for o in details.options}:
        raise Invalid(_("A choice that somebody has made cannot be taken away. Give it 0 seats, so that nobody else can."), field="options")
    _fill(question, details)
    audit.record(by, "question.change", question)


@audit.in_turn
def retire_question(question: Question, *, by: Actor) -> None:
    """Ask it no more; the answers stay."""
    if question.is_retired:
        raise Conflict(_("This question is retired already."))
    question.is_retired = True
    audit.record(by, "question.retire", question)


@audit.in_turn
def ask_again(question: Question, *, by: Actor) -> None:
    """Put a retired question back on the form."""
    if not question.is_retired:
        raise Conflict(_("This question is on the form already."))
    question.is_retired = False
    audit.record(by, "question.ask_again", question)


@audit.in_turn
def move_question(question: Question, event: Event, step: int, *, by: Actor, seen: int | None = None) -> None:
    """Move a question up (-1) or down (1) among those that are asked. Raises Conflict where its `place` is not the one `seen` any more."""
    if seen is not None and question.place != seen:
        raise Conflict(_("The order was changed meanwhile. Look at the list again."))
    asked = questions_of(event)
    here = next((n for n, q in enumerate(asked) if q.id == question.id), None)
    if here is None or not 0 <= here + step < len(asked):
        raise Conflict(_("It cannot be moved any further."))
    asked[here], asked[here + step] = asked[here + step], asked[here]
    for place, one in enumerate(asked, 1):
        if one.place != place:
            one.place = place
            audit.record(by, "question.move", one)
