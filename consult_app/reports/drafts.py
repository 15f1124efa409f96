"""Drafts of a report, each made in a process of its own: it takes seconds, and the requests of a server share one thread."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import structlog
from gevent.monkey import is_module_patched

import config
from consult_app.consultations.models import Consultation
from consult_app.errors import Unavailable
from consult_app.i18n import _
from consult_app.reports import actions
from consult_app.web import pause_transaction

log = structlog.get_logger()
PATIENCE = 120  # seconds; a report with 5,000 comments takes twenty
_places = threading.BoundedSemaphore(2)  # more at once would take the memory of a small machine


def make(consultation: Consultation, kind: str, language: str) -> bytes:
    """`actions.draft`, by `consult draft` where a server asks. Ends the request's transaction. Raises Unavailable."""
    if not is_module_patched("threading"):  # no server, nobody waits
        return actions.draft(consultation, kind, language)
    command = [sys.executable, "-m", "consult_app.cli", "draft", consultation.slug, "--kind", kind, "--language", language]
    # a process that counts no requests: its figures would stay in the folder of the server's
    environment = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    pause_transaction()
    try:
        with _places:
            done = subprocess.run(  # noqa: S603  our own
                command, cwd=config.ROOT, env=environment, capture_output=True, timeout=PATIENCE, check=False
            )
    except subprocess.TimeoutExpired:
        log.error("draft took too long", command=command[2:])
    else:
        if done.returncode == 0:
            return done.stdout
        log.error("draft not made", command=command[2:], code=done.returncode)  # run by hand, it says why: here that might be personal
    raise Unavailable(_("The draft could not be made at this moment. Try again; if it stays so, tell the administrator."))
