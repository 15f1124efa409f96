"""A site in processes of its own that can be killed, and writers that send each of their writes until it is acknowledged."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from consult_app import audit
from consult_app.attendance.devices import create_token
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import ticket_code
from tests.factories import BY
from tests.journeys.conftest import CONSULT, ROOT, wait_for
from tests.journeys.desks import filled

Answer = tuple[int, bytes, http.client.HTTPMessage]


def ask(port: int, method: str, path: str, token: str = "", body: Any = None, timeout: float = 30) -> Answer:
    """One request on a connection of its own. Raises OSError or HTTPException where the server goes away."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)) as line:
        line.request(method, path, None if body is None else json.dumps(body), headers)
        answer = line.getresponse()
        return answer.status, answer.read(), answer.headers


@dataclass
class Desk:
    """An event of today with its guests, whose entries stand in the log, and a token of a device."""

    var: Path
    slug: str
    token: str
    codes: list[str]
    url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """Of processes that serve it."""
        given = {**os.environ, "CONSULT_VAR": str(self.var)}
        for name in ("DATABASE_URL", "PYTHONDONTWRITEBYTECODE"):  # an operator's processes keep what they compiled
            given.pop(name, None)
        return given | ({"DATABASE_URL": self.url} if self.url else {})

    def command(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a `consult` command on it."""
        return subprocess.run(
            [CONSULT, *words], env={**self.environment, **environment}, cwd=ROOT, capture_output=True, text=True, check=False
        )

    def rows(self, words: str) -> list[tuple[Any, ...]]:
        """What a SELECT finds in its database."""
        if self.url:
            with psycopg.connect(self.url) as connection:
                return connection.execute(words.encode()).fetchall()
        with contextlib.closing(sqlite3.connect(self.var / "consult.db")) as database:
            return database.execute(words).fetchall()


def mistakes(site: Desk) -> list[str]:
    """What the server's own log says of answers of 500: the distinct last lines of their tracebacks."""
    log = (site.var / "serve.log").read_text(errors="replace")
    return sorted(set(re.findall(r"^(?:\w+\.)*\w*(?:Error|Exception)\b.*", log, re.MULTILINE)))


def record_guests(event: Event, people: Sequence[Registration]) -> None:
    """Entries of the log for guests that were made past it."""
    seen = set()
    for person in people:
        for row in (person.person, person):
            if row.public_id not in seen:
                seen.add(row.public_id)
                audit.record(BY, "proof.guest", row)
    db.session.commit()


@contextmanager
def desk(var: Path, guests: int, url: str = "") -> Iterator[Desk]:
    """A site that does not run yet, on SQLite or at a database address."""
    with filled(var, guests, url) as (event, people):
        record_guests(event, people)
        made = Desk(var, event.slug, create_token(event, "Desk", by=BY)[1], [ticket_code(person.seed) for person in people], url)
        db.session.commit()
    yield made


class Server:
    """gunicorn and a job worker as `consult serve` starts them, each in a process group that one signal ends."""

    def __init__(self, environment: dict[str, str], *, workers: int = 1, with_jobs: bool = True) -> None:
        self.environment, self.with_jobs = environment, with_jobs
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.command = [str(Path(sys.executable).parent / "gunicorn"), "--bind", f"127.0.0.1:{self.port}", "--worker-class", "gevent"]
        self.command += ["--worker-connections", "3000", "--keep-alive", "15", "--no-control-socket", "--graceful-timeout", "5"]
        self.command += ["--workers", str(workers), "wsgi:app"]
        self.processes: list[subprocess.Popen[bytes]] = []

    def _run(self, *command: str) -> None:
        with (Path(self.environment["CONSULT_VAR"]) / "serve.log").open("ab") as log:
            self.processes.append(subprocess.Popen(command, env=self.environment, cwd=ROOT, start_new_session=True, stdout=log, stderr=log))

    def start(self, desk: Desk) -> float:
        """Seconds until it serves; the worker is started then, so as not to slow the server's start down."""
        self._run(*self.command)
        seconds = self.seconds_until_it_serves(desk)
        if self.with_jobs:
            self._run(sys.executable, "-m", "consult_app.cli", "worker")
        return seconds

    def kill(self) -> None:
        for process in self.processes:
            os.killpg(process.pid, signal.SIGKILL)
        for process in self.processes:
            process.wait()
        self.processes.clear()

    def pids(self) -> list[int]:
        """The processes that serve: gunicorn's children."""
        master = self.processes[0].pid
        return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]

    def seconds_until_it_serves(self, desk: Desk, patience: float = 60) -> float:
        """Until the database was asked and the answer is there."""
        started = time.monotonic()

        def serves() -> bool:
            with contextlib.suppress(OSError, http.client.HTTPException):
                return ask(self.port, "GET", f"/api/v1/events/{desk.slug}", desk.token, timeout=5)[0] == 200
            return False

        wait_for(serves, patience)
        return time.monotonic() - started


