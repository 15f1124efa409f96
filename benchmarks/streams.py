"""A thousand phones that follow one room: how long a comment takes to all of them, and what an idle stream costs.

`python -m benchmarks.streams` prints one JSON object a line. The floor of the fan-out is what the same clients need to read
one small answer each from the same server.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import re
import statistics
import subprocess
import time
import urllib.parse
import urllib.request
import uuid
from http.cookiejar import CookieJar
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.checkins import server
from benchmarks.site import empty_site, register, tell
from consult_app import audit
from consult_app.comments.actions import write_comment
from consult_app.comments.models import Comment, CommentKind
from consult_app.consultations import actions as consultations
from consult_app.db import db
from consult_app.events.models import Session
from consult_app.registrations.tickets import link_secret
from consult_app.room import actions
from tests.factories import BY

STREAMS, COMMENTS, PAUSE = 1000, 100, 0.2  # 300 comments a minute


def enter(port: int, link: str) -> tuple[str, str]:
    """Open a personal link as a phone does; the cookie of its session, and the token that its forms carry."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar := CookieJar()))
    base = f"http://127.0.0.1:{port}"

    def token(path: str) -> str:
        found = re.search(r'name="csrf-token" content="([^"]+)"', browser.open(base + path).read().decode())
        assert found
        return found.group(1)

    given = urllib.parse.urlencode({"csrf_token": token("/open"), "token": link})
    browser.open(f"{base}/open", given.encode()).close()
    after = token("/my/registration")
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar), after


def _worker_of(port: int) -> int:
    """The process that serves: gunicorn's worker."""
    out = subprocess.run(["pgrep", "-f", f"127.0.0.1:{port}"], capture_output=True, text=True, check=True).stdout.split()
    return max(int(pid) for pid in out)


def _memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _processor(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _follow(port: int, path: str, cookie: str, seen: dict[str, list[float]], opened: asyncio.Semaphore) -> None:
    """One phone: reads its stream for as long as it comes, and notes when each comment first stands in it."""
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n".encode())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            if b" 200 " in (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n", 1)[0]:
                break
        writer.close()  # a thousand at once: some are told to come again, as the page's script does
        await asyncio.sleep(3)
    opened.release()
    known: set[str] = set()
    try:
        while line := await reader.readline():
            if b"mark-" in line:
                mark = line.split(b"mark-", 1)[1][:32].decode()
                if mark not in known:
                    known.add(mark)
                    seen.setdefault(mark, []).append(time.perf_counter())
    except (asyncio.CancelledError, ConnectionError):
        writer.close()


async def _post(port: int, path: str, cookie: str, token: str, code: str, mark: str) -> None:
    body = f"code={code}&kind=context&text=mark-{mark}&client_key={mark}".encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\nX-CSRFToken: {token}\r\nConnection: close\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{head}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = await reader.read()
    assert b" 200 " in answer.split(b"\r\n", 1)[0], answer[:300]
    writer.close()


async def _run(port: int, room: str, code: str, cookies: list[tuple[str, str]]) -> None:
    pid = _worker_of(port)
    before = _memory(pid)
    seen: dict[str, list[float]] = {}
    opened = asyncio.Semaphore(0)
    path = f"/rooms/{room}/stream?view=phone"
    phones = [asyncio.create_task(_follow(port, path, cookies[n % len(cookies)][0], seen, opened)) for n in range(STREAMS)]
    for _n in range(STREAMS):
        await opened.acquire()
    await asyncio.sleep(2)
    tell("stream_memory", (_memory(pid) - before) / STREAMS / 1024, "KB a stream", None, STREAMS)
    spent, started = _processor(pid), time.perf_counter()
    await asyncio.sleep(20)
    tell("stream_idle_cpu", 100 * (_processor(pid) - spent) / (time.perf_counter() - started), "per cent", None, STREAMS)
    sent: dict[str, float] = {}
    for n in range(COMMENTS):
        mark = uuid.uuid4().hex
        sent[mark] = time.perf_counter()
        cookie, token = cookies[n % len(cookies)]
        await _post(port, f"/rooms/{room}/comments", cookie, token, code, mark)
        await asyncio.sleep(max(0.0, PAUSE - (time.perf_counter() - sent[mark])))
    end = time.perf_counter() + 30
    while time.perf_counter() < end and any(len(seen.get(mark, [])) < STREAMS for mark in sent):
        await asyncio.sleep(0.1)
    for phone in phones:
        phone.cancel()
    missed = sum(STREAMS - len(seen.get(mark, [])) for mark in sent)
    assert missed == 0, f"{missed} of {STREAMS * COMMENTS} never came"
    delays = sorted(at - sent[mark] for mark, times in seen.items() for at in times)
    tell("stream_fanout_1000", delays[int(len(delays) * 0.95)], "s (p95)", None, len(delays), delays[-1] - delays[0])
    tell("stream_fanout_1000_median", statistics.median(delays), "s", None, len(delays))


def main() -> None:
    with empty_site() as (app, event):
        for section in event.consultation.sections:
            consultations.open_section(section, by=BY)
        session = Session(
            consultation_id=event.consultation_id, event=event, title={"en": "Plenary"}, day=event.starts_on,
            starts_at=dt.time(9), ends_at=dt.time(10),
        )  # fmt: skip
        db.session.add(session)
        audit.record(BY, "session.add", session)
        room = actions.open_room(session, by=BY)
        actions.start(room, by=BY)
        assert room.indicator is not None
        people = register(event, 20)
        write_comment(room.indicator, people[0], CommentKind.CONTEXT, "The first", by=BY, client_key="first-of-all-comments")
        db.session.commit()
        links = [link_secret(person.seed) for person in people]
        public_id, code = room.public_id, room.indicator.code
        db.session.remove()
        environment = {
            "CONSULT_VAR": str(app.config["VAR"]), "DATABASE_URL": app.config["DATABASE_URL"],
            "CONSULT_TOKEN_KEY": app.config["TOKEN_KEY"], "CONSULT_SECRET_KEY": app.config["SECRET_KEY"],
        }  # fmt: skip
        with server("wsgi:app", environment) as port:
            asyncio.run(_run(port, public_id, code, [enter(port, link) for link in links]))
        kept = db.session.scalar(select(func.count()).select_from(Comment))
        assert kept == COMMENTS + 1, kept


if __name__ == "__main__":
    main()
