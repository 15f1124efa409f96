"""PostgreSQL is stopped at once and started again, under a steady load; two server processes go on with what stands."""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter, deque
from pathlib import Path

from proofs import Finding
from proofs.site import Writers, arrived_twice, ask, check_ins, desk, mistakes, serving, written
from tests.journeys.conftest import wait_for
from tests.postgresql import postgresql_cluster

PER_SECOND = 50


def restarts(*, times: int, within: float) -> Finding:
    """So many restarts at fifty requests a second; `within`: seconds after each in which it has to serve again."""
    with tempfile.TemporaryDirectory() as folder, postgresql_cluster(durable=True) as cluster:
        var, guests = Path(folder), PER_SECOND * 5 * (times + 2)
        with desk(var, guests, cluster.url) as site, serving(site, workers=2, with_jobs=False) as server:
            slowest = 0.0
            pages: list[int] = []
            with Writers(server.port, site.token, deque(check_ins(site)), clients=25, per_second=PER_SECOND) as writers:
                for _n in range(times):
                    enough = len(writers.acknowledged) + PER_SECOND * 2
                    wait_for(lambda enough=enough: len(writers.acknowledged) >= enough, 120)
                    started = time.monotonic()
                    restarting = threading.Thread(target=cluster.restart)
                    restarting.start()
                    while restarting.is_alive():  # who reads a page meanwhile
                        pages.append(ask(server.port, "GET", f"/events/{site.slug}")[0])
                        restarting.join(0.02)
                    server.seconds_until_it_serves(site)
                    slowest = max(slowest, time.monotonic() - started)
                writers.stop()
            stands = written(site)
            verified = site.command("audit", "verify")
            lost = sum(key not in stands for key in writers.acknowledged)
            doubled = sum(count - 1 for count in stands.values()) + arrived_twice(site)
            statuses = writers.statuses + Counter(pages)
            said = mistakes(site)
            others = {status: count for status, count in statuses.items() if status not in (200, 503)}
        figure = (
            f"{times} restarts, {len(writers.acknowledged):,} acknowledged: {lost} lost, {doubled} doubled, "
            f"{statuses[503]} times 503, others {others or 'none'}; "
            f"log {'does NOT verify' if verified.returncode else 'verifies'}; serving within {slowest:.1f} s"
        )
        holds = not lost and not doubled and not others and not verified.returncode and not writers.given_up
        return Finding(figure + (f"; {said[:3]}" if others else ""), holds and slowest < within)
