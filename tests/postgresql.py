"""A PostgreSQL server of our own, for tests and measurements."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

BIN = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda folder: float(folder.parent.name))


@dataclass(frozen=True)
class Cluster:
    """A server that runs, and how to end it at once and start it again."""

    url: str
    restart: Callable[[], None]


@contextmanager
def postgresql_server(*, durable: bool = False) -> Iterator[str]:
    """The address of a fresh server, gone afterwards; without fsync unless `durable`."""
    with postgresql_cluster(durable=durable) as cluster:
        yield cluster.url


@contextmanager
def postgresql_cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """A fresh server, gone afterwards; without fsync unless `durable`."""
    assert BIN is not None, "needs the Debian package postgresql"
    as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="consult-pg-", dir="/tmp"))
    if as_postgres:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(program: str, *words: str) -> None:
        subprocess.run(
            [*as_postgres, str(BIN / program), "-D", str(folder / "data"), *words], check=True, cwd=folder, stdout=subprocess.DEVNULL
        )

    run("initdb", "-U", "consult", "--auth=trust", "--encoding=UTF8", "--no-sync")
    fsync = "on" if durable else "off"
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync={fsync} -c max_connections=100"
    run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        restart = partial(run, "pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "-m", "immediate", "restart")
        yield Cluster(f"postgresql://consult@127.0.0.1:{port}/postgres", restart)
    finally:
        run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder)
