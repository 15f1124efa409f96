"""Redis, which carries news between processes and counts requests, is killed, or stopped so that it hangs."""

from __future__ import annotations

import signal
import tempfile
import time
import uuid
from pathlib import Path

from benchmarks.checkins import server
from proofs import Finding
from tests.room.test_bus import Phone, Place, make_place, redis_server

LIMIT = 60  # comments a minute of one phone


def _timed(phone: Phone) -> tuple[float, int, str]:
    mark, started = uuid.uuid4().hex, time.monotonic()
    status = phone.write(mark)
    return time.monotonic() - started, status, mark


def _without(place: Place, folder: Path, how: signal.Signals, writes: int) -> tuple[list[str], float, float]:
    """What went wrong; by how many seconds the slowest write was slower; how long news took that nobody carried."""
    problems = []
    with redis_server(folder) as (url, process):
        # looked for every minute only, while news are carried
        environment = {**place.environment, "CONSULT_NEWS": url, "CONSULT_LIMITS_STORAGE": url}
        with server("wsgi:app", environment) as here, server("wsgi:app", environment) as there:
            phone = Phone(place, here, there)
            before = [_timed(phone) for _n in range(5)]
            phone.read_until(before[-1][2])
            process.send_signal(how)
            after = [_timed(phone) for _n in range(writes)]
            stopped = time.monotonic()
            phone.read_until(after[-1][2])
            told = time.monotonic() - stopped
            problems += [f"{status} for a write" for _seconds, status, _mark in before + after if status != 200]
            statuses = [_timed(phone)[1] for _n in range(LIMIT + 5)]
            if 429 not in statuses or set(statuses) - {200, 429}:
                problems.append(f"the limit of {LIMIT} a minute did not hold: {set(statuses)}")
    slower = max(seconds for seconds, _status, _mark in after) - min(seconds for seconds, _status, _mark in before)
    return problems, slower, told


def redis_gone(*, writes: int, slower_by: float = 1.0, told_within: float = 10.0) -> Finding:
    """Both ways. Seconds that the slowest write may take more than one with Redis, and until screens know by polling."""
    figures, holds = [], True
    with tempfile.TemporaryDirectory() as folder, make_place(Path(folder)) as place:
        for words, how in (("killed", signal.SIGKILL), ("stopped", signal.SIGSTOP)):
            problems, slower, told = _without(place, Path(folder), how, writes)
            holds = holds and not problems and slower <= slower_by and told <= told_within
            faults = f" {problems[:3]}" if problems else ""
            figures.append(
                f"{words}: {writes} writes succeed, at most {slower:.2f} s slower, told after {told:.1f} s, limits stay on{faults}"
            )
    return Finding("; ".join(figures), holds)
