"""The commands of reports."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask.cli import with_appcontext

from consult_app.i18n import local
from consult_app.reports import labels
from consult_app.reports.verify import examine


@click.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_appcontext
def verify_command(file: Path) -> None:
    """Say whether FILE is a report sealed here, unchanged; exits 1 where it is not."""
    finding = examine(file.read_bytes())
    click.echo(f"{labels.VERDICT[finding.verdict]}.")
    for words in finding.words:
        click.echo(str(words))
    click.echo(f"SHA-256 {finding.sha256}")
    if finding.report is not None:
        click.echo(f"Report {finding.report.number} of {local(finding.report.consultation.title)}, code {finding.report.public_id}")
    if finding.later is not None:
        click.echo(f"Superseded by report {finding.later.number}, code {finding.later.public_id}")
    sys.exit(0 if finding.is_valid else 1)
