"""All promises, in the order in which docs/reliability.md tells them.

The short forms run among the tests, on machines that do other things meanwhile: their times are wide enough to find only what hangs.
"""

from __future__ import annotations

from proofs import Proof
from proofs.clock import clocks
from proofs.disk import disk_full
from proofs.keeping import backup
from proofs.kill import kill
from proofs.locked import locked
from proofs.malformed import malformed
from proofs.redis_gone import redis_gone
from proofs.restart import restarts
from proofs.schema import migrations
from proofs.seats import last_seat
from proofs.soak import soak
from proofs.tampering import tampering

PROOFS = [
    Proof(
        "tampering",
        "any column of a signed or logged row changed, rows deleted, chain cut or rewritten: found, first bad entry named, exit not 0",
        tampering,
        long={"together": False},
        short={"together": True},
    ),
    Proof(
        "backup",
        "backup during load, restore into an empty folder: same log head, loss at most 60 s",
        backup,
        long={"guests": 6000, "backups": 5},
        short={"guests": 100, "backups": 1},
    ),
    Proof(
        "kill",
        "kill -9 of server and workers under load: nothing acknowledged lost or doubled, log verifies, serving again within 5 s",
        kill,
        long={"writes": 20_000, "kills": 200, "within": 5},
        short={"writes": 200, "kills": 1, "within": 60},
    ),
    Proof(
        "locked",
        "database locked 10 s: no 500; 503 with Retry-After within 6 s; reads go on",
        locked,
        long={"seconds": 10},
        short={"seconds": 6, "told_within": 60, "read_within": 60},
    ),
    Proof(
        "disk-full",
        "disk full (small tmpfs, PRAGMA max_page_count): nothing acknowledged that is not stored; reads go on; users are told in words",
        disk_full,
        long={"guests": 1000},
        short={"guests": 200},
    ),
    Proof(
        "last-seat",
        "last seat, 50 rounds x 200 clients: exactly one; negative control without the lock oversells",
        last_seat,
        long={"rounds": 50, "clients": 200},
        short={"rounds": 1, "clients": 40},
    ),
    Proof(
        "postgresql-restarts",
        "PostgreSQL restarted at once, 20 times, at 50 requests/s: nothing acknowledged lost, no 500, serving within 10 s",
        restarts,
        long={"times": 20, "within": 10},
        short={"times": 1, "within": 60},
    ),
    Proof(
        "redis",
        "Redis killed or stopped: every write succeeds, at most 1 s slower; screens fall back to polling within 10 s; limits stay on",
        redis_gone,
        long={"writes": 20},
        short={"writes": 5, "slower_by": 60, "told_within": 60},
    ),
    Proof(
        "clock",
        "device clock off by a day: no valid scan refused, both times kept",
        clocks,
        long={"guests": 900},
        short={"guests": 60},
    ),
    Proof(
        "malformed",
        "2,000 malformed requests fixed + 10,000 by Hypothesis and schemathesis: no 5xx, none over 2 s",
        malformed,
        long={"every": 1, "examples": 8000},
        short={"every": 40, "examples": 80, "within": 60},
    ),
    Proof(
        "migrations",
        "migrations up, down, up with 10,000 people and 100,000 comments, both databases: same counts, same head",
        migrations,
        long={"people": 10_000, "comments": 100_000},
        short={"people": 100, "comments": 500},
    ),
    Proof(
        "soak",
        "soak of 20 minutes at mixed load: memory slope under 1% per 10 minutes, descriptors flat, WAL under 64 MB, no 5xx",
        soak,
        long={"seconds": 1200},
        short={"seconds": 4, "most_slope": 1e6, "most_grown": 30},
    ),
]
