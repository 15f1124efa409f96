"""A large site on several processes: two application servers and a worker on PostgreSQL, Redis and S3-compatible storage, behind nginx.

`python -m benchmarks.scale` loads 50 consultations with 500 events, 100,000 registrations and 200,000 comments, sends check-ins,
comments, reads and streams through nginx, kills one server (SIGKILL) in the middle and starts it again, and shows what came
of it: no acknowledged write lost, streams resumed, the 99th percentile of a check-in. `--small` is the same with a fiftieth.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import redis
from flask_migrate import upgrade
from sqlalchemy import func, select, text

from benchmarks.checkins import BIN, ROOT
from benchmarks.site import register, tell
from benchmarks.streams import enter
from consult_app import audit, create_app
from consult_app.attendance.devices import create_token
from consult_app.attendance.models import CheckIn
from consult_app.comments.actions import write_comment
from consult_app.comments.models import Comment, CommentKind
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.events.models import Event, Session
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import link_secret, ticket_code
from consult_app.room import actions as rooms
from tests import factories
from tests.bulk import OF_CONSULTATIONS, OF_PEOPLE, multiply
from tests.comments.files import PDF
from tests.conftest import SETTINGS
from tests.factories import BY
from tests.journeys.conftest import wait_for
from tests.postgresql import postgresql_server

P99 = 0.250  # seconds, of a check-in
S3 = {"CONSULT_S3_REGION": "ap-southeast-3", "CONSULT_S3_KEY": "KEYID", "CONSULT_S3_SECRET": "a-secret-of-the-measurement"}
NGINX = """
daemon off; worker_processes 2; worker_rlimit_nofile 8192; pid {folder}/nginx.pid; error_log {folder}/nginx.log; user root;
events {{ worker_connections 4096; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    upstream consult {{ least_conn; {servers} keepalive 64; }}
    server {{ listen 127.0.0.1:{port}; include {root}/deploy/nginx/proxy.conf; }}
}}
"""


@dataclass(frozen=True)
class Size:
    """How large the site is, and how much is sent."""

    consultations: int = 50
    events: int = 10  # of each consultation
    copies: int = 400  # of five registrations with ten comments: 2,000 and 4,000 of each consultation
    tickets: int = 4_000
    streams: int = 200
    seconds: float = 60.0


SMALL = Size(consultations=5, events=4, copies=79, tickets=600, streams=40, seconds=16.0)


@dataclass
class Site:
    """Where it is, and who can do what."""

    slug: str
    room: str
    code: str
    token: str
    tickets: list[str]
    links: list[str]
    consultation: str


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def load(url: str, var: Path, size: Size) -> Site:
    """One consultation through the actions, multiplied inside the database; the tickets that are scanned are real ones."""
    app = create_app({**SETTINGS, "VAR": var, "DATABASE_URL": url})
    with app.app_context():
        upgrade()
        today = dt.datetime.now(ZoneInfo("Asia/Jakarta")).date()
        consultation = factories.make_consultation(indicators=98, dimensions=6)
        for section in consultation.sections:
            consultations.open_section(section, by=BY)
        for _n in range(size.events - 1):
            factories.make_event(consultation)
        past = factories.make_event(consultation, starts_on=today, ends_on=today)
        event = factories.make_event(consultation, starts_on=today, ends_on=today + dt.timedelta(days=1))
        for n, person in enumerate([factories.make_registration(past) for _n in range(5)]):
            for indicator in consultation.dimensions[n].indicators[:2]:
                write_comment(
                    indicator, person, CommentKind.CONTEXT, "Please name the law of 2017.", by=person, client_key=f"k{indicator.id}"
                )
        db.session.flush()
        multiply(db.session, size.copies - 1, OF_PEOPLE)
        multiply(db.session, size.consultations - 1, OF_CONSULTATIONS + OF_PEOPLE)
        times = {"day": event.starts_on, "starts_at": dt.time(9), "ends_at": dt.time(10)}
        session = Session(consultation_id=consultation.id, event=event, title={"en": "Plenary"}, **times)
        db.session.add(session)
        audit.record(BY, "session.add", session)
        room = rooms.open_room(session, by=BY)
        rooms.start(room, by=BY)
        people = register(event, size.tickets)
        _device, token = create_token(event, "scale", by=BY)
        assert room.indicator is not None
        made = Site(
            event.slug, room.public_id, room.indicator.code, token, [ticket_code(p.seed) for p in people],
            [link_secret(p.seed) for p in people[:20]], consultation.slug,
        )  # fmt: skip
        db.session.commit()
        kinds = (Consultation, Event, Registration, Comment)
        counts = {kind.__tablename__: db.session.scalar(select(func.count()).select_from(kind)) for kind in kinds}
        print(f"# {counts}", file=sys.stderr)
        db.session.remove()
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        db.engine.dispose()
        return made


@dataclass
class Run:
    """What was sent, and what came back."""

    port: int
    site: Site
    end: float
    scanned: dict[str, str] = field(default_factory=dict)  # nonce -> result, as acknowledged
    took: list[float] = field(default_factory=list)  # of each scan, from the first try to its acknowledgement
    first: list[float] = field(default_factory=list)  # of those that were answered at the first try
    written: list[str] = field(default_factory=list)  # marks of comments, as acknowledged
    pages: list[float] = field(default_factory=list)
    again: int = 0  # requests that were not answered, and sent again
    seen: list[set[str]] = field(default_factory=list)  # marks that each stream has carried
    opened: list[int] = field(default_factory=list)  # how often each stream was opened


async def ask(port: int, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, bytes]:
    """One request on a connection of its own: the status and the body; 0 where the connection broke."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        lines = {"Host": f"127.0.0.1:{port}", "Connection": "close", "Content-Length": str(len(body)), **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        answer = await asyncio.wait_for(reader.read(), 30)
        writer.close()
    except (OSError, TimeoutError):
        return 0, b""
    head, _line, content = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]) if head.startswith(b"HTTP/") else 0, content


