"""Two hundred people want the last seat at one moment; and what happens to them where the lock is taken away."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

from flask import Flask
from sqlalchemy.exc import OperationalError

from benchmarks.site import empty_site, register
from consult_app import audit
from consult_app.consultations.models import Consultation
from consult_app.db import db, transaction_mode
from consult_app.events.models import Event
from consult_app.policy import Nobody
from consult_app.registrations import actions as registrations
from consult_app.registrations.models import Registration, RegistrationState, Source
from proofs import Finding
from proofs.site import record_guests
from tests import factories
from tests.postgresql import postgresql_server


@contextlib.contextmanager
def _crowd(url: str | None, clients: int) -> Iterator[tuple[Flask, int, list[str], str]]:
    """A consultation that knows all of them already, so that nothing but the seats makes them wait for one another."""
    with empty_site(url) as (app, event):
        people = register(event, clients)
        record_guests(event, people)
        consultation_id, emails = event.consultation_id, [person.email for person in people]
        institution = people[0].institution.name["en"]
        db.session.commit()
        yield app, consultation_id, emails, institution


def _round(app: Flask, consultation_id: int, emails: list[str], institution: str) -> tuple[int, int]:
    """An event with one seat left for all of them; how many got it, and how many were answered."""
    event = factories.make_event(db.session.get_one(Consultation, consultation_id), capacity=2)
    factories.make_registration(event, institution=institution)
    event_id = event.id
    db.session.commit()
    db.session.remove()
    gate = threading.Barrier(len(emails))

    def insist(n: int) -> bool:
        """As the worker does with what the public form sent, but all at one moment."""
        gate.wait()
        for _try in range(20):
            with app.app_context(), transaction_mode("write"):
                try:
                    wanted = db.session.get_one(Event, event_id)
                    kind = factories.stakeholder_type(consultation_id)
                    details = registrations.Details("Somebody", institution, kind, email=emails[n])
                    registrations.register(wanted, details, by=Nobody(), source=Source.PUBLIC, client_key=f"seat-{event_id}-{n}")
                    db.session.commit()
                    return True
                except OperationalError:  # the database is busy
                    db.session.rollback()
        return False

    with ThreadPoolExecutor(len(emails)) as crowd:
        answered = sum(crowd.map(insist, range(len(emails))))
    seated = db.select(db.func.count()).where(Registration.event_id == event_id, Registration.state == RegistrationState.CONFIRMED)
    return (db.session.scalar(seated) or 0) - 1, answered


def last_seat(*, rounds: int, clients: int) -> Finding:
    """So many rounds on each database; then rounds on PostgreSQL without the lock, until a seat is given twice."""
    figures, holds, oversold = [], True, [0]
    for name, server in (("SQLite", contextlib.nullcontext()), ("PostgreSQL", postgresql_server())):
        with server as url, _crowd(url, clients) as (app, *about):
            found = [_round(app, *about) for _n in range(rounds)]
            faults = audit.verify()[1]
            db.session.rollback()
            if url is not None:
                with mock.patch.object(audit, "take_turn"):
                    oversold = [_round(app, *about)[0] for _n in range(2)]
        exactly_one = sum(seats == 1 for seats, _answered in found)
        answered = sum(answered for _seats, answered in found)
        figures.append(f"{name}: {exactly_one} of {rounds} rounds of {clients} gave exactly one seat")
        holds = holds and (exactly_one, answered, faults) == (rounds, rounds * clients, [])
    figures.append(f"without the lock one seat is given {max(oversold)} times")
    return Finding("; ".join(figures), holds and max(oversold) > 1)
