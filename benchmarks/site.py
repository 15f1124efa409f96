"""A site of its own for measurements: an empty database in a temporary folder, filled through the models."""

from __future__ import annotations

import datetime as dt
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from flask_migrate import upgrade

from consult_app import create_app
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.registrations.models import Registration, RegistrationState, Source
from consult_app.registrations.people import fill, set_secrets
from tests import factories
from tests.conftest import SETTINGS, Client, empty_database


@contextmanager
def empty_site(url: str | None = None) -> Iterator[tuple[Flask, Event]]:
    """An application on SQLite or at a database address, and an event of today without registrations."""
    with tempfile.TemporaryDirectory() as folder:
        var = Path(folder)
        app = create_app({**SETTINGS, "VAR": var, "DATABASE_URL": url or empty_database(var)})
        app.test_client_class = Client
        with app.app_context():
            if url:
                upgrade()
            today = dt.datetime.now(ZoneInfo("Asia/Jakarta")).date()
            event = factories.make_event(starts_on=today, ends_on=today + dt.timedelta(days=1))
            db.session.commit()
            yield app, event
            db.session.remove()
            db.engine.dispose()


@contextmanager
def site() -> Iterator[tuple[Flask, Client, Event]]:
    """An application, a client signed in as organiser, and an event without registrations."""
    with empty_site() as (app, event):
        organiser = factories.make_user(Role.ORGANISER, event.consultation)
        db.session.commit()
        client: Any = app.test_client()
        client.sign_in(organiser)
        yield app, client, event


def register(event: Event, count: int) -> list[Registration]:
    """So many people of sixty institutions. The log is left out: it is not what is measured, and takes most of the time."""
    first = factories.make_registration(event, name="Siti Nurhaliza", institution="Institution 0")
    people = [first]
    for number in range(1, count):
        details = factories.registrations.details_of(first)
        details.name, details.email = f"Person {number} of Name {number % 977}", f"p{number}@example.org"
        details.institution = f"Institution {number % 60}"
        details.phone = f"+62 812-{number:04d}-{number % 9999:04d}"
        person = factories.registrations.find_person(event.consultation_id, "", by=factories.BY) if number < 2 else people[1].person
        person = type(person)(consultation_id=event.consultation_id, email=details.email)
        row = Registration(
            consultation_id=event.consultation_id, event=event, person=person, source=Source.IMPORT, state=RegistrationState.CONFIRMED
        )
        set_secrets(row)
        with db.session.no_autoflush:
            fill(row, details, by=factories.BY)
        db.session.add(row)
        people.append(row)
    db.session.commit()
    return people


def timed(act: Callable[[], Any]) -> float:
    """Seconds that one call takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def median(act: Callable[[], Any], times: int = 3) -> tuple[float, float]:
    """The median of several calls in seconds, and the spread between the fastest and the slowest."""
    taken = [timed(act) for _time in range(times)]
    return statistics.median(taken), max(taken) - min(taken)


def tell(name: str, value: float, unit: str, floor: float | None, n: int, spread: float = 0.0) -> None:
    """One line of JSON."""
    ratio = round(value / floor, 2) if floor else None
    figures = {
        "value": round(value, 4),
        "unit": unit,
        "floor": round(floor, 4) if floor else None,
        "ratio": ratio,
        "spread": round(spread, 4),
    }
    print(json.dumps({"name": name, **figures, "n": n}), flush=True)
