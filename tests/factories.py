"""What tests stand on, made through the actions as the product makes it. Each returns a row; the caller commits."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pyotp
from argon2 import PasswordHasher
from sqlalchemy import select

from consult_app import audit
from consult_app.accounts import actions as accounts
from consult_app.accounts.models import User
from consult_app.consultations.models import Attribution, Consultation, Dimension, FocalPoint, Indicator, Level, Section
from consult_app.db import db, now
from consult_app.events.models import Event, EventKind, EventMode, EventState
from consult_app.policy import SECOND_FACTOR_ROLES, Role, System
from consult_app.registrations import actions as registrations
from consult_app.registrations.models import Registration, Sex, Source, StakeholderType
from consult_app.registrations.stakeholders import add_stakeholder_type

BY = System("tests")
PASSWORD = "a password for the tests"
# cheap to verify: hundreds of tests sign in, and what a real one costs is not theirs to prove
_PASSWORD_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
_numbers = itertools.count(1)


def make_user(role: Role | None = None, consultation: Consultation | None = None, *, administrator: bool = False, **columns: Any) -> User:
    """An account that can sign in; with a second factor where its role asks for one."""
    number = next(_numbers)
    user = accounts.create_user(f"user{number}@example.org", columns.pop("name", f"User {number}"), by=BY, administrator=administrator)
    user.password_hash = _PASSWORD_HASH
    for name, value in columns.items():
        setattr(user, name, value)
    if administrator or role in SECOND_FACTOR_ROLES:
        user.totp_secret, user.totp_confirmed_at = pyotp.random_base32(), now()
    audit.record(BY, "user.create", user)
    if role is not None:
        assert consultation is not None
        accounts.add_role(user, consultation.id, role, by=BY, institution="Ministry of Tests")
    return user


def make_consultation(indicators: int = 3, dimensions: int = 2, **columns: Any) -> Consultation:
    """A consultation with dimensions, their sections, and indicators spread over them (1.1, 2.1, 1.2 …)."""
    number = next(_numbers)
    values = {
        "slug": f"consultation-{number}",
        "title": {"en": f"Consultation {number}", "id": f"Konsultasi {number}"},
        "level": Level.NATIONAL,
        "territory": "ID",
        "languages": ["en", "id"],
        "attribution": Attribution.BY_INSTITUTION,
        **columns,
    }
    consultation = Consultation(**values)
    db.session.add(consultation)
    audit.record(BY, "consultation.create", consultation)
    for n in range(1, dimensions + 1):
        dimension = Dimension(consultation_id=consultation.id, number=n, name={"en": f"Dimension {n}", "id": f"Dimensi {n}"})
        db.session.add(dimension)
        audit.record(BY, "dimension.add", dimension)
        section = Section(consultation_id=consultation.id, dimension_id=dimension.id, number=n, narrative={"en": f"Text of section {n}."})
        db.session.add(section)
        audit.record(BY, "section.add", section)
    for n in range(indicators):
        dimension = db.session.scalars(
            select(Dimension).where(Dimension.consultation_id == consultation.id, Dimension.number == n % dimensions + 1)
        ).one()
        indicator = Indicator(
            consultation_id=consultation.id,
            dimension_id=dimension.id,
            code=f"{dimension.number}.{n // dimensions + 1}",
            place=n,
            question={"en": f"Is there a policy number {n}?", "id": f"Apakah ada kebijakan nomor {n}?"},
            finding={"en": f"Finding {n}.", "id": f"Temuan {n}."},
        )
        db.session.add(indicator)
        audit.record(BY, "indicator.add", indicator)
    types = (("government", "Government", "Pemerintah"), ("ngo", "NGO", "LSM"), ("cso", "CSO", "OMS"), ("un", "UN agency", "Badan PBB"))
    for place, (code, name, nama) in enumerate(types):
        add_stakeholder_type(consultation.id, code, {"en": name, "id": nama}, place, by=BY)
    db.session.expire(consultation)
    return consultation


def make_event(consultation: Consultation | None = None, **columns: Any) -> Event:
    """A published event tomorrow, at which registration is open."""
    consultation = consultation or make_consultation()
    number, tomorrow = next(_numbers), dt.date.today() + dt.timedelta(days=1)  # noqa: DTZ011  any day will do
    values = {
        "consultation_id": consultation.id,
        "slug": f"event-{number}",
        "kind": EventKind.VALIDATION,
        "state": EventState.PUBLISHED,
        "mode": EventMode.IN_PERSON,
        "title": {"en": f"Event {number}", "id": f"Acara {number}"},
        "starts_on": tomorrow,
        "ends_on": columns.get("starts_on", tomorrow),
        "starts_at": dt.time(8, 30),
        "ends_at": dt.time(16, 0),
        "timezone": "Asia/Jakarta",
        "venue": "Hall of Tests",
        **columns,
    }
    event = Event(**values)
    db.session.add(event)
    audit.record(BY, "event.create", event)
    return event


def stakeholder_type(consultation_id: int, code: str = "government") -> StakeholderType:
    return db.session.scalars(
        select(StakeholderType).where(StakeholderType.consultation_id == consultation_id, StakeholderType.code == code)
    ).one()


def make_registration(
    event: Event | None = None, *, kind: str = "government", send: bool = False, client_key: str | None = None, **details: Any
) -> Registration:
    """Somebody registered by the organiser, without a mail unless `send`."""
    event = event or make_event()
    number = next(_numbers)
    values = {
        "name": f"Person {number}",
        "institution": f"Institution of {kind}",
        "email": f"person{number}@example.org",
        "sex": Sex.FEMALE,
        "stakeholder_type": stakeholder_type(event.consultation_id, kind),
        **details,
    }
    registration, _new = registrations.register(
        event, registrations.Details(**values), by=BY, source=Source.ORGANISER, send=send, client_key=client_key
    )
    return registration


def name_focal_point(section: Section, user: User, institution: str = "Ministry of Tests") -> FocalPoint:
    named = FocalPoint(consultation_id=section.consultation_id, section_id=section.id, user=user, institution=institution)
    db.session.add(named)
    audit.record(BY, "focal_point.name", named)
    return named
