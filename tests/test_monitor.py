"""What operators' programs ask: healthz, readyz, metrics; and who is believed to stand before the server."""

from __future__ import annotations

import http.client
import subprocess
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from sqlalchemy import text
from werkzeug.routing import Map

from benchmarks.checkins import server
from consult_app import create_app, jobs, policy
from consult_app.db import db
from consult_app.mail import Mail
from tests import factories
from tests.conftest import SETTINGS, Client, empty_database
from tests.registrations.test_register import FORM

TOKEN = "token-of-the-monitor"


def test_healthz_asks_nothing_of_the_database(client: Client, count_queries: Any) -> None:
    with count_queries() as statements:
        assert client.get("/healthz").text == "ok"
    assert statements == []


def test_readyz_when_all_is_there(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"database": "ok", "migrations": "ok", "queue": "ok"})


def test_readyz_before_the_migrations(client: Client) -> None:
    db.session.execute(text("UPDATE alembic_version SET version_num = '000000000000'"))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"database": "ok", "migrations": "failed", "queue": "ok"})


def test_readyz_without_database_and_queue_while_healthz_answers(tmp_path: Path) -> None:
    away = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none", "JOBS": "redis://127.0.0.1:9/0"}
    client = create_app({**SETTINGS, "VAR": tmp_path, **away}).test_client()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"database": "failed", "migrations": "failed", "queue": "failed"})
    assert client.get("/healthz").status_code == 200


def test_where_jobs_may_wait(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="CONSULT_JOBS"):
        create_app({**SETTINGS, "VAR": tmp_path, "DATABASE_URL": f"sqlite:///{tmp_path / 'x.db'}", "JOBS": "amqp://x"})


def test_a_job_that_the_queue_did_not_take_does_not_undo_what_was_committed(app: Flask, browse: Any) -> None:
    app.config["JOBS"] = "redis://127.0.0.1:9/0"
    jobs.init_app(app)
    organiser = factories.make_user(policy.Role.ORGANISER, (event := factories.make_event()).consultation)
    client = browse(organiser)
    before = db.session.scalar(db.select(db.func.count()).select_from(Mail))
    answer = client.post(f"/events/{event.slug}/registrations/add", data={**FORM, "role": "participant"})
    assert answer.status_code == 303, answer.text
    assert db.session.scalar(db.select(db.func.count()).select_from(Mail)) == before + 1


class TestMetrics:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"METRICS_TOKEN": TOKEN}

    def test_only_for_whoever_shows_the_token(self, client: Client) -> None:
        for headers in ({}, {"Authorization": "Bearer another"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": "Bearer ä"}):
            assert client.get("/metrics", headers=headers).status_code == 404
        assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200

    def test_they_count(self, client: Client, sent: Any) -> None:
        factories.make_registration(send=True)
        sent()
        client.get("/verify")
        client.get("/no-such-page")
        said = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
        for line in (
            'consult_requests_total{endpoint="reports.verify",status="200"}',
            'consult_requests_total{endpoint="none",status="404"}',
            'consult_request_seconds_bucket{endpoint="reports.verify",le="0.5"}',
            'consult_mails{state="sent"} 1.0',
            "consult_jobs_waiting 0.0",
            "consult_streams 0.0",
        ):
            assert line in said, said


def test_without_a_token_in_the_settings_there_are_no_metrics(client: Client) -> None:
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_the_figures_of_two_processes_are_one(tmp_path: Path) -> None:
    environment = {
        "CONSULT_VAR": str(tmp_path), "DATABASE_URL": empty_database(tmp_path), "CONSULT_METRICS_TOKEN": TOKEN,
        "WEB_CONCURRENCY": "2",
    }  # fmt: skip
    with server("wsgi:app", environment) as port:

        def ask(path: str) -> tuple[str, str]:
            asking = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            asking.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}", "Connection": "close"})
            answer = asking.getresponse()
            return answer.read().decode(), answer.headers["X-Request-ID"]

        ids = {ask("/healthz")[1] for _n in range(20)}
        said = ask("/metrics")[0]
    assert len(ids) == 20
    assert 'consult_requests_total{endpoint="monitor.is_alive",status="200"} 20.0' in said
    assert subprocess.run(["pgrep", "-f", f"127.0.0.1:{port}"], capture_output=True, check=False).stdout == b""


@pytest.mark.parametrize(("proxies", "address", "scheme"), [(0, "127.0.0.1", "http"), (1, "203.0.113.9", "https")])
def test_forwarded_headers_are_believed_only_from_proxies_that_are_known(tmp_path: Path, proxies: int, address: str, scheme: str) -> None:
    app = create_app({**SETTINGS, "VAR": tmp_path, "DATABASE_URL": empty_database(tmp_path), "PROXIES": proxies})
    app.url_map = Map()

    def who() -> str:
        policy.public()
        return f"{request.remote_addr} {request.scheme}"

    app.add_url_rule("/who", "who", who)
    forwarded = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9", "X-Forwarded-Proto": "https"}
    assert app.test_client().get("/who", headers=forwarded).text == f"{address} {scheme}"
