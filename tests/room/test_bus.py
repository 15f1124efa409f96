"""Two server processes share one session: what is committed at one is told at the other, also when the line is cut."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import time
import urllib.parse
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from flask_migrate import upgrade

from benchmarks.checkins import server
from benchmarks.streams import enter
from consult_app import audit, create_app
from consult_app.consultations import actions as consultations
from consult_app.db import db
from consult_app.events.models import Session
from consult_app.registrations.tickets import link_secret
from consult_app.room import actions
from tests import factories
from tests.conftest import SETTINGS
from tests.journeys.conftest import wait_for
from tests.postgresql import postgresql_server

pytestmark = pytest.mark.xdist_group("bus")  # one PostgreSQL for all
LOOK = "60"  # seconds: what arrives sooner was told, not found by looking
TOLD = 20  # seconds: far from that, and enough for a machine that does other things too


@dataclass
class Place:
    """A room that runs, on a database of its own, and somebody who may write in it."""

    environment: dict[str, str]
    room: str
    code: str
    link: str


@contextmanager
def make_place(var: Path) -> Iterator[Place]:
    """A PostgreSQL of its own with a room that runs."""
    with postgresql_server() as url:
        app = create_app({**SETTINGS, "VAR": var, "DATABASE_URL": url})
        with app.app_context():
            upgrade()
            event = factories.make_event()
            for section in event.consultation.sections:
                consultations.open_section(section, by=factories.BY)
            times = {"day": event.starts_on, "starts_at": event.starts_at, "ends_at": event.ends_at}
            session = Session(consultation_id=event.consultation_id, event=event, title={"en": "Plenary"}, **times)
            db.session.add(session)
            audit.record(factories.BY, "session.add", session)
            room = actions.open_room(session, by=factories.BY)
            actions.start(room, by=factories.BY)
            link = link_secret(factories.make_registration(event).seed)
            db.session.commit()
            assert room.indicator is not None
            environment = {
                "CONSULT_VAR": str(var), "DATABASE_URL": url, "CONSULT_LOOK": LOOK, "CONSULT_TOKEN_KEY": SETTINGS["TOKEN_KEY"],
                "CONSULT_SECRET_KEY": SETTINGS["SECRET_KEY"],
            }  # fmt: skip
            made = Place(environment, room.public_id, room.indicator.code, link)
            db.session.remove()
            db.engine.dispose()
        yield made


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with make_place(tmp_path_factory.mktemp("bus")) as made:
        yield made


@contextmanager
def redis_server(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)], stdout=subprocess.DEVNULL
    )
    try:
        with redis.Redis(port=port) as client:

            def answers() -> bool:
                try:
                    return bool(client.ping())
                except redis.ConnectionError:
                    return False

            wait_for(answers)
        yield f"redis://127.0.0.1:{port}/0", process
    finally:
        process.kill()
        process.wait()


class Phone:
    """Writes at one server and reads the stream of another."""

    def __init__(self, place: Place, here: int, there: int) -> None:
        self.place, self.here = place, here
        self.cookie, self.token = enter(here, place.link)
        reading = http.client.HTTPConnection("127.0.0.1", there, timeout=30)
        reading.request("GET", f"/rooms/{place.room}/stream?view=phone", headers={"Cookie": self.cookie})
        self.stream = reading.getresponse()
        assert self.stream.status == 200
        self.read_until("data-code")

    def read_until(self, words: str) -> None:
        while words not in self.stream.readline().decode():
            pass

    def write(self, mark: str) -> int:
        """Send a comment here; the status of the answer."""
        body = urllib.parse.urlencode({"code": self.place.code, "kind": "context", "text": mark, "client_key": mark})
        headers = {"Cookie": self.cookie, "X-CSRFToken": self.token, "Content-Type": "application/x-www-form-urlencoded"}
        writing = http.client.HTTPConnection("127.0.0.1", self.here, timeout=30)
        writing.request("POST", f"/rooms/{self.place.room}/comments", body, headers)
        return writing.getresponse().status

    def seconds_until_told(self) -> float:
        """Write here; how long until it stands there."""
        mark, started = uuid.uuid4().hex, time.monotonic()
        assert self.write(mark) == 200
        self.read_until(mark)
        return time.monotonic() - started


def told(phone: Phone) -> float:
    """Found by looking, the second comment would take as long as lies between two looks: the first was found by one."""
    phone.seconds_until_told()
    return min(phone.seconds_until_told() for _n in range(2))


def test_redis_tells_the_other_process_and_when_it_is_killed_nothing_is_lost(place: Place, tmp_path: Path) -> None:
    with redis_server(tmp_path) as (url, process):
        environment = {**place.environment, "CONSULT_NEWS": url}
        with server("wsgi:app", environment) as here, server("wsgi:app", environment) as there:
            phone = Phone(place, here, there)
            assert told(phone) < TOLD
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert phone.seconds_until_told() < TOLD
            assert phone.seconds_until_told() < TOLD


def test_postgresql_tells_the_other_process(place: Place) -> None:
    environment = {**place.environment, "CONSULT_NEWS": "postgresql"}
    with server("wsgi:app", environment) as here, server("wsgi:app", environment) as there:
        assert told(Phone(place, here, there)) < TOLD


def test_what_the_setting_may_be(tmp_path: Path) -> None:
    for wrong in ("postgresql", "kafka://x"):  # the first needs a PostgreSQL database
        with pytest.raises(RuntimeError, match="CONSULT_NEWS"):
            create_app({**SETTINGS, "VAR": tmp_path, "DATABASE_URL": f"sqlite:///{tmp_path / 'x.db'}", "NEWS": wrong})
