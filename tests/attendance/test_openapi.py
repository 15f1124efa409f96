"""The description of the API: it is valid, and what is made from it at random is never our mistake."""

from __future__ import annotations

import contextvars
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from consult_app.cli import cli
from consult_app.db import db
from tests import factories
from tests.attendance.conftest import Desk

OPERATIONS = {
    "POST /api/v1/devices/pair", "GET /api/v1/events/{slug}", "GET /api/v1/events/{slug}/guests",
    "POST /api/v1/events/{slug}/checkins", "POST /api/v1/events/{slug}/checkins/batch",
    "POST /api/v1/events/{slug}/checkins/{nonce}/undo", "POST /api/v1/events/{slug}/signatures",
    "POST /api/v1/events/{slug}/walk-ins", "POST /api/v1/events/{slug}/guests/{public_id}/replace",
    "POST /api/v1/events/{slug}/guests/{public_id}/join", "GET /api/v1/events/{slug}/guests/{public_id}/badge",
}  # fmt: skip
RANDOM = settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_no_request_that_follows_the_description_is_our_mistake(desk: Desk, event: Any, audit_ok: None) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", desk.app)
    schema.validate()
    known = {"slug": desk.slug, "public_id": factories.make_registration(event).public_id}
    db.session.commit()
    asked: dict[str, set[int]] = {}
    for found in schema.get_all_operations():
        operation = found.ok()

        @RANDOM
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            case.path_parameters.update({name: value for name, value in known.items() if name in case.path_parameters})
            answer = contextvars.Context().run(case.call, headers={"Authorization": f"Bearer {desk.token}"})
            asked.setdefault(f"{case.operation.method.upper()} {case.operation.path}", set()).add(answer.status_code)
            assert answer.status_code < 500, case.as_curl_command()

        ask()
    assert set(asked) == OPERATIONS
    assert all(200 in asked[path] for path in asked if path.startswith("GET"))
    assert 200 in asked["POST /api/v1/events/{slug}/checkins"]


def test_the_command_prints_the_token_alone(app: Any, event: Any) -> None:
    answer = contextvars.Context().run(app.test_cli_runner().invoke, cli, ["token", "create", "--event", event.slug, "--name", "Robot"])
    assert (answer.exit_code, answer.output.count("\n")) == (0, 1), answer.output
    token = answer.output.strip()
    assert Desk(app, event.slug, token).ask("GET").json["device"]["name"] == "Robot"
    missing = contextvars.Context().run(app.test_cli_runner().invoke, cli, ["token", "create", "--event", "none", "--name", "Robot"])
    assert missing.exit_code == 1
    assert "Traceback" not in missing.output
