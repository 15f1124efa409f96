"""Another process holds SQLite's write lock: writers are told to come again in time, and readers notice nothing."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from proofs import Finding
from proofs.site import ask, check_ins, desk, serving, written


def locked(*, seconds: float, clients: int = 8, told_within: float = 6.0, read_within: float = 2.0) -> Finding:
    """Hold the lock for so many seconds while clients write and others read; seconds until a writer must know, and that a read may take."""
    with tempfile.TemporaryDirectory() as folder, desk(Path(folder), 400) as site, serving(site, with_jobs=False) as server:
        waiting, over = check_ins(site), threading.Event()
        statuses: Counter[int] = Counter()
        writes, reads, problems, acknowledged = [0.0], [0.0], list[str](), list[str]()

        def write(_client: int) -> None:
            while not over.is_set():
                one, started = waiting.pop(), time.monotonic()
                status, _body, headers = ask(server.port, "POST", one.path, site.token, one.body)
                writes.append(time.monotonic() - started)
                statuses[status] += 1
                if status == 200:
                    acknowledged.append(one.key)
                elif status != 503 or not headers.get("Retry-After"):
                    problems.append(f"{status} after {writes[-1]:.1f} s")
                over.wait(0.2)

        def read(_client: int) -> None:
            while not over.is_set():
                started = time.monotonic()
                status = ask(server.port, "GET", f"/api/v1/events/{site.slug}", site.token)[0]
                reads.append(time.monotonic() - started)
                if status != 200:
                    problems.append(f"{status} for a reader")
                over.wait(0.1)

        with (
            contextlib.closing(sqlite3.connect(site.var / "consult.db", isolation_level=None)) as other,
            ThreadPoolExecutor(clients + 2) as crowd,
        ):
            other.execute("BEGIN IMMEDIATE")
            work = [crowd.submit(write, n) for n in range(clients)] + [crowd.submit(read, n) for n in range(2)]
            over.wait(seconds)
            other.execute("ROLLBACK")
            over.wait(2)
            over.set()
            for one in work:
                one.result()
        stands = written(site)
        lost = sum(key not in stands for key in acknowledged)
        figure = (
            f"locked {seconds:g} s: {statuses[503]} times 503, {statuses[500]} times 500, told within {max(writes):.1f} s; "
            f"{len(reads) - 1} reads within {max(reads):.2f} s; afterwards {len(acknowledged)} written, {lost} lost"
        )
        holds = not problems and not lost and bool(acknowledged) and bool(statuses[503])
        return Finding(figure + (f"; {problems[:3]}" if problems else ""), holds and max(writes) < told_within and max(reads) < read_within)
