"""A real PostgreSQL, and SQLite beside it: one schema, and a crowd that arrives at once (rules 4 and 7)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import text

from benchmarks.site import register
from consult_app import audit, create_app, jobs
from consult_app.accounts import actions as accounts
from consult_app.attendance.actions import Shown, scan_all
from consult_app.attendance.devices import create_token
from consult_app.attendance.models import CheckIn, Device
from consult_app.comments.models import Comment
from consult_app.consultations.actions import open_section
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import ticket_code
from tests import factories
from tests.conftest import SETTINGS, Client, totp
from tests.journeys.conftest import wait_for
from tests.postgresql import BIN, postgresql_server
from tests.registrations.test_register import FORM

pytestmark = pytest.mark.xdist_group("postgresql")  # each database is made once
CROWD = 12


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """The address of a server of our own, without fsync, gone afterwards."""
    if BIN is None:
        pytest.skip("needs the Debian package postgresql")
    with postgresql_server() as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on an empty database that was brought to the newest schema."""
    var = tmp_path_factory.mktemp(request.param)
    url = request.getfixturevalue("postgresql") if request.param == "postgresql" else f"sqlite:///{var / 'consult.db'}"
    app = create_app({**SETTINGS, "VAR": var, "DATABASE_URL": url})
    app.test_client_class = Client
    with app.app_context():
        upgrade()
        yield app
        db.session.remove()
        db.engine.dispose()


def at_once(deeds: list[Callable[[], Any]]) -> list[Any]:
    """Run all of them at one moment, each in a thread (so in contexts and a session of its own); return their answers."""
    db.session.commit()
    db.session.remove()
    gate, answers = threading.Barrier(len(deeds)), [None] * len(deeds)

    def run(number: int) -> None:
        gate.wait()
        answers[number] = deeds[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_a_second_factor_that_comes_twice_at_once_counts_once(app: Flask) -> None:
    user = factories.make_user(administrator=True)
    spare = accounts.renew_recovery_codes(user, by=user)[0]
    codes, email = (totp(user), spare), user.email
    for code in codes:
        clients = [app.test_client() for _n in range(6)]
        for client in clients:
            client.post("/sign-in", data={"email": email, "password": factories.PASSWORD})
        deeds = [partial(client.post, "/second-factor", data={"code": code}) for client in clients]
        assert sorted(answer.status_code for answer in at_once(deeds)) == [303] + [422] * 5
    assert audit.verify()[1] == []


def test_the_migrations_make_the_tables_of_the_models(app: Flask) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": db.metadata})
        assert compare_metadata(context, db.metadata) == []


@pytest.mark.parametrize("app", ["postgresql"], indirect=True)
def test_rule_4_seats_taken_away_while_somebody_waits_for_the_lock_are_not_given(app: Flask) -> None:
    """The event is in memory with two seats when an organiser makes it one. (On SQLite nobody else writes meanwhile.)"""
    event = factories.make_event(capacity=2)
    factories.make_registration(event)
    db.session.commit()
    assert event.capacity == 2
    with db.engine.begin() as organiser:
        organiser.execute(db.update(Event).where(Event.id == event.id).values(capacity=1))
    assert factories.make_registration(event, name="Second").is_waiting
    db.session.rollback()
    event.capacity = 2  # as recorded
    db.session.commit()


def test_rule_5_one_person_twelve_times_at_once_is_one_registration(app: Flask) -> None:
    event = factories.make_event()
    url, event_id = f"/events/{event.slug}/register", event.id
    deeds = [lambda n=n: app.test_client().post(url, data={**FORM, "client_key": f"same-{event_id}-{n}"}).status_code for n in range(CROWD)]
    assert at_once(deeds) == [303] * CROWD
    at_once([lambda: jobs.drain(app)] * 3)
    db.session.commit()
    assert db.session.scalar(db.select(db.func.count()).select_from(Registration).where(Registration.event_id == event_id)) == 1


def test_known_people_of_a_new_institution_register_at_two_events_at_once(app: Flask) -> None:
    """Each event is locked for itself; the institution belongs to the consultation."""
    consultation = factories.make_consultation()
    known, consultation_id = factories.make_event(consultation), consultation.id
    emails = [factories.make_registration(known).email for _n in range(6)]
    slugs = [factories.make_event(consultation).slug for _n in range(6)]

    def register(n: int) -> Callable[[], int]:
        data = {**FORM, "institution": "A quite new office", "email": emails[n], "client_key": slugs[n]}
        return lambda: app.test_client().post(f"/events/{slugs[n]}/register", data=data).status_code

    assert at_once([register(n) for n in range(6)]) == [303] * 6
    at_once([lambda: jobs.drain(app)] * 3)
    db.session.commit()
    assert db.session.scalar(db.select(db.func.count()).where(Registration.consultation_id == consultation_id)) == 12
    assert audit.verify()[1] == []


def test_comments_and_registrations_at_once_do_not_block_one_another(app: Flask) -> None:
    consultation = factories.make_consultation()
    open_section(consultation.sections[0], by=factories.BY)
    event, consultation_id = factories.make_event(consultation), consultation.id
    slug, comments = event.slug, f"/consultations/{consultation.slug}/indicators/1.1/comments"
    clients = [app.test_client().open_link(factories.make_registration(event)) for _n in range(6)]

    def write(n: int) -> Callable[[], int]:
        data = {"client_key": "k", "kind": "evidence", "text": f"Comment {n}"}
        return lambda: clients[n].post(comments, data=data).status_code

    def register(n: int) -> Callable[[], int]:
        data = {**FORM, "institution": f"Office {n}", "email": f"both{n}@example.org", "client_key": f"{slug}-{n}"}
        return lambda: app.test_client().post(f"/events/{slug}/register", data=data).status_code

    assert at_once([deed(n) for n in range(6) for deed in (write, register)]) == [303] * 12
    at_once([lambda: jobs.drain(app)] * 3)
    db.session.commit()
    numbers = db.session.scalars(db.select(Comment.number).where(Comment.consultation_id == consultation_id)).all()
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]
    assert audit.verify()[1] == []


