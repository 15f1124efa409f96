"""Choices with seats of their own: dimension groups, and options of questions.

Whoever waits, for a seat or for approval, keeps the choice they made, so that moving up can never overfill it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, func, select

from consult_app.db import db
from consult_app.errors import Conflict, Invalid
from consult_app.events.models import Event
from consult_app.i18n import _, gettext, local
from consult_app.registrations.models import LIVE, ParticipantRole, Question, QuestionAnswer, Quota, Registration


def _others(event_id: int, but: Registration | None) -> list[ColumnElement[bool]]:
    return [
        Registration.event_id == event_id,
        Registration.state.in_(LIVE),
        *([Registration.id != but.id] if but is not None and but.id is not None else []),
    ]


def group_seats(event: Event, but: Registration | None = None) -> dict[int, tuple[int, int]]:
    """Of each dimension group with a limit: seats, and how many are taken by others. Assistants do not count."""
    taken = (
        select(Registration.dimension_id, func.count().label("n"))
        .where(*_others(event.id, but), Registration.role != ParticipantRole.ASSISTANT)
        .group_by(Registration.dimension_id)
        .subquery()
    )
    rows = db.session.execute(
        select(Quota.dimension_id, Quota.seats, func.coalesce(taken.c.n, 0))
        .outerjoin(taken, taken.c.dimension_id == Quota.dimension_id)
        .where(Quota.event_id == event.id, Quota.dimension_id.is_not(None), Quota.seats.is_not(None))
    ).tuples()
    return {int(group or 0): (int(seats or 0), int(n)) for group, seats, n in rows}


def full_groups(event: Event, but: Registration | None = None) -> set[int]:
    """The ids of the dimensions whose group has no seat left."""
    return {group for group, (seats, taken) in group_seats(event, but).items() if taken >= seats}


def full_options(event: Event, questions: Iterable[Question], but: Registration | None = None) -> set[tuple[int, str]]:
    """The options without a seat left, as (id of the question, key of the option)."""
    limits = {(q.id, o["key"]): int(o["seats"]) for q in questions for o in q.options if o.get("seats") is not None}
    if not limits:
        return set()
    rows = db.session.execute(
        select(QuestionAnswer.question_id, QuestionAnswer.value, func.count())
        .join(Registration, Registration.id == QuestionAnswer.registration_id)
        .where(*_others(event.id, but), QuestionAnswer.question_id.in_({question for question, _key in limits}))
        .group_by(QuestionAnswer.question_id, QuestionAnswer.value)
    ).tuples()
    taken = {(question, value): n for question, value, n in rows}
    return {option for option, seats in limits.items() if taken.get(option, 0) >= seats}


def check_group(event: Event, dimension_id: int | None, role: ParticipantRole, but: Registration | None = None) -> None:
    """Raise Invalid where the group is full. Called under the event's lock."""
    if dimension_id is not None and role is not ParticipantRole.ASSISTANT and dimension_id in full_groups(event, but):
        raise Invalid(_("This group is full by now. Choose another one."), field="dimension_id")


def check_options(event: Event, chosen: dict[Question, list[str]], but: Registration | None = None) -> None:
    """Raise Invalid where an option is full. Called under the event's lock."""
    full = full_options(event, chosen, but)
    for question, values in chosen.items():
        for value in values:
            if (question.id, value) in full:
                name = local(next(o["name"] for o in question.options if o["key"] == value))
                raise Invalid(gettext("“%(choice)s” is full by now. Choose something else.", choice=name), field=field_name(question))


def check_again(registration: Registration) -> None:
    """Raise Conflict where a choice that was given up with a registration has been taken by others since."""
    chosen: dict[Question, list[str]] = {}
    for answer in registration.answers:
        chosen.setdefault(answer.question, []).append(answer.value)
    try:
        check_group(registration.event, registration.dimension_id, registration.role, registration)
        check_options(registration.event, chosen, registration)
    except Invalid as problem:
        raise Conflict(_("The group or a choice of this person has been filled by others. Give it more seats first.")) from problem


def field_name(question: Question) -> str:
    """The name of the question's field in forms."""
    return f"q_{question.public_id}"


def option_names(question: Question) -> Sequence[tuple[str, str]]:
    """(key, name) of each option, in the reader's language."""
    return [(o["key"], local(o["name"])) for o in question.options]
