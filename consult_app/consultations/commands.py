"""`consult framework`: the same import and export from a shell."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask.cli import with_appcontext

from consult_app.consultations.framework import apply_framework, export_framework, read_framework
from consult_app.consultations.labels import FIELD
from consult_app.consultations.queries import load_consultation
from consult_app.db import db, set_transaction_mode
from consult_app.errors import DomainError
from consult_app.policy import System


@click.group()
def framework() -> None:
    """Frameworks: dimensions and indicators from and to a spreadsheet."""


@framework.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--consultation", "slug", required=True, help="The consultation's address, such as mgi-indonesia-2023.")
@click.option("--framework-version", default="", help="Name of the framework's edition.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and save nothing.")
@with_appcontext
def import_command(file: Path, slug: str, framework_version: str, dry_run: bool) -> None:
    """Import FILE (XLSX or CSV), all or nothing; every fault is named by sheet, row and column, and exits 1."""
    set_transaction_mode("read" if dry_run else "write")
    try:
        consultation = load_consultation(slug)
        draft = read_framework(file.name, file.read_bytes(), consultation)
        for row in draft.rows:
            if row["verdict"] in ("new", "changed"):
                what = ", ".join(dict.fromkeys(str(FIELD[change["field"]]) for change in row["changes"]))
                click.echo(f"{row['sheet']}, row {row['row']}: {row['code']} {row['verdict']}{f' ({what})' if what else ''}")
        for sheet in draft.skipped:
            click.echo(f"{sheet}: no header, not read", err=True)
        for fault in draft.faults:
            click.echo(str(fault), err=True)
        click.echo(", ".join(f"{count} {verdict}" for verdict, count in draft.counts.items()))
        if draft.faults:
            click.echo("Nothing was saved.", err=True)
            sys.exit(1)
        if not dry_run:
            apply_framework(consultation, draft.rows, by=System(), version=framework_version)
            db.session.commit()
    except DomainError as problem:
        raise click.ClickException(str(problem.message)) from problem


@framework.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--consultation", "slug", required=True, help="The consultation's address.")
@with_appcontext
def export_command(file: Path, slug: str) -> None:
    """Write the framework to FILE; its ending (.csv or .xlsx) says how."""
    kind = file.suffix.lower().removeprefix(".")
    if kind not in ("csv", "xlsx"):
        raise click.ClickException("Give a file that ends in .csv or .xlsx.")
    set_transaction_mode("read")
    try:
        file.write_bytes(export_framework(load_consultation(slug), kind))
    except DomainError as problem:
        raise click.ClickException(str(problem.message)) from problem
