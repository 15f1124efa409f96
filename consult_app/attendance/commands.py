"""`consult token`: tokens of the API, for other programs."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from consult_app.attendance.devices import create_token
from consult_app.db import db, set_transaction_mode
from consult_app.errors import DomainError
from consult_app.events.queries import load_event
from consult_app.policy import System


@click.group()
def token() -> None:
    """Tokens of the API."""


@token.command("create")
@click.option("--event", "slug", required=True, help="The event's address: /events/SLUG.")
@click.option("--name", required=True, help="Under which the organiser sees it among the devices.")
@with_appcontext
def create(slug: str, name: str) -> None:
    """Make a token for one event and print it, and nothing else; it is not shown again."""
    set_transaction_mode("write")
    try:
        _device, made = create_token(load_event(slug), name, by=System())
    except DomainError as problem:
        raise click.ClickException(str(problem.message)) from problem
    db.session.commit()
    click.echo(made)
