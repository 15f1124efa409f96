"""Check-ins over HTTP at 1, 8 and 32 at once, each ticket once, beside their floor: same server, database and durability.

`python -m benchmarks.checkins` prints one JSON object a line. SQLite always; PostgreSQL where its programs are installed.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.floors import make_tables
from benchmarks.site import empty_site, register, tell
from consult_app.attendance.devices import create_token
from consult_app.db import db
from consult_app.registrations.tickets import ticket_code, token_hash
from tests.factories import BY
from tests.postgresql import postgresql_server

BIN, ROOT = Path(sys.executable).parent, Path(__file__).resolve().parent.parent
TICKETS, ROUNDS = 600, 3


@contextmanager
def server(module: str, environment: dict[str, str]) -> Iterator[int]:
    """gunicorn as `consult serve` starts it; gives its port. It ends at once: streams have no end of their own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(BIN / "gunicorn"), "--bind", f"127.0.0.1:{port}", module]  # and gunicorn.conf.py
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            # gunicorn listens before it has loaded the application: only an answer, whatever it is, says that it serves
            with contextlib.suppress(OSError, http.client.HTTPException):
                asked = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                asked.request("GET", "/")
                asked.getresponse().read()
                break
            time.sleep(0.05)
        yield port
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(30)


async def _client(port: int, path: str, token: str, bodies: list[bytes], taken: list[float], answers: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    while bodies:
        body = bodies.pop()
        started = time.perf_counter()
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        header = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in header.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        answer = await reader.readexactly(length)
        taken.append(time.perf_counter() - started)
        answers.append(answer if b" 200 " in header.split(b"\r\n", 1)[0] else header)
    writer.close()


def load(port: int, path: str, token: str, bodies: list[bytes], at_once: int) -> tuple[float, float, int]:
    """Requests per second, the 99th percentile in milliseconds, and how many answered "ok"."""
    taken: list[float] = []
    answers: list[bytes] = []

    async def run() -> None:
        await asyncio.gather(*(_client(port, path, token, bodies, taken, answers) for _n in range(at_once)))

    started = time.perf_counter()
    asyncio.run(run())
    seconds = time.perf_counter() - started
    went_well = sum(json.loads(a)["result"] == "ok" for a in answers if a.startswith(b"{"))
    return len(taken) / seconds, sorted(taken)[int(len(taken) * 0.99)] * 1000, went_well


def measure(kind: str, url: str | None, levels: tuple[int, ...]) -> None:
    """Both servers on the same database, in turn, each level several times; the median of the rounds."""
    with empty_site(url) as (app, event):
        people = register(event, len(levels) * ROUNDS * TICKETS)
        _device, token = create_token(event, "bench", by=BY)
        seeds, slug = [person.seed for person in people], event.slug
        make_tables(db.session.connection())
        db.session.commit()
        db.session.remove()
        environment = {
            "CONSULT_VAR": str(app.config["VAR"]), "DATABASE_URL": app.config["DATABASE_URL"], "CONSULT_TOKEN_KEY": app.config["TOKEN_KEY"],
        }  # fmt: skip
        with server("wsgi:app", environment) as ours, server("benchmarks.floors:app", {**environment, "FLOOR": "1"}) as floor:
            for _n in range(20):  # statements are compiled and connections opened once, not while we measure
                load(floor, "/checkins", "", [_body(hash="")], 1)
                load(ours, f"/api/v1/events/{slug}/checkins", token, [_body(code="none")], 1)
            for at_once in levels:
                figures: dict[str, list[Any]] = {"ours": [], "p99": [], "floor": [], "floor_p99": [], "logged": []}
                for _round in range(ROUNDS):
                    part = [seeds.pop() for _n in range(TICKETS)]
                    bodies = [_body(hash=token_hash(ticket_code(seed))) for seed in part]
                    rate, p99, _ok = load(floor, "/checkins", "", bodies, at_once)
                    figures["floor"].append(rate), figures["floor_p99"].append(p99)
                    bodies = [_body(hash=token_hash(ticket_code(seed))) for seed in part]
                    figures["logged"].append(load(floor, "/logged", "", bodies, at_once)[0])
                    bodies = [_body(code=ticket_code(seed)) for seed in part]
                    rate, p99, went_well = load(ours, f"/api/v1/events/{slug}/checkins", token, bodies, at_once)
                    assert went_well == TICKETS, f"{TICKETS - went_well} of {TICKETS} did not answer ok"
                    figures["ours"].append(rate), figures["p99"].append(p99)
                middle = {name: statistics.median(values) for name, values in figures.items()}
                spread = max(figures["ours"]) - min(figures["ours"])
                apart = max(figures["logged"]) - min(figures["logged"])
                tell(f"checkin_{kind}c{at_once}_bare_with_a_log", middle["logged"], "per s", middle["floor"], TICKETS * ROUNDS, apart)
                tell(f"checkin_{kind}c{at_once}", middle["ours"], "per s", middle["floor"], TICKETS * ROUNDS, spread)
                tell(
                    f"checkin_{kind}c{at_once}_p99",
                    middle["p99"],
                    "ms",
                    middle["floor_p99"],
                    TICKETS * ROUNDS,
                    max(figures["p99"]) - min(figures["p99"]),
                )
        arrived = db.session.execute(text("SELECT count(*), count(DISTINCT registration_id) FROM check_ins WHERE is_arrival")).one()
        assert tuple(arrived) == (len(people), len(people)), arrived


def _body(**given: str) -> bytes:
    return json.dumps({**given, "nonce": uuid.uuid4().hex}).encode()


def main() -> None:
    measure("", None, (1, 8, 32))
    with postgresql_server(durable=True) as url:
        measure("pg_", url, (1, 8, 32))


if __name__ == "__main__":
    main()
