"""One reminder before the time for written comments ends, to whoever agreed to be written to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from consult_app import audit, jobs, mail
from consult_app.consultations.models import Consultation, Section, SectionState
from consult_app.db import db, now
from consult_app.events.models import Event
from consult_app.i18n import gettext, local
from consult_app.policy import System
from consult_app.registrations.models import Purpose, Registration, RegistrationState
from consult_app.registrations.queries import agreeing
from consult_app.registrations.tickets import personal_link

BEFORE = dt.timedelta(days=2)
BY = System("reminders")
AT_ONCE = 100  # mails queued in one transaction


def _due() -> list[tuple[int, dt.datetime]]:
    """Consultations with a deadline that is near, each deadline once, however many sections have it."""
    near = select(Section.consultation_id, Section.comments_until).where(
        Section.state == SectionState.OPEN, Section.comments_until > now(), Section.comments_until <= now() + BEFORE
    )
    return [(consultation, until) for consultation, until in db.session.execute(near.distinct()).tuples() if until is not None]


def _agreed(consultation_id: int) -> dict[int, Registration]:
    """By person, the newest registration of those with a place and an address who agreed to be written to, and still do."""
    query = (
        select(Registration)
        .where(
            Registration.consultation_id == consultation_id,
            Registration.state == RegistrationState.CONFIRMED,
            Registration.email != "",
            Registration.id.in_(agreeing(Purpose.FOLLOW_UP)),
        )
        .order_by(Registration.id)
    )
    return {registration.person_id: registration for registration in db.session.scalars(query.options(joinedload(Registration.person)))}


def _queue(registrations: Iterable[Registration], consultation_id: int, until: dt.datetime) -> int:
    """Queue the reminder for whoever has not had it for this deadline; returns for how many."""
    known = set(db.session.scalars(select(mail.Mail.key).where(mail.Mail.consultation_id == consultation_id, mail.Mail.kind == KIND)))
    told = 0
    for registration in registrations:
        key = f"deadline:{int(until.timestamp())}:{registration.person.public_id}"
        if key not in known:
            mail.queue(
                KIND, registration.email, registration.language, key, consultation_id, about=registration.public_id,
                registration_id=registration.id, until=until.isoformat(),
            )  # fmt: skip
            told += 1
            if told % AT_ONCE == 0:
                db.session.commit()
    return told


@jobs.hourly
def remind() -> None:
    """Write once per deadline and person, two days before it."""
    for consultation_id, until in _due():
        told = _queue(_agreed(consultation_id).values(), consultation_id, until)
        if told:
            audit.record(BY, "comment.remind", db.session.get_one(Consultation, consultation_id), note=f"{told} people")
        db.session.commit()


KIND = "comments.deadline"


@mail.builder(KIND)
def deadline_mail(registration_id: int, until: str) -> mail.Parts:
    with_event = joinedload(Registration.event).joinedload(Event.consultation)
    registration = db.session.get_one(Registration, registration_id, options=[with_event])
    consultation, moment = registration.event.consultation, dt.datetime.fromisoformat(until)
    query = select(Section).where(Section.consultation_id == consultation.id, Section.comments_until == moment)
    rows = db.session.scalars(query.order_by(Section.number).options(joinedload(Section.dimension)))
    sections = [section for section in rows if section.takes_comments]
    if not sections or not registration.is_live or not registration.email:
        raise mail.NotNeeded(gettext("The comments are closed, or the time was changed."))
    names = {
        "registration": registration,
        "consultation": consultation,
        "sections": sections,
        "until": moment,
        "link": personal_link(registration.seed, f"/consultations/{consultation.slug}/take-part"),
    }
    return mail.Parts(
        gettext("Comments end soon: %(consultation)s", consultation=local(consultation.title)), "comments/email/deadline", names
    )
