"""The public form: what was sent is noted in the request, and registered by the worker a moment later.

So the page does the same for a known address as for an unknown one, in the same time (product.md rule 5).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from typing import Any

import structlog
from sqlalchemy import select

from consult_app import audit, jobs, mail
from consult_app.addresses import address_key
from consult_app.db import db, now
from consult_app.errors import Conflict, DomainError
from consult_app.events.models import Event
from consult_app.i18n import _
from consult_app.policy import Nobody
from consult_app.registrations import actions
from consult_app.registrations.answers import Given
from consult_app.registrations.limits import check_group, check_options
from consult_app.registrations.models import (
    Attendance,
    ParticipantRole,
    Purpose,
    Question,
    Registration,
    Sex,
    Source,
    StakeholderType,
    Submission,
)  # fmt: skip
from consult_app.registrations.people import Details

log = structlog.get_logger()
ENUMS: dict[str, type[enum.StrEnum]] = {"sex": Sex, "attendance": Attendance, "role": ParticipantRole}


def submit(event: Event, details: Details, consents: dict[Purpose, bool], answers: Given, client_key: str | None) -> None:
    """Note what somebody sent. Raises Conflict where registration is closed, Invalid where a group or an option is full.

    Nothing here looks at who it is: only at what is the same for everybody.
    """
    if not event.takes_registrations:
        raise Conflict(_("Registration for this event is closed."))
    used = select(Registration.event_id).where(Registration.client_key == client_key)
    sent = select(Submission.event_id).where(Submission.client_key == client_key)
    if client_key and any(one != event.id for one in db.session.scalars(used.union(sent))):
        raise Conflict(_("This form was opened for another event. Open it again, and send it from there."))
    check_group(event, details.dimension_id, details.role)
    check_options(event, answers)
    typed = {field.name: getattr(details, field.name) for field in dataclasses.fields(Details) if field.name != "stakeholder_type"}
    submission = Submission(
        event_id=event.id,
        email=address_key(details.email),
        client_key=client_key,
        details={**typed, "stakeholder_type": details.stakeholder_type.id},
        consents={purpose.value: is_given for purpose, is_given in consents.items()},
        answers={question.public_id: values for question, values in answers.items()},
    )
    db.session.add(submission)
    db.session.flush()  # the job needs its id
    jobs.after_commit("registrations.register_sent", submission.id)


def _details(submission: Submission) -> Details:
    typed: dict[str, Any] = dict(submission.details)
    typed |= {name: kind(typed[name]) for name, kind in ENUMS.items()}
    return Details(**typed | {"stakeholder_type": db.session.get_one(StakeholderType, typed["stakeholder_type"])})


def _register(submission_id: int) -> None:
    """Register who sent it, or write to them why not; the row is gone then."""
    event = db.session.scalar(select(Event).join(Submission, Submission.event_id == Event.id).where(Submission.id == submission_id))
    if event is None:
        return
    audit.take_turn(event.consultation_id)
    submission = db.session.get(Submission, submission_id, populate_existing=True)
    if submission is None:
        return
    asked = db.session.scalars(select(Question).where(Question.public_id.in_(submission.answers))).all()
    answers: Given = {question: submission.answers[question.public_id] for question in asked}
    consents = {Purpose(purpose): is_given for purpose, is_given in submission.consents.items()}
    try:
        with db.session.begin_nested():
            details = _details(submission)
            actions.register(
                event, details, by=Nobody(), source=Source.PUBLIC, consents=consents, answers=answers,
                client_key=submission.client_key, sent_at=submission.sent_at,
            )  # fmt: skip
    except DomainError as problem:  # filled, or closed, between the page and here
        log.info("registration.not_made", of=event.public_id, problem=str(problem.message))
        key, language = f"registration:not_made:{submission.id}:{submission.sent_at.isoformat()}", submission.details["language"]
        mail.queue("registrations.not_made", submission.email, language, key, event.consultation_id, event_id=event.id)
    db.session.delete(submission)
    db.session.commit()


@jobs.job("registrations.register_sent")
def register_sent(submission_id: int) -> None:
    """Register what was sent to an event up to this submission, in the order in which it came."""
    event_id = db.session.scalar(select(Submission.event_id).where(Submission.id == submission_id))
    earlier = select(Submission.id).where(Submission.event_id == event_id, Submission.id <= submission_id).order_by(Submission.id)
    for one in db.session.scalars(earlier).all():
        try:
            _register(one)
        except Exception:  # it is tried again by its own job, and holds up nobody behind it
            db.session.rollback()
            if one == submission_id:
                raise
            log.exception("registration.failed", submission=one)


@jobs.sweep
def register_sent_again() -> None:
    """What was sent and whose job was lost in a crash."""
    late = now() - dt.timedelta(minutes=2)
    for submission_id in db.session.scalars(select(Submission.id).where(Submission.sent_at < late).order_by(Submission.id)):
        jobs.after_commit("registrations.register_sent", submission_id)
    db.session.commit()
