"""Long prints, in the worker: made while nothing is locked, kept in one short transaction, deleted after a day."""

from __future__ import annotations

import datetime as dt

import structlog
from sqlalchemy import delete, select

from consult_app import jobs
from consult_app.db import db, now, transaction_mode
from consult_app.documents.make import filename, make
from consult_app.documents.models import Printout, PrintState
from consult_app.documents.queries import by_ids

log = structlog.get_logger()
KEPT = dt.timedelta(days=1)


def _finish(printout_id: int, state: PrintState, data: bytes | None = None) -> None:
    """Keep the outcome, unless another run was faster or the row is gone."""
    printout = db.session.scalar(
        select(Printout).where(Printout.id == printout_id, Printout.state == PrintState.QUEUED).with_for_update(of=Printout)
    )
    if printout is not None:
        printout.state, printout.data = state, data
        printout.filename = filename(printout.event, printout.kind) if data else ""
        db.session.commit()


@jobs.job("documents.print")
def print_papers(printout_id: int) -> None:
    """Make the file of a print that waits; one that is done or failed already is left alone."""
    try:
        with transaction_mode("read"):
            printout = db.session.get(Printout, printout_id)
            data = None
            if printout is not None and printout.state is PrintState.QUEUED:
                people = by_ids(printout.event, printout.options["ids"])
                data = make(printout.kind, printout.event, people, printout.options)
            db.session.rollback()  # the transaction that could only read ends here
        if data is not None:
            _finish(printout_id, PrintState.DONE, data)
    except Exception:  # whatever it was, somebody is waiting for an answer
        db.session.rollback()
        log.exception("print.failed", printout_id=printout_id)
        _finish(printout_id, PrintState.FAILED)


@jobs.sweep
def tidy_prints() -> None:
    """Delete prints of more than a day ago; queue again what a crash left behind."""
    db.session.execute(delete(Printout).where(Printout.created_at < now() - KEPT))
    late = now() - dt.timedelta(minutes=10)
    for printout_id in db.session.scalars(select(Printout.id).where(Printout.state == PrintState.QUEUED, Printout.created_at < late)):
        jobs.after_commit("documents.print", printout_id)
    db.session.commit()