async def scan(run: Run) -> None:
    """A device: scans, and sends again with the same nonce until it is acknowledged, as the desk does."""
    headers = {"Authorization": f"Bearer {run.site.token}", "Content-Type": "application/json"}
    while time.monotonic() < run.end and run.site.tickets:
        nonce = uuid.uuid4().hex
        body = json.dumps({"code": run.site.tickets.pop(), "nonce": nonce}).encode()
        started, tries = time.perf_counter(), 0
        while True:
            tries += 1
            status, answer = await ask(run.port, "POST", f"/api/v1/events/{run.site.slug}/checkins", headers, body)
            if status == 200:
                break
            run.again += 1
            await asyncio.sleep(0.1)
        took = time.perf_counter() - started
        run.took.append(took)
        if tries == 1:
            run.first.append(took)
        run.scanned[nonce] = json.loads(answer[answer.index(b"{") : answer.rindex(b"}") + 1])["result"]
        await asyncio.sleep(0.05)


async def write(run: Run, cookie: str, token: str) -> None:
    """A phone in the room: writes, and sends again with the same key until it is acknowledged."""
    headers = {"Cookie": cookie, "X-CSRFToken": token, "Content-Type": "application/x-www-form-urlencoded"}
    while time.monotonic() < run.end:
        mark = uuid.uuid4().hex
        body = f"code={run.site.code}&kind=context&text=mark-{mark}&client_key={mark}".encode()
        while (await ask(run.port, "POST", f"/rooms/{run.site.room}/comments", headers, body))[0] != 200:
            run.again += 1
            await asyncio.sleep(0.2)
        run.written.append(mark)
        await asyncio.sleep(2.5)


async def read(run: Run, cookie: str) -> None:
    paths = (f"/consultations/{run.site.consultation}/indicators/{run.site.code}", "/my/registration", f"/events/{run.site.slug}", "/")
    for n in range(1_000_000):
        if time.monotonic() > run.end:
            return
        started = time.perf_counter()
        status, _body = await ask(run.port, "GET", paths[n % len(paths)], {"Cookie": cookie})
        if status in (200, 302, 303):
            run.pages.append(time.perf_counter() - started)
        else:
            run.again += 1
        await asyncio.sleep(0.2)


