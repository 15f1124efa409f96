"""The `consult` commands."""

from __future__ import annotations

import os
import signal
import socket
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
from consult_app import audit, jobs
from consult_app.accounts.actions import create_user
from consult_app.attendance.commands import token
from consult_app.consultations.commands import framework
from consult_app.consultations.models import Consultation
from consult_app.db import db, set_transaction_mode
from consult_app.errors import DomainError
from consult_app.policy import System
from consult_app.reports.commands import verify_command as verify_report_command


def _make_app() -> Flask:
    from consult_app import create_app  # noqa: PLC0415  the package imports this module

    return create_app()


cli = FlaskGroup(create_app=_make_app, add_default_commands=False, help="Consult: consultations, from invitation to sealed report.")


cli.add_command(framework)
cli.add_command(verify_report_command)
cli.add_command(token)


@cli.command("migrate")
@with_appcontext
def migrate_command() -> None:
    """Bring the database to the newest schema."""
    upgrade()


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


@cli.group("audit")
def audit_group() -> None:
    """The log."""


@audit_group.command("verify")
@with_appcontext
def verify_command() -> None:
    """Verify every chain and every binding; exits 1 and names what was changed."""
    count, faults = audit.verify()
    for fault in faults:
        click.echo(f"chain {fault.chain}, entry {fault.number}: {fault.what}", err=True)
    click.echo(f"{count} entries verified, {len(faults)} faults")
    sys.exit(1 if faults else 0)


@cli.command("worker")
@with_appcontext
def worker_command() -> None:
    """Run the job worker."""
    jobs.huey_of(current_app).create_consumer(workers=1, periodic=True, check_worker_health=True).run()


@cli.command("serve")
@click.option("--port", default=8000, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@with_appcontext
def serve_command(port: int, host: str) -> None:
    """Migrate, load the demo into an empty database when CONSULT_DEMO=1, and serve with a job worker until Ctrl-C."""
    upgrade()
    if os.environ.get("CONSULT_DEMO") == "1" and db.session.scalar(select(Consultation.id).limit(1)) is None:
        from consult_app import demo  # noqa: PLC0415  only a demo site loads its data

        set_transaction_mode("write")
        click.echo("Loading the demonstration; this takes a moment, once.")
        demo.load()
        db.session.commit()
    db.session.remove()
    environment = {**os.environ, "CONSULT_BASE_URL": os.environ.get("CONSULT_BASE_URL", f"http://{host}:{port}")}
    bin_folder = Path(sys.executable).parent
    server = [str(bin_folder / "gunicorn"), "--bind", f"{host}:{port}", "--worker-class", "gevent", "--worker-connections", "3000"]
    processes: list[subprocess.Popen[bytes]] = []

    def stop(*_signal: object) -> None:
        for process in processes:
            process.terminate()

    def start(*command: str) -> None:
        # in a session of its own: Ctrl-C reaches this process alone, which then ends both in order
        processes.append(subprocess.Popen(command, env=environment, cwd=config.ROOT, start_new_session=True))  # noqa: S603  our own

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    start(*server, "--workers", "1", "--no-control-socket", "--graceful-timeout", "5", "wsgi:app")  # streams have no end of their own
    _wait_until_listening(host, port, processes[0])  # the worker does not slow the server's start down
    start(sys.executable, "-m", "consult_app.cli", "worker")
    click.echo(f"Consult is at {environment['CONSULT_BASE_URL']} (Ctrl-C stops it)")
    code = processes[0].wait()
    stop()
    processes[1].wait()
    sys.exit(max(0, code))


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