@contextmanager
def serving(desk: Desk, **how: Any) -> Iterator[Server]:
    """The site runs inside the block; at its end it is killed."""
    server = Server(desk.environment, **how)
    try:
        server.start(desk)
        yield server
    finally:
        server.kill()


@dataclass(frozen=True)
class Write:
    """Something that is sent until it is acknowledged, always the same, as the page does; its key is its nonce."""

    key: str
    path: str
    body: dict[str, str]


def check_ins(desk: Desk) -> list[Write]:
    path = f"/api/v1/events/{desk.slug}/checkins"
    return [Write(f"n{n}", path, {"code": code, "nonce": f"n{n}"}) for n, code in enumerate(desk.codes)]


def walk_ins(desk: Desk, count: int) -> list[Write]:
    """People who were not expected: each is registered, checked in, and sent a ticket by the job worker."""
    about = {"institution": "Institution 1", "type": "government", "sex": "female"}
    path = f"/api/v1/events/{desk.slug}/walk-ins"
    return [
        Write(f"w{n}", path, {**about, "name": f"Walk In {n}", "email": f"walk{n}@example.org", "nonce": f"w{n}"}) for n in range(count)
    ]


@dataclass
class Writers:
    """Clients that work through writes, each until it is acknowledged; what came of them."""

    port: int
    token: str
    waiting: deque[Write]
    clients: int = 8
    per_second: float = 0.0  # of all of them together; 0: as fast as they can
    acknowledged: dict[str, float] = field(default_factory=dict)  # when, by the monotonic clock
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    given_up: list[str] = field(default_factory=list)

    def __enter__(self) -> Writers:
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _n in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        if problem[0] is not None:
            self._over.set()
        for thread in self._threads:
            thread.join()

    def stop(self) -> None:
        """Send nothing new; what was sent is waited for."""
        self._over.set()

    def _work(self) -> None:
        while not self._over.is_set():
            started = time.monotonic()
            try:
                write = self.waiting.popleft()
            except IndexError:
                return
            while not self._send(write) and not self._over.is_set():
                self._over.wait(0.5 if self.per_second else 0.05)
            if self.per_second:
                self._over.wait(max(0.0, self.clients / self.per_second - (time.monotonic() - started)))

    def _send(self, write: Write) -> bool:
        started = time.monotonic()
        try:
            status, body, _headers = ask(self.port, "POST", write.path, self.token, write.body)
        except (OSError, http.client.HTTPException):
            return False
        self.statuses[status] += 1
        self.slowest = max(self.slowest, time.monotonic() - started)
        if status == 200:
            said = json.loads(body)
            if said["result"] != "ok":
                self.given_up.append(f"{write.key}: {said['result']}")
            self.acknowledged[write.key] = time.monotonic()
            return True
        if status < 500 and status != 429:
            self.given_up.append(f"{write.key}: {status}")
            return True
        return False

    @property
    def mistakes(self) -> int:
        """Answers of 500 and above that do not say "come again"."""
        return sum(count for status, count in self.statuses.items() if status >= 500 and status not in (503, 507))


def written(desk: Desk) -> Counter[str]:
    """How often each write stands in the database, by its key."""
    return Counter(nonce.partition(":")[0] for (nonce,) in desk.rows("SELECT nonce FROM check_ins"))


def arrived_twice(desk: Desk) -> int:
    """People with more than one arrival."""
    twice = "SELECT count(*) FROM (SELECT 1 FROM check_ins WHERE is_arrival GROUP BY registration_id HAVING count(*) > 1) AS twice"
    return int(desk.rows(twice)[0][0])