async def follow(run: Run, number: int, cookie: str) -> None:
    """A phone's stream, opened again where it breaks, with the number of the last event that came."""
    last = ""
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", run.port)
            more = f"Last-Event-ID: {last}\r\n" if last else ""
            head = f"GET /rooms/{run.site.room}/stream?view=phone HTTP/1.1\r\nHost: 127.0.0.1:{run.port}\r\nCookie: {cookie}\r\n{more}\r\n"
            writer.write(head.encode())
            if b" 200 " in (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n", 1)[0]:
                run.opened[number] += 1
                while line := await reader.readline():
                    if line.startswith(b"id: "):
                        last = line[4:].decode().strip()
                    run.seen[number] |= {part[:32].decode() for part in line.split(b"mark-")[1:]}
            writer.close()
        await asyncio.sleep(1 + number % 10 / 10)


def attach(port: int, site: Site, cookie: str, token: str) -> bytes:
    """Evidence through nginx into the bucket, and back: what came back."""
    body, mark = b"", uuid.uuid4().hex
    for name, value in (("kind", "evidence"), ("text", f"See the file, mark-{mark}"), ("client_key", mark), ("csrf_token", token)):
        body += f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    body += b'--edge\r\nContent-Disposition: form-data; name="files"; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
    body += PDF + b"\r\n--edge--\r\n"
    headers = {"Cookie": cookie, "X-CSRFToken": token, "Content-Type": "multipart/form-data; boundary=edge"}
    here = f"/consultations/{site.consultation}/indicators/{site.code}"
    status, answer = asyncio.run(ask(port, "POST", f"{here}/comments", headers, body))
    assert status == 303, (status, answer[:300])
    page = asyncio.run(ask(port, "GET", "/my/comments", {"Cookie": cookie}))[1].decode()
    (path, *_rest) = [part.split('"')[0] for part in page.split('href="') if "/evidence/" in part.split('"')[0]]
    return asyncio.run(ask(port, "GET", path, {"Cookie": cookie}))[1]


async def together(run: Run, size: Size, phones: list[tuple[str, str]], kill: Any) -> None:
    run.seen, run.opened = [set() for _n in range(size.streams)], [0] * size.streams
    streams = [asyncio.create_task(follow(run, n, phones[n % len(phones)][0])) for n in range(size.streams)]
    while not all(run.opened):
        await asyncio.sleep(0.1)
    run.end = time.monotonic() + size.seconds
    work = [asyncio.create_task(scan(run)) for _n in range(8)]
    work += [asyncio.create_task(write(run, *phone)) for phone in phones[:5]]
    work += [asyncio.create_task(read(run, cookie)) for cookie, _token in phones[:8]]
    await asyncio.sleep(size.seconds / 2)
    await asyncio.to_thread(kill)
    await asyncio.gather(*work)
    last, until = run.written[-1], time.monotonic() + 20
    while not all(last in seen for seen in run.seen) and time.monotonic() < until:
        await asyncio.sleep(0.1)
    for stream in streams:
        stream.cancel()
    await asyncio.gather(*streams, return_exceptions=True)


@contextlib.contextmanager
def programs(folder: Path, environment: dict[str, str]) -> Iterator[tuple[int, Any]]:
    """Two servers, a worker, nginx in front: its port, and what kills one server and starts it again."""
    ports, running = (free_port(), free_port()), []

    def start(name: str, *command: str) -> subprocess.Popen[bytes]:
        log = (folder / f"{name}.log").open("ab")
        process = subprocess.Popen(command, env={**os.environ, **environment}, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        running.append(process)
        return process

    def server(port: int) -> subprocess.Popen[bytes]:
        return start(f"server-{port}", str(BIN / "gunicorn"), "--bind", f"127.0.0.1:{port}", "wsgi:app")

    def answers(port: int) -> bool:
        return asyncio.run(ask(port, "GET", "/readyz", {}))[0] == 200

    front = free_port()
    servers = " ".join(f"server 127.0.0.1:{port} max_fails=1 fail_timeout=2s;" for port in ports)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, servers=servers, port=front, root=ROOT))
    try:
        killed = server(ports[0])
        server(ports[1])
        start("worker", sys.executable, "-m", "consult_app.cli", "worker")
        for port in ports:
            wait_for(lambda port=port: answers(port), 60)
        start("nginx", "nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "nginx.log"))
        wait_for(lambda: answers(front), 20)

        def kill() -> None:
            os.killpg(killed.pid, signal.SIGKILL)
            killed.wait()
            server(ports[0])

        yield front, kill
    finally:
        for process in reversed(running):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM if "nginx" in str(process.args) else signal.SIGKILL)
            process.wait(30)


