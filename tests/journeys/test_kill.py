"""The server is killed while people are checked in: what was acknowledged is there, once, and the log verifies."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from consult_app.attendance.devices import create_token
from consult_app.db import db
from consult_app.registrations.tickets import ticket_code
from tests import factories
from tests.journeys.conftest import CONSULT, ROOT, wait_for
from tests.journeys.desks import filled

GUESTS, KILLS, CLIENTS = 2000, 6, 8


class Server:
    """gunicorn as `consult serve` starts it, in a process group of its own that one signal ends."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def start(self) -> None:
        command = [str(Path(sys.executable).parent / "gunicorn"), "--bind", f"127.0.0.1:{self.port}", "--worker-class", "gevent"]
        command += ["--workers", "1", "--no-control-socket", "wsgi:app"]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, env=self.environment, cwd=ROOT, start_new_session=True, stdout=quiet, stderr=quiet)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def desks(port: int, slug: str, token: str, codes: list[str], answered: list[str]) -> Iterator[list[threading.Thread]]:
    """Eight desks that each send what waits until it is answered, as the page does, with the same nonce."""

    def work(mine: list[str]) -> None:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        for code in mine:
            body = json.dumps({"code": code, "nonce": f"n{code}"})

            def sent(body: str = body, code: str = code) -> bool:
                with contextlib.suppress(OSError, http.client.HTTPException, json.JSONDecodeError):
                    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                    line.request("POST", f"/api/v1/events/{slug}/checkins", body, headers)
                    answer = line.getresponse()
                    if answer.status == 200 and json.loads(answer.read())["result"] == "ok":
                        answered.append(code)
                        return True
                return False

            wait_for(sent, 60)

    threads = [threading.Thread(target=work, args=(codes[n::CLIENTS],)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    yield threads
    for thread in threads:
        thread.join()


def test_rule_8_the_server_is_killed_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    with filled(tmp_path, GUESTS) as (event, people):
        token, slug = create_token(event, "Desk", by=factories.BY)[1], event.slug
        codes = [ticket_code(person.seed) for person in people]
        db.session.commit()
    environment = {**os.environ, "CONSULT_VAR": str(tmp_path)}
    environment.pop("DATABASE_URL", None)
    server, answered, chance = Server(environment), list[str](), random.Random(4)
    server.start()
    moments = sorted(chance.sample(range(100, GUESTS - 100), KILLS))
    with desks(server.port, slug, token, codes, answered):
        for moment in moments:
            wait_for(lambda moment=moment: len(answered) >= moment, 60)
            server.kill()
            server.start()
    server.kill()
    assert sorted(answered) == sorted(codes)
    with contextlib.closing(sqlite3.connect(tmp_path / "consult.db")) as database:
        rows = database.execute("SELECT count(*), count(DISTINCT registration_id) FROM check_ins").fetchone()
    assert rows == (GUESTS, GUESTS)
    verified = subprocess.run([CONSULT, "audit", "verify"], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    # the guests were made past the log, which says so of each; of a check-in it says nothing
    assert "CheckIn" not in verified.stderr
    assert "entry" not in verified.stderr.replace("chain ?, entry 0", "")
