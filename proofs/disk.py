"""The disk is full: what is acknowledged is stored, what is not is told in words, and everybody can still read."""

from __future__ import annotations

import contextvars
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from consult_app import create_app
from consult_app.db import db
from proofs import Finding
from proofs.site import Desk, Write, ask, check_ins, desk, serving, walk_ins, written

SIZE = 24  # megabytes
SPARE = 1024 * 1024  # bytes that are left when the writing begins
PAGES = 40  # of SQLite, likewise
REFUSALS = 20  # after which it is full indeed

Ask = Callable[[str, str, Any], tuple[int, str]]  # method, path, body


@dataclass
class Course:
    """What came of writing until nothing fits any more."""

    acknowledged: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    words: str = ""
    reads: list[int] = field(default_factory=list)

    def run(self, send: Ask, slug: str, writes: list[Write]) -> None:
        while writes and sum(self.statuses.values()) - self.statuses[200] < REFUSALS:
            one = writes.pop()
            status, body = send("POST", one.path, one.body)
            self.statuses[status] += 1
            if status == 200:
                self.acknowledged.append(one.key)
            else:
                self.words = body
        paths = (f"/api/v1/events/{slug}", f"/api/v1/events/{slug}/guests", f"/events/{slug}", "/")
        self.reads = [send("GET", path, None)[0] for path in paths]

    def problems(self, stands: Counter[str]) -> list[str]:
        """What is not as promised, compared with what stands in the database."""
        found = [f"{key} acknowledged and not stored" for key in self.acknowledged if key not in stands]
        if sum(stands.values()) != len(self.acknowledged):
            found.append(f"{sum(stands.values())} stored")
        if set(self.statuses) != {200, 507} or "disk is full" not in self.words:
            found.append(f"statuses {dict(self.statuses)}: {self.words[:200]}")
        return found + [f"{status} for a reader" for status in self.reads if status != 200]


@contextmanager
def _small_disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}m", "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def _writes(site: Desk) -> list[Write]:
    return [write for pair in zip(check_ins(site), walk_ins(site, len(site.codes)), strict=True) for write in pair]


def _on_a_small_disk(guests: int) -> tuple[int, list[str]]:
    """A server on a file system that is full; at the end there is room again."""
    course = Course()
    with _small_disk() as disk, desk(disk, guests) as site, serving(site, with_jobs=False) as server:
        filling, space = disk / "filling", os.statvfs(disk)
        with filling.open("wb") as file:
            file.write(b"\0" * (space.f_bavail * space.f_frsize - SPARE))

        def send(method: str, path: str, body: Any) -> tuple[int, str]:
            status, answer, _headers = ask(server.port, method, path, site.token, body)
            return status, answer.decode()

        writes = _writes(site)
        course.run(send, site.slug, writes)
        filling.unlink()
        again = writes.pop()
        status = send("POST", again.path, again.body)[0]
        course.acknowledged += [again.key] if status == 200 else []
        problems = course.problems(written(site)) + ([] if status == 200 else [f"{status} when there was room again"])
        verified = site.command("audit", "verify")
    return len(course.acknowledged), problems + verified.stderr.splitlines()


def _in_a_small_file(guests: int) -> tuple[int, list[str]]:
    """A database file that may not grow."""
    course = Course()
    with tempfile.TemporaryDirectory() as folder, desk(Path(folder), guests) as site:
        app = create_app({"VAR": site.var, "DATABASE_URL": f"sqlite:///{site.var / 'consult.db'}", "DEMO": False})
        pages = site.rows("PRAGMA page_count")[0][0] + PAGES
        with app.app_context():
            sa.event.listen(db.engine, "connect", lambda raw, _record: raw.execute(f"PRAGMA max_page_count={pages}"))

        def send(method: str, path: str, body: Any) -> tuple[int, str]:
            given = {"method": method, "json": body} if body else {"method": method}
            answer = contextvars.Context().run(app.test_client().open, path, headers={"Authorization": f"Bearer {site.token}"}, **given)
            return answer.status_code, answer.text

        course.run(send, site.slug, _writes(site))
        with app.app_context():
            db.engine.dispose()
        return len(course.acknowledged), course.problems(written(site))


def disk_full(*, guests: int) -> Finding:
    """Both ways to have no room; the first needs root, as the installing part of `make prove` does."""
    acknowledged, problems = _in_a_small_file(guests)
    figure = f"{acknowledged} acknowledged within max_page_count"
    if os.geteuid() == 0:
        more, others = _on_a_small_disk(guests)
        figure += f", {more} on a full disk of {SIZE} MB"
        problems += others
    else:
        figure += " (a disk of its own needs root)"
    figure += f": all stored and nothing else; then only 507, with words; reads go on{'; ' if problems else ''}"
    return Finding(figure + "; ".join(problems[:3]), not problems)
