"""How gunicorn serves Consult when it is started in this folder: `gunicorn wsgi:app`. What its command line says wins."""

import contextlib
import datetime as dt
import json
import logging
import os
import shutil
import tempfile
from typing import Any

from gunicorn.glogging import Logger

worker_class = "gevent"
worker_connections = 3000
keepalive = 15  # also how long a connection may wait for its first request: a thousand come at once
graceful_timeout = 5  # streams have no end of their own
control_socket_disable = True
_figures: list[str] = []

if os.environ.get("CONSULT_METRICS_TOKEN") and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    # before a worker imports anything: prometheus_client decides at its import where figures lie
    _figures.append(tempfile.mkdtemp(prefix="consult-figures-"))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = _figures[0]


class _Json(logging.Formatter):
    """gunicorn's own lines, in the form of `consult_app/logs.py`."""

    def format(self, record: logging.LogRecord) -> str:
        at = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat()
        line = {"timestamp": at, "level": record.levelname.lower(), "logger": record.name, "event": record.getMessage()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class _JsonLogger(Logger):
    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(_Json())


if os.environ.get("CONSULT_LOG") == "json":
    logger_class = _JsonLogger


def child_exit(_server: Any, worker: Any) -> None:
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):  # what it counted stays, what it had open is gone
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{folder}/gauge_livesum_{worker.pid}.db")


def on_exit(_server: Any) -> None:
    for folder in _figures:
        shutil.rmtree(folder, ignore_errors=True)
