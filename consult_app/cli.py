"""The `consult` commands."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import FlaskGroup, with_appcontext
from flask_migrate import upgrade
from sqlalchemy import select

import config
from consult_app import audit, backup, checkpoints, elsewhere, jobs
from consult_app.accounts.actions import create_user, find_user, set_enabled
from consult_app.accounts.models import User
from consult_app.addresses import address_key
from consult_app.attendance.commands import token
from consult_app.comments.told import tell_untold
from consult_app.consultations.commands import framework
from consult_app.consultations.models import Consultation
from consult_app.db import db, now, set_transaction_mode
from consult_app.errors import DomainError
from consult_app.policy import System
from consult_app.registrations.models import Person
from consult_app.reports.commands import draft_command
from consult_app.reports.commands import verify_command as verify_report_command

PR_SET_PDEATHSIG = 1  # of Linux: the signal that a process gets when its parent ends


def _make_app() -> Flask:
    from consult_app import create_app  # noqa: PLC0415  the package imports this module

    return create_app()


cli = FlaskGroup(create_app=_make_app, add_default_commands=False, help="Consult: consultations, from invitation to sealed report.")


cli.add_command(framework)
cli.add_command(draft_command)
cli.add_command(verify_report_command)
cli.add_command(token)


@cli.command("answer", hidden=True)
def answer_command() -> None:
    """Answer the request on standard input, for a server that has others to serve."""
    sys.stdout.buffer.write(elsewhere.answer(json.load(sys.stdin)))


def _migrate() -> None:
    """Bring the database to the newest schema, let the log cover what it did not cover, and tell what is told by what was told before."""
    upgrade()
    set_transaction_mode("write")
    audit.record_uncovered(System("migrate"))
    tell_untold()
    db.session.commit()
    _bring_addresses_to_one_form()
    set_transaction_mode("deferred")


def _bring_addresses_to_one_form() -> None:
    """Write addresses that were kept before there was one form of them in that form (rule 5), and commit.

    One that somebody else has in that form already stays as it is: only a person can say whether they are the same.
    """
    for _name, model in sorted(audit.audited_models().items()):
        if "email" not in model.__mapper__.columns:
            continue
        kept = db.session.execute(select(model.id, model.email).where(model.email.is_not(None), model.email != ""))
        for row_id in [one for one, email in kept.tuples() if address_key(email) != email]:
            row = db.session.get_one(model, row_id)
            one_form = address_key(row.email)
            same = select(model.id).where(model.email == one_form)
            if "consultation_id" in model.__mapper__.columns:
                same = same.where(model.consultation_id == row.consultation_id)
            if model in (User, Person) and db.session.scalar(same.limit(1)) is not None:
                continue
            row.email = one_form
            audit.record(System("migrate"), f"{model.__tablename__}.address", row)
    db.session.commit()


@cli.command("migrate")
@with_appcontext
def migrate_command() -> None:
    """Bring the database to the newest schema."""
    _migrate()


@cli.group()
def user() -> None:
    """Accounts."""


@user.command("create")
@click.option("--email", prompt=True)
@click.option("--name", prompt=True)
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)
@click.option("--admin/--no-admin", default=True, help="An administrator sets up the site (the default).")
@with_appcontext
def create_user_command(email: str, name: str, password: str, admin: bool) -> None:
    """Make an account; the first one of a site is made like this."""
    set_transaction_mode("write")
    try:
        create_user(email, name, by=System(), password=password, administrator=admin)
    except DomainError as problem:
        raise click.ClickException(str(problem.message)) from problem
    db.session.commit()
    click.echo(f"{email} can sign in. At the first sign-in a second factor is set up.")


@user.command("disable")
@click.argument("email")
@with_appcontext
def disable_user_command(email: str) -> None:
    """Switch an account off: its sessions end, and it can do nothing any more."""
    _set_enabled(email, False)
    click.echo(f"{email} is switched off, and signed out everywhere.")


@user.command("enable")
@click.argument("email")
@with_appcontext
def enable_user_command(email: str) -> None:
    """Switch an account on again."""
    _set_enabled(email, True)
    click.echo(f"{email} can sign in again.")


def _set_enabled(email: str, enabled: bool) -> None:
    set_transaction_mode("write")
    found = find_user(email)
    if found is None:
        raise click.ClickException("There is no account with this address.")
    set_enabled(found, enabled, by=System())
    db.session.commit()


@cli.group("audit")
def audit_group() -> None:
    """The log."""


@audit_group.command("verify")
@click.option(
    "--checkpoint", "files", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint that somebody kept: the log has to contain exactly its entry. May be given several times.",
)  # fmt: skip
@click.option("--public-key", default="", help="The site's public key of checkpoints, from a copy outside this machine (hexadecimal).")
@with_appcontext
def verify_command(files: tuple[Path, ...], public_key: str) -> None:
    """Verify every chain and every binding; exits 1 and names what was changed."""
    count, faults = audit.verify()
    problems = [f"chain {fault.chain}, entry {fault.number}: {fault.what}" for fault in faults]
    for file in files:
        problems += [f"checkpoint {file.name}: {words}" for words in _checkpoint_problems(file, public_key or checkpoints.public_key())]
    for words in problems:
        click.echo(words, err=True)
    click.echo(f"{count} entries verified, {len(faults)} faults")
    if files:
        click.echo(f"{len(files)} checkpoints compared")
    sys.exit(1 if problems else 0)


def _checkpoint_problems(file: Path, public_key: str) -> list[str]:
    """Why the checkpoint in this file is not genuine, or what of the log is not as it says."""
    try:
        found = checkpoints.check(file.read_text(encoding="utf-8"), public_key)
    except (checkpoints.NotGenuine, OSError, ValueError) as problem:
        return [str(problem)]
    return [f"chain {fault.chain}, entry {fault.number}: {fault.what}" for fault in checkpoints.faults(found)]


@cli.command("backup")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--keep", type=click.IntRange(1), help="Where TARGET is a folder: how many backups stay in it, the newest.")
@with_appcontext
def backup_command(target: Path, keep: int | None) -> None:
    """Write everything into one archive, TARGET, or a new one in the folder TARGET, while people work. The keys are in it."""
    is_folder = target.is_dir()
    file = target / f"consult-{now():%Y%m%d-%H%M%S}.tar" if is_folder else target
    try:
        contents = backup.make(file)
    except (backup.BackupError, OSError, sqlite3.Error) as problem:
        raise click.ClickException(f"Nothing was backed up. {problem}") from problem
    if is_folder and keep:
        for old in sorted(target.glob("consult-????????-??????.tar"))[:-keep]:
            old.unlink()
    entries = sum(number for number, _hash in contents.heads.values())
    click.echo(f"{file}: {len(contents.files)} files, {entries} entries of the log. The site's keys are in it: keep it like them.")


@cli.command("restore", with_appcontext=False)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
def restore_command(file: Path, folder: Path | None) -> None:
    """Put the backup FILE into FOLDER (CONSULT_VAR, if it is not named), which has to be empty, and verify its log."""
    settings = config.from_environment()
    folder = folder or settings["VAR"]
    try:
        contents, url = backup.restore(file, folder, settings["DATABASE_URL"])
    except backup.BackupError as problem:
        raise click.ClickException(str(problem)) from problem
    os.environ.update(CONSULT_VAR=str(folder), DATABASE_URL=url)
    with _make_app().app_context():
        _migrate()
        count, faults = audit.verify()
    click.echo(f"{len(contents.files)} files as of {contents.made_at} are in {folder}. {count} entries verified, {len(faults)} faults")
    for fault in faults:
        click.echo(f"chain {fault.chain}, entry {fault.number}: {fault.what}", err=True)
    if url.startswith("sqlite") and settings["DATABASE_URL"] != url:
        click.echo(f"To start from it: CONSULT_VAR={folder} and no DATABASE_URL")
    sys.exit(1 if faults else 0)


@cli.command("worker")
@click.option("--periodic/--no-periodic", default=True, help="What is done every minute and every hour: one worker of a site does it.")
@with_appcontext
def worker_command(periodic: bool) -> None:
    """Run the job worker."""
    jobs.huey_of(current_app).create_consumer(workers=1, periodic=periodic, check_worker_health=True).run()


@cli.command("serve")
@click.option("--port", default=8000, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--workers", default=1, show_default=True, help="Server processes; more than one needs PostgreSQL.")
@with_appcontext
def serve_command(port: int, host: str, workers: int) -> None:
    """Migrate, load the demo into an empty database when CONSULT_DEMO=1, and serve with a job worker until Ctrl-C."""
    if workers > 1 and db.engine.dialect.name != "postgresql":
        raise click.ClickException("SQLite is for one server process, whose writers wait in line. Set DATABASE_URL to PostgreSQL for more.")
    _migrate()
    if os.environ.get("CONSULT_DEMO") == "1" and db.session.scalar(select(Consultation.id).limit(1)) is None:
        from consult_app import demo  # noqa: PLC0415  only a demo site loads its data

        set_transaction_mode("write")
        click.echo("Loading the demonstration; this takes a moment, once.")
        demo.load()
        db.session.commit()
        demo.publish()
        db.session.commit()
    db.session.remove()
    environment = {**os.environ, "CONSULT_BASE_URL": os.environ.get("CONSULT_BASE_URL", f"http://{host}:{port}")}
    if workers > 1:
        environment.setdefault("CONSULT_NEWS", "postgresql")
    bin_folder = Path(sys.executable).parent
    server = [str(bin_folder / "gunicorn"), "--bind", f"{host}:{port}", "--workers", str(workers), "wsgi:app"]  # and gunicorn.conf.py
    processes: list[subprocess.Popen[bytes]] = []

    def stop(*_signal: object) -> None:
        for process in processes:
            process.terminate()

    def start(*command: str) -> None:
        # in a session of its own: Ctrl-C reaches this process alone, which then ends both in order
        processes.append(
            subprocess.Popen(command, env=environment, cwd=config.ROOT, start_new_session=True, preexec_fn=_end_with_parent)  # noqa: S603  our own
        )

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    start(*server)
    _wait_until_listening(host, port, processes[0])  # the worker does not slow the server's start down
    start(sys.executable, "-m", "consult_app.cli", "worker")
    click.echo(f"Consult is at {environment['CONSULT_BASE_URL']} (Ctrl-C stops it)")
    code = processes[0].wait()
    stop()
    processes[1].wait()
    sys.exit(max(0, code))


def _end_with_parent() -> None:
    """In a child, before it becomes the program: where this command is killed, the system ends the child too (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait_until_listening(host: str, port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((host, port)) == 0:
                return
        time.sleep(0.05)


def main() -> None:
    cli()


if __name__ == "__main__":
    main()
