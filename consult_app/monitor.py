"""What an operator's programs ask: does the process live, can it work, and figures for Prometheus."""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import structlog
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Flask, Response, abort, current_app, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import func, select, text

from . import jobs, policy
from .db import alone
from .mail import Mail

log = structlog.get_logger()
bp = Blueprint("monitor", __name__)

REQUESTS = Counter("consult_requests", "Requests answered", ("endpoint", "status"))
SECONDS = Histogram(
    "consult_request_seconds",
    "Time on the server; of a stream, until it begins",
    ("endpoint",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
STREAMS = Gauge("consult_streams", "Streams that are open", multiprocess_mode="livesum")


def _database() -> bool:
    with alone() as connection:
        return bool(connection.scalar(text("SELECT 1")))


def _migrations() -> bool:
    heads = current_app.extensions.setdefault("heads", ScriptDirectory(str(current_app.config["MIGRATIONS"])).get_heads())
    with alone() as connection:
        return set(MigrationContext.configure(connection).get_current_heads()) == set(heads)


def _queue() -> bool:
    return jobs.waiting(current_app) >= 0


CHECKS: dict[str, Callable[[], bool]] = {"database": _database, "migrations": _migrations, "queue": _queue}


@bp.get("/healthz")
def is_alive() -> str:
    """The process answers; nothing else is asked, so that a database that is away does not get it killed."""
    policy.public()
    return "ok"


@bp.get("/readyz")
def is_ready() -> tuple[Response, int]:
    """Whether requests should be sent here: 503 names the part that is missing, and the log says why."""
    policy.public()
    found = {name: "ok" if _holds(name, check) else "failed" for name, check in CHECKS.items()}
    return jsonify(found), 200 if set(found.values()) == {"ok"} else 503


def _holds(name: str, check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception as problem:  # whatever a driver raises when its server is away
        log.warning("not ready", part=name, problem=str(problem))
        return False


class _Waiting(Collector):
    """What waits, counted when somebody asks."""

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("consult_jobs_waiting", "Jobs in the queue", jobs.waiting(current_app))
        mails = GaugeMetricFamily("consult_mails", "Mails by state", labels=("state",))
        with alone() as connection:
            for state, count in connection.execute(select(Mail.state, func.count()).group_by(Mail.state)):
                mails.add_metric([state.value], count)
        yield mails


@bp.get("/metrics")
def metrics() -> Response:
    """Figures of all server processes of this machine, for whoever shows the token of the settings."""
    policy.public()
    token = current_app.config["METRICS_TOKEN"]
    if not token or not hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()):
        abort(404)
    registry = CollectorRegistry()
    registry.register(_Waiting())
    counted: Any = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # several processes keep their figures in one folder
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        counted = CollectorRegistry()
    return Response(generate_latest(counted) + generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _begin() -> None:
    g.measured = time.perf_counter()


def _count(response: Response) -> Response:
    endpoint = request.endpoint or "none"
    REQUESTS.labels(endpoint, str(response.status_code)).inc()
    if "measured" in g:
        SECONDS.labels(endpoint).observe(time.perf_counter() - g.measured)
    return response


def init_app(app: Flask) -> None:
    if app.config["METRICS_TOKEN"]:
        app.before_request(_begin)
        app.after_request(_count)
    app.register_blueprint(bp)