def test_rule_7_one_ticket_at_two_desks_at_once(app: Flask) -> None:
    event = factories.make_event()
    event.starts_on = event.day_of(event.created_at or factories.now())
    event_id, slug = event.id, event.slug
    factories.audit.record(factories.BY, "event.change", event)
    clients = []
    for _n in range(2):
        client: Any = app.test_client()
        clients.append(client.sign_in(factories.make_user(Role.CHECK_IN, event.consultation)))
    for _round in range(5):
        code = ticket_code(factories.make_registration(event).seed)
        deeds = [lambda c=c, code=code: c.post(f"/events/{slug}/desk", data={"code": code, "nonce": "n"}).text for c in clients]
        answers = at_once(deeds)
        assert sorted(next(word for word in ("Already checked in", "Welcome") if word in page) for page in answers) == [
            "Already checked in",
            "Welcome",
        ]
        event = db.session.get_one(type(event), event_id)
    assert db.session.scalar(db.select(db.func.count()).select_from(CheckIn).where(CheckIn.event_id == event_id, CheckIn.is_arrival)) == 5
    assert audit.verify()[1] == []


def test_rule_8_a_thousand_pairs_of_scans_of_one_ticket(app: Flask) -> None:
    """Two devices, one ticket, one moment, a thousand times: one "ok" and one "already" of each pair."""
    event = factories.make_event()
    event.starts_on = event.day_of(event.created_at or factories.now())
    factories.audit.record(factories.BY, "event.change", event)
    codes = [ticket_code(person.seed) for person in register(event, 1000)]
    tokens = [create_token(event, f"Desk {n}", by=factories.BY)[1] for n in range(2)]
    event_id, url = event.id, f"/api/v1/events/{event.slug}/checkins"
    db.session.commit()
    db.session.remove()

    def both(code: str) -> list[str]:
        gate, found = threading.Barrier(2), ["", ""]

        def send(desk: int) -> None:
            gate.wait()
            client = app.test_client()
            answer = client.post(url, json={"code": code, "nonce": "n"}, headers={"Authorization": f"Bearer {tokens[desk]}"})
            found[desk] = answer.json["result"]

        threads = [threading.Thread(target=send, args=(desk,)) for desk in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(found)

    with ThreadPoolExecutor(4) as crowd:
        assert list(crowd.map(both, codes)) == [["already", "ok"]] * 1000
    arrived = db.select(db.func.count(), db.func.count(db.distinct(CheckIn.registration_id))).where(CheckIn.event_id == event_id)
    assert tuple(db.session.execute(arrived.where(CheckIn.is_arrival)).one()) == (1000, 1000)
    assert [fault for fault in audit.verify()[1] if "never recorded" not in fault.what] == []  # the guests were made past the log


def test_rule_7_a_scan_that_waited_for_another_process_sees_what_it_did(app: Flask) -> None:
    """PostgreSQL reads before it waits for the lock: what it read then is old, and read again."""
    if db.engine.dialect.name != "postgresql":
        return  # SQLite has one writer: there is nothing between reading and locking
    event = factories.make_event()
    event.starts_on = event.day_of(event.created_at or factories.now())
    factories.audit.record(factories.BY, "event.change", event)
    person = factories.make_registration(event)
    code, event_id = ticket_code(person.seed), event.id
    results: list[str] = []
    desks = [create_token(event, f"Desk {n}", by=factories.BY)[0].id for n in range(2)]
    db.session.commit()
    db.session.remove()
    has_scanned, may_commit = threading.Event(), threading.Event()

    def scan(desk: int) -> None:
        with app.app_context():
            event, device = db.session.get_one(Event, event_id), db.session.get_one(Device, desks[desk])
            answer = scan_all([Shown(event, device, "n", code)])[0]
            if desk == 0:
                has_scanned.set()
                may_commit.wait(30)
            results.append(answer.result.value)
            db.session.commit()

    threads = [threading.Thread(target=scan, args=(desk,)) for desk in range(2)]
    threads[0].start()
    assert has_scanned.wait(30)
    threads[1].start()
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as look:
        wait_for(lambda: look.scalar(waiting) or None)
    may_commit.set()
    for thread in threads:
        thread.join()
    assert results == ["ok", "already"]
