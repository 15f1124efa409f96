"""What a server process says of itself: with `CONSULT_LOG=json` one JSON object a line, each with the id of its request.

A line names the route and never the address that was asked for, so that the log tells nothing of who registered or spoke. A
traceback shows where, and nothing of what stood in the variables there: names, addresses and comments.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import uuid

import structlog
from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor

log = structlog.get_logger()
_WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_OURS = ("consult_app", "huey", "alembic")  # whose lines of everyday work are wanted; of others only warnings


def _write_json() -> None:
    """Send our own lines and those of every library to standard error, in the same form."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer(ensure_ascii=False)],
        )
    )
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    structlog.configure(
        processors=[*shared, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _write_lines() -> None:
    """For a terminal. structlog's own choice prints the variables of a traceback where `rich` is installed."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ],
        # what a command prints is its answer (a token, a figure) and has standard output for itself
        logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr),
    )


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex
    g.begun = time.perf_counter()
    clear_contextvars()  # a connection that stays open is served by one thread of control
    bind_contextvars(request_id=g.request_id)


def _finish(response: Response) -> Response:
    if "request_id" in g:  # a host that is not trusted is refused before anything
        response.headers["X-Request-ID"] = g.request_id
    return response


def _tell(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else None
    spent = round((time.perf_counter() - g.begun) * 1000, 1) if "begun" in g else None
    log.info("request", method=request.method, route=route, status=response.status_code, milliseconds=spent)
    return response


def init_app(app: Flask) -> None:
    """Stands before all others: its hooks see a request first and its answer last."""
    app.before_request(_begin)
    if app.config["LOG"] == "json":
        _write_json()
        app.after_request(_tell)
    else:
        _write_lines()
    app.after_request(_finish)
