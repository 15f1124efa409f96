"""Structured lines: each with the id of its request, and none that tells whose page was asked for."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from flask import Flask

from consult_app import jobs, policy
from tests import factories
from tests.conftest import Client


def test_an_id_that_is_well_formed_is_kept_and_any_other_replaced(client: Client) -> None:
    assert client.get("/", headers={"X-Request-ID": "trace-0123.45_6"}).headers["X-Request-ID"] == "trace-0123.45_6"
    for wrong in ("", "short", "a" * 65, 'with "quotes" in it', "-begins-with-a-dash", "name@example.org"):
        assert re.fullmatch("[0-9a-f]{32}", client.get("/", headers={"X-Request-ID": wrong}).headers["X-Request-ID"])


def test_an_error_has_the_id_too(client: Client) -> None:
    answer = client.get("/no-such-page", headers={"X-Request-ID": "0123456789"})
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (404, "0123456789")


class TestJson:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"LOG": "json", "PROPAGATE_EXCEPTIONS": False}

    @pytest.fixture
    def lines(self, app: Flask) -> Iterator[Callable[[], list[dict[str, Any]]]]:
        """`lines()`: what was written since it was last asked."""
        (handler,) = (one for one in logging.root.handlers if type(one) is logging.StreamHandler)
        written = io.StringIO()
        handler.setStream(written)

        def read() -> list[dict[str, Any]]:
            said = written.getvalue()
            written.seek(0)
            written.truncate()
            return [json.loads(line) for line in said.splitlines()]

        yield read
        logging.root.removeHandler(handler)
        structlog.reset_defaults()

    def test_a_line_for_each_request_names_the_route_and_nobody(self, client: Client, lines: Any, browse: Any) -> None:
        registration = factories.make_registration(name="Siti Nurhaliza")
        organiser = factories.make_user(policy.Role.ORGANISER, registration.event.consultation)
        client = browse(organiser)
        lines()
        client.get(f"/events/{registration.event.slug}/registrations?q=Siti", headers={"X-Request-ID": "0123456789"})
        (line,) = lines()
        assert line["milliseconds"] > 0
        told = {name: line[name] for name in ("event", "level", "method", "route", "status", "request_id", "logger")}
        assert told == {
            "event": "request", "level": "info", "method": "GET", "route": "/events/<slug>/registrations", "status": 200,
            "request_id": "0123456789", "logger": "consult_app.logs",
        }  # fmt: skip
        assert "Siti" not in json.dumps(line)

    def test_every_line_of_a_request_has_its_id(self, app: Flask, client: Client, lines: Any) -> None:
        def broken() -> str:
            policy.public()
            structlog.get_logger().warning("before it broke")
            raise ValueError("broken")

        app.view_functions["monitor.is_alive"] = broken
        answer = client.get("/healthz")
        assert answer.status_code == 500
        lines = lines()
        assert [line["event"] for line in lines] == ["before it broke", "Exception on /healthz [GET]", "request"]
        assert {line["request_id"] for line in lines} == {answer.headers["X-Request-ID"]}
        assert "ValueError: broken" in lines[1]["exception"]

    def test_the_lines_of_a_job_name_it(self, app: Flask, lines: Any, monkeypatch: Any) -> None:
        monkeypatch.setitem(jobs._jobs, "test.tell", lambda _id: structlog.get_logger().warning("at work"))
        jobs.run(app, "test.tell", 7)
        (line,) = lines()
        assert (line["job"], line["ids"], line["event"]) == ("test.tell", [7], "at work")
