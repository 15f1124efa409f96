"""Answers that take seconds of the processor, made in a process of their own: the requests of a server share one thread (rule 34).

The process is given the request and dispatches it anew, so that it answers as the page itself would: same person, same rights.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from typing import Any

import structlog
from flask import Response, current_app, g, request
from gevent.monkey import is_module_patched
from werkzeug.test import Client, EnvironBuilder

import config

from .errors import Conflict, Unavailable
from .i18n import _
from .web import pause_transaction

log = structlog.get_logger()
PATIENCE = 120  # seconds; the matrix of 5,000 comments as DOCX takes thirty
MARK = "consult.elsewhere"  # in the environment of a request that is already dispatched anew
PASSED_ON = ("Cookie", "Accept-Language", "User-Agent", "Host")
KEPT = ("Content-Type", "Content-Disposition", "Cache-Control", "X-Content-Type-Options", "Location")
_places = threading.BoundedSemaphore(2)  # more at once would take the memory of a small machine
_asking: set[str] = set()


def made(*, is_large: bool) -> Response | None:
    """The answer to the present GET, made in another process; None where the page should make it: it is quick, or nobody waits.

    Ends the request's transaction. Raises Conflict where the same person's last one is still being made, Unavailable where it fails.
    """
    if not is_large or MARK in request.environ or not is_module_patched("threading"):
        return None
    who = g.actor.actor_key if not g.actor.is_anonymous else str(request.remote_addr)
    if who in _asking:
        raise Conflict(_("The last file that you asked for is still being made. Ask again when it is there."))
    asked = {
        "path": request.path,
        "query": request.query_string.decode("latin-1"),
        "url": request.root_url,
        "headers": {name: request.headers[name] for name in PASSED_ON if name in request.headers},
        "address": request.remote_addr,
    }
    pause_transaction()
    _asking.add(who)
    try:
        return _run(json.dumps(asked).encode())
    finally:
        _asking.discard(who)


def _run(asked: bytes) -> Response:
    # a process that counts no requests: its figures would stay in the folder of the server's
    environment = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    command = [sys.executable, "-m", "consult_app.cli", "answer"]
    try:
        with _places:
            done = subprocess.run(  # noqa: S603  our own
                command, input=asked, cwd=config.ROOT, env=environment, capture_output=True, timeout=PATIENCE, check=False
            )
    except subprocess.TimeoutExpired:
        log.error("an answer took too long")
    else:
        if done.returncode == 0:
            head, _newline, body = done.stdout.partition(b"\n")
            told = json.loads(head)
            return Response(body, told["status"], told["headers"])
        log.error("an answer was not made", code=done.returncode)
    raise Unavailable(_("The file could not be made at this moment. Try again; if it stays so, tell the administrator."))


def answer(asked: dict[str, Any]) -> bytes:
    """In the other process: dispatch the request, and write the status and headers in one line of JSON, then the body."""
    builder = EnvironBuilder(
        path=asked["path"], query_string=asked["query"], base_url=asked["url"], headers=asked["headers"],
        environ_base={"REMOTE_ADDR": asked["address"], MARK: True},
    )  # fmt: skip
    got = Client(current_app._get_current_object(), use_cookies=False).open(builder)  # type: ignore[attr-defined]
    headers = {name: got.headers[name] for name in KEPT if name in got.headers}
    return json.dumps({"status": got.status_code, "headers": headers}).encode() + b"\n" + got.get_data()
