"""A backup is one tar archive: the database, the job queue, everything else under `var/`, and a manifest with checksums.

The database is copied by its own online means (SQLite's backup, `pg_dump`), while people write. The keys are in the archive,
so it opens every ticket and signs as the site does: keep it like the keys.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from flask import current_app
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url

from .db import db, now, url_of

TYPE = "consult-backup-1"
MANIFEST, DATABASE, DUMP, QUEUE = "manifest.json", "consult.db", "consult.pgdump", "jobs.db"
LIVE = (".db", "-wal", "-shm", "-journal", ".part")  # files that change while they are read
STAGING = ".restoring"


class BackupError(Exception):
    """Why nothing was backed up, or nothing restored."""


@dataclass(frozen=True)
class Contents:
    """What a backup holds: when it was begun, the end of every chain of the log, and the checksum of each file."""

    made_at: str
    heads: dict[str, list[Any]]
    files: dict[str, str]


# -- making one --


def make(target: Path) -> Contents:
    """Write the backup of this site to `target`, whole or not at all. Raises BackupError, and OSError where it cannot be written."""
    var = Path(current_app.config["VAR"])
    if target.resolve().is_relative_to(var.resolve()):
        raise BackupError("A backup does not belong beside what it saves: name a place outside of the site's own folder.")
    made_at, files = now().isoformat(), dict[str, str]()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".consult-backup-") as folder:
            # the queue before the database: a job may run twice, and what a job is for stands in the database
            copies = {QUEUE: Path(folder) / QUEUE}
            _copy_sqlite(var / QUEUE, copies[QUEUE])
            name, heads = _copy_database(Path(folder))
            copies[name] = Path(folder) / name
            with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
                with tarfile.open(fileobj=file, mode="w") as archive:
                    # files after the database: what a row names was written before the row
                    for name, path in [*copies.items(), *_files(var)]:
                        with contextlib.suppress(FileNotFoundError):  # erased at this moment
                            files[name] = _add(archive, name, path)
                    contents = Contents(made_at, heads, files)
                    said = json.dumps({"type": TYPE, **contents.__dict__}, indent=1).encode()
                    entry = tarfile.TarInfo(MANIFEST)
                    entry.size, entry.mode = len(said), 0o600
                    archive.addfile(entry, io.BytesIO(said))
                file.flush()
                os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return contents


def _files(var: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(var.rglob("*")):
        if path.is_file() and not path.name.startswith(".") and not path.name.endswith(LIVE):
            yield path.relative_to(var).as_posix(), path


def _add(archive: tarfile.TarFile, name: str, path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        entry = archive.gettarinfo(arcname=name, fileobj=file)
        entry.mode, entry.uid, entry.gid, entry.uname, entry.gname = 0o600, 0, 0, "", ""
        archive.addfile(entry, file)
    return digest


def _copy_sqlite(live: Path, copy: Path) -> None:
    with contextlib.closing(sqlite3.connect(live)) as source, contextlib.closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def _copy_database(folder: Path) -> tuple[str, dict[str, list[Any]]]:
    """Copy the database into the folder; return the file's name, and where every chain of the log ends in the copy."""
    if db.engine.dialect.name == "sqlite":
        assert db.engine.url.database
        _copy_sqlite(Path(db.engine.url.database), folder / DATABASE)
        return DATABASE, _heads(f"sqlite:///{folder / DATABASE}")
    program = _program("pg_dump")
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        snapshot: str = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        heads = _read_heads(connection)
        _run(program, "--format=custom", f"--snapshot={snapshot}", f"--file={folder / DUMP}", f"--dbname={_for_programs(db.engine.url)}")
    return DUMP, heads


def _heads(url: str) -> dict[str, list[Any]]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return _read_heads(connection)
    finally:
        engine.dispose()


def _read_heads(connection: Any) -> dict[str, list[Any]]:
    rows = connection.execute(text("SELECT chain, number, hash FROM audit_heads ORDER BY chain"))
    return {chain: [number, digest] for chain, number, digest in rows}


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BackupError(f"{name} is missing: PostgreSQL is backed up by its own programs (Debian: postgresql-client).")
    return found


def _for_programs(url: Any) -> str:
    """The database's address as PostgreSQL's own programs know it."""
    return str(url.set(drivername="postgresql").render_as_string(hide_password=False))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  PostgreSQL's own program
    if done.returncode:
        raise BackupError(f"{Path(command[0]).name} failed: {done.stderr.strip()[-500:]}")


# -- restoring one --


def restore(file: Path, folder: Path, database_url: str) -> tuple[Contents, str]:
    """Put a backup into an empty folder (and, if it was made of PostgreSQL, into the empty database at `database_url`).

    Returns what is in it, and the address of the restored database. Raises BackupError with the reason; then nothing is left behind.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty. Nothing was restored: name an empty folder, or one that is not there yet.")
    staging = folder / STAGING
    staging.mkdir(parents=True, mode=0o700)
    try:
        contents = _unpack(file, staging)
        if DUMP in contents.files:
            url = url_of(database_url)
            _restore_postgresql(staging / DUMP, url)
            (staging / DUMP).unlink()
        else:
            url = f"sqlite:///{folder.resolve() / DATABASE}"
        if _heads(url.replace(str(folder.resolve()), str(staging.resolve()))) != contents.heads:
            raise BackupError("The log of the restored database does not end where the backup says.")
        for path in staging.iterdir():
            path.rename(folder / path.name)
    finally:
        shutil.rmtree(staging)
    os.sync()
    return contents, url


def _unpack(file: Path, folder: Path) -> Contents:
    found: dict[str, str] = {}
    try:
        with tarfile.open(file) as archive:
            for entry in archive:
                name, source = PurePosixPath(entry.name), archive.extractfile(entry)
                if source is None or name.is_absolute() or ".." in name.parts:
                    raise BackupError(f"This is not a backup of Consult: {entry.name} is in it.")
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as target:
                    shutil.copyfileobj(source, target)
                    target.seek(0)
                    found[entry.name] = hashlib.file_digest(target, "sha256").hexdigest()
        said = json.loads((folder / MANIFEST).read_text())
        contents = Contents(said["made_at"], said["heads"], said["files"]) if said["type"] == TYPE else None
    except (tarfile.TarError, OSError, ValueError, LookupError, TypeError) as problem:
        raise BackupError(f"This is not a whole backup of Consult ({type(problem).__name__}). Nothing was restored.") from problem
    found.pop(MANIFEST)
    if contents is None or found != contents.files:
        raise BackupError("A file in this backup is not as it was when the backup was made. Nothing was restored.")
    (folder / MANIFEST).unlink()
    return contents


def _restore_postgresql(dump: Path, url: str) -> None:
    if not url.startswith("postgresql"):
        raise BackupError("This backup was made of PostgreSQL: set DATABASE_URL to an empty PostgreSQL database.")
    engine = create_engine(url)
    try:
        if inspect(engine).get_table_names():
            raise BackupError("The database that DATABASE_URL names is not empty. Nothing was restored.")
    finally:
        engine.dispose()
    owned = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
    _run(_program("pg_restore"), *owned, f"--dbname={_for_programs(make_url(url))}", str(dump))
