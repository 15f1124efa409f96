"""A server and its job worker under a mixed load for a long time: nothing grows that should not."""

from __future__ import annotations

import http.client
import os
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from proofs import Finding
from proofs.site import Desk, Server, ask, desk, serving

GUESTS, CLIENTS, PER_SECOND = 300, 6, 30
WAL_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True)
class Sample:
    """What the serving processes hold at one moment."""

    at: float
    memory: int  # bytes
    descriptors: int
    wal: int  # bytes


def _sample(site: Desk, server: Server) -> Sample:
    page = os.sysconf("SC_PAGE_SIZE")
    pids = [*server.pids(), server.processes[1].pid]
    memory = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page for pid in pids)
    descriptors = sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)
    wal = site.var / "consult.db-wal"
    return Sample(time.monotonic(), memory, descriptors, wal.stat().st_size if wal.exists() else 0)


def _client(site: Desk, port: int, over: threading.Event, chance: random.Random, statuses: Counter[int]) -> None:
    """Somebody who now reads, now scans, now registers a walk-in."""
    event = f"/api/v1/events/{site.slug}"
    walk_in = {"institution": "Institution 1", "type": "government", "sex": "female", "name": "Walk In"}
    while not over.is_set():
        started, nonce, what = time.monotonic(), f"{chance.getrandbits(60):x}", chance.random()
        try:
            if what < 0.5:
                status = ask(port, "GET", chance.choice(["/", f"/events/{site.slug}", f"/events/{site.slug}/register", event]), site.token)[
                    0
                ]
            elif what < 0.97:
                status = ask(port, "POST", f"{event}/checkins", site.token, {"code": chance.choice(site.codes), "nonce": nonce})[0]
            else:
                status = ask(port, "POST", f"{event}/walk-ins", site.token, {**walk_in, "email": f"{nonce}@example.org", "nonce": nonce})[0]
        except (OSError, http.client.HTTPException):
            status = 599
        statuses[status] += 1
        over.wait(max(0.0, CLIENTS / PER_SECOND - (time.monotonic() - started)))


def soak(*, seconds: float, most_slope: float = 1.0, most_grown: int = 2) -> Finding:
    """So long a load; `most_slope`: per cent that memory may grow in ten minutes, measured after the first third, when all is warm;
    `most_grown`: descriptors.
    """
    with tempfile.TemporaryDirectory() as folder, desk(Path(folder), GUESTS) as site, serving(site) as server:
        over, statuses = threading.Event(), Counter[int]()
        crowd = [threading.Thread(target=_client, args=(site, server.port, over, random.Random(n), statuses)) for n in range(CLIENTS)]
        for thread in crowd:
            thread.start()
        samples: list[Sample] = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            samples.append(_sample(site, server))
            over.wait(max(0.5, seconds / 240))
        over.set()
        for thread in crowd:
            thread.join()
    warm = samples[len(samples) // 3 :]
    line = statistics.linear_regression([sample.at for sample in warm], [float(sample.memory) for sample in warm])
    slope = 100 * line.slope * 600 / statistics.mean(sample.memory for sample in warm)
    descriptors = [sample.descriptors for sample in warm]
    half = len(descriptors) // 2
    grown = statistics.median(descriptors[half:]) - statistics.median(descriptors[:half])
    wal, bad = max(sample.wal for sample in samples), sum(count for status, count in statuses.items() if status >= 500)
    figure = (
        f"{seconds / 60:.1f} minutes, {statuses.total():,} requests, {bad} times 5xx: memory {warm[-1].memory / 2**20:.0f} MB, "
        f"{slope:+.2f}% in ten minutes; descriptors {min(descriptors)}-{max(descriptors)}, {grown:+.0f} between the halves; "
        f"WAL at most {wal / 2**20:.1f} MB"
    )
    return Finding(figure, slope < most_slope and grown <= most_grown and wal < WAL_LIMIT and not bad)