@contextlib.contextmanager
def helpers(folder: Path) -> Iterator[dict[str, str]]:
    """Redis and the bucket: the settings that name them."""
    port = free_port()
    own_redis = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    words = [sys.executable, str(ROOT / "tests" / "s3_server.py"), *S3.values()]
    bucket = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert bucket.stdout is not None
        with redis.Redis(port=port) as client:

            def is_up() -> bool:
                with contextlib.suppress(redis.ConnectionError):
                    return bool(client.ping())
                return False

            wait_for(is_up)
        at = f"redis://127.0.0.1:{port}"
        yield {
            "CONSULT_NEWS": f"{at}/0", "CONSULT_JOBS": f"{at}/1", "CONSULT_LIMITS_STORAGE": f"{at}/2",
            "CONSULT_S3_URL": f"http://127.0.0.1:{int(bucket.stdout.readline())}/consult", **S3,
        }  # fmt: skip
    finally:
        for process in (own_redis, bucket):
            process.kill()
            process.wait()


def main() -> None:
    size = SMALL if "--small" in sys.argv else Size()
    with tempfile.TemporaryDirectory() as place, postgresql_server(durable=True) as url, helpers(Path(place)) as named:
        folder = Path(place)
        started = time.monotonic()
        site = load(url, folder / "var", size)
        print(f"# loaded in {time.monotonic() - started:.0f} s", file=sys.stderr)
        environment = {
            **named, "CONSULT_VAR": str(folder / "var"), "DATABASE_URL": url, "CONSULT_PROXIES": "1",
            "CONSULT_TOKEN_KEY": SETTINGS["TOKEN_KEY"], "CONSULT_SECRET_KEY": SETTINGS["SECRET_KEY"],
        }  # fmt: skip
        with programs(folder, environment) as (port, kill):
            phones = [enter(port, link) for link in site.links]
            assert attach(port, site, *phones[-1]) == PDF
            run = Run(port, site, 0.0)
            asyncio.run(together(run, size, phones, kill))
            assert attach(port, site, *phones[-2]) == PDF
        sys.exit(not report(run, url, folder, size))


def report(run: Run, url: str, folder: Path, size: Size) -> bool:
    """The figures, and whether each promise was kept."""
    app = create_app({**SETTINGS, "VAR": folder / "var", "DATABASE_URL": url})
    with app.app_context():
        kept = {nonce.partition(":")[0] for nonce in db.session.scalars(select(CheckIn.nonce))}
        words = set(db.session.scalars(select(Comment.text).where(Comment.text.in_([f"mark-{mark}" for mark in run.written]))))
        sent_twice = select(Comment.text).where(Comment.text.like("mark-%")).group_by(Comment.text).having(func.count() > 1)
        twice = db.session.scalar(select(func.count()).select_from(sent_twice.subquery()))
        db.session.remove()
        db.engine.dispose()
    lost = len(set(run.scanned) - kept) + len(run.written) - len(words)
    behind = sum(run.written[-1] not in seen for seen in run.seen)
    took, pages = sorted(run.took), sorted(run.pages)
    print(f"# check-ins: {Counter(run.scanned.values())}", file=sys.stderr)
    p99 = took[int(len(took) * 0.99)]
    tell("scale_checkins", len(took) / size.seconds, "per s", None, len(took))
    tell("scale_checkin_p50", took[len(took) // 2] * 1000, "ms", None, len(took))
    tell("scale_checkin_p99", p99 * 1000, "ms", None, len(took), (took[-1] - took[0]) * 1000)
    tell("scale_page_p50", pages[len(pages) // 2] * 1000, "ms", None, len(pages))
    tell("scale_page_p99", pages[int(len(pages) * 0.99)] * 1000, "ms", None, len(pages))
    tell("scale_lost", lost, "acknowledged writes", None, len(run.scanned) + len(run.written))
    tell("scale_twice", twice or 0, "comments", None, len(run.written))
    tell("scale_sent_again", run.again, "requests", None, len(run.took) + len(run.written) + len(run.pages))
    tell("scale_streams_reopened", sum(opened > 1 for opened in run.opened), "streams", None, len(run.opened))
    tell("scale_streams_behind", behind, "streams without the last comment", None, len(run.opened))
    promises = {"nothing lost": lost == 0, "nothing twice": not twice, "streams resumed": behind == 0, "p99 under 250 ms": p99 < P99}
    for promise, holds in promises.items():
        print(f"# {promise}: {'yes' if holds else 'NO'}", file=sys.stderr)
    return all(promises.values())


if __name__ == "__main__":
    main()
