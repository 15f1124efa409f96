"""Every route declares who may, and the table is complete and used."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Map

from consult_app import policy
from tests import factories

SOURCES = [*Path("consult_app").rglob("*.py"), *Path("templates").rglob("*.html")]


def views(app: Flask) -> list[tuple[str, Any]]:
    return [
        (rule.endpoint, inspect.unwrap(app.view_functions[rule.endpoint])) for rule in app.url_map.iter_rules() if rule.endpoint != "static"
    ]


def test_every_route_asks_the_policy_or_says_that_it_is_public(app: Flask) -> None:
    def asks(function: Any) -> bool:
        source = inspect.getsource(function)
        if re.search(r"\b(require|public)\(", source):
            return True
        # a view may hand its first steps to one helper of its own module
        helpers = re.findall(r"\b(_\w{2,})\(", source)
        known = [getattr(inspect.getmodule(function), name, None) for name in helpers]
        return any(re.search(r"\b(require|public)\(", inspect.getsource(helper)) for helper in known if inspect.isfunction(helper))

    assert [endpoint for endpoint, function in views(app) if not asks(function)] == []


def test_a_route_that_forgets_to_ask_does_not_answer(app: Flask, browse: Any) -> None:
    app.url_map = Map(host_matching=False)  # of its own: the tests of a process share one
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    with pytest.raises(AssertionError, match="without asking the policy"):
        browse().get("/forgotten")


def test_options_tells_the_methods_of_an_address_and_asks_nobody(browse: Any) -> None:
    answer = browse().options("/sign-in")
    assert (answer.status_code, answer.data) == (200, b"")
    assert "POST" in answer.headers["Allow"]


def test_every_action_that_is_asked_stands_in_the_table_and_the_other_way_round() -> None:
    texts = "\n".join(path.read_text() for path in SOURCES)
    asked = set(re.findall(r"(?:can|require)\((?:[\w.]+, )?[\"']([a-z_]+\.[a-z_]+)[\"']", texts))
    unknown = asked - set(policy.TABLE)
    assert unknown == set()
    unused = {
        action
        for action in policy.TABLE
        if f'"{action}"' not in texts.replace(Path("consult_app/policy.py").read_text(), "") and f"'{action}'" not in texts
    }
    assert unused == set()


def test_a_stranger_gets_404_and_a_member_without_the_role_403(browse: Any) -> None:
    consultation = factories.make_consultation()
    stranger = factories.make_user(policy.Role.ORGANISER, factories.make_consultation())
    observer = factories.make_user(policy.Role.OBSERVER, consultation)
    url = f"/consultations/{consultation.slug}/team"
    assert browse(stranger).get(url).status_code == 404
    assert browse(observer).get(url).status_code == 403
    answer = browse().get(url)
    assert answer.status_code == 303
    assert "/sign-in" in answer.location


def test_a_get_cannot_write(app: Flask, browse: Any) -> None:
    from consult_app.db import db  # noqa: PLC0415

    consultation = factories.make_consultation()

    def write() -> str:
        policy.public()
        consultation_row = db.session.get(type(consultation), consultation_id)
        consultation_row.slug = "changed-by-a-get"
        db.session.commit()
        return "written"

    db.session.commit()
    consultation_id = consultation.id
    app.url_map = Map(host_matching=False)
    app.add_url_rule("/writes", "writes", write, methods=["GET"])
    with pytest.raises(Exception, match="readonly"):
        browse().get("/writes")
    db.session.expire_all()
    assert consultation.slug != "changed-by-a-get"
