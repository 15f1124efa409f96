"""The commands of reports."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask.cli import with_appcontext

from consult_app.consultations.queries import load_consultation
from consult_app.db import transaction_mode
from consult_app.errors import DomainError
from consult_app.i18n import local
from consult_app.reports import actions, labels
from consult_app.reports.copies import KINDS
from consult_app.reports.verify import Verdict, examine


@click.command("draft")
@click.argument("slug")
@click.option("--kind", type=click.Choice(["pdf", *KINDS]), default="pdf", show_default=True)
@click.option("--language", default="en", show_default=True, help='One language of the consultation, or all in one file ("en+id").')
@with_appcontext
def draft_command(slug: str, kind: str, language: str) -> None:
    """Write the report of the consultation SLUG as it stands, without a seal, to standard output."""
    with transaction_mode("read"):
        try:
            consultation = load_consultation(slug)
            actions.check_language(consultation, language)
        except DomainError as problem:
            raise click.ClickException(str(problem.message)) from problem
        sys.stdout.buffer.write(actions.draft(consultation, kind, language))


@click.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_appcontext
def verify_command(file: Path) -> None:
    """Say whether FILE was published here, unchanged: a sealed report, a file beside it, a certificate of attendance.

    Exits 1 where it is not. A report that was superseded or withdrawn since is said to be, and exits 0: its bytes are the same.
    """
    finding = examine(file.read_bytes())
    click.echo(f"{labels.headline(finding)}.")
    if finding.known is not None and finding.is_valid:
        click.echo(labels.file_words(finding.known))
    for words in finding.words:
        click.echo(str(words))
    click.echo(f"SHA-256 {finding.sha256}")
    if finding.certificate is not None:
        click.echo(f"Certificate {finding.certificate.number_text} of {local(finding.certificate.event.title)}")
    if finding.report is not None:
        click.echo(f"Report {finding.report.number} of {local(finding.report.consultation.title)}, code {finding.report.public_id}")
        if finding.report.is_withdrawn:
            click.echo(f"Withdrawn {finding.report.withdrawn_at:%Y-%m-%d}: {finding.report.withdraw_reason}")
    if finding.later is not None:
        click.echo(f"Superseded by report {finding.later.number}, code {finding.later.public_id}")
    sys.exit(0 if finding.is_valid or finding.verdict is Verdict.CERTIFICATE else 1)
