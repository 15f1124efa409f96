"""The thread's figures: counted again exactly where something was recorded."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import time_machine
from flask import Flask

from consult_app import audit
from consult_app.comments.actions import write_comment
from consult_app.comments.models import CommentKind
from consult_app.consultations import actions as consultations
from consult_app.db import db
from consult_app.policy import Role
from consult_app.registrations.models import RegistrationState
from consult_app.registrations.tickets import ticket_code
from tests import factories
from tests.factories import BY


def comments_of(page: str) -> int:
    found = re.search(r"(\d+) comments?\b", page)
    assert found is not None
    return int(found[1])


def test_figures_are_counted_again_only_where_something_was_recorded(app: Flask, browse: Any, count_queries: Any) -> None:
    event = factories.make_event()
    person = factories.make_registration(event)
    for section in event.consultation.sections:
        consultations.open_section(section, by=BY)
    indicator = event.consultation.dimensions[0].indicators[0]
    client = browse(factories.make_user(Role.ORGANISER, event.consultation))

    def look() -> tuple[int, int]:
        with count_queries() as statements:
            page = client.get(f"/events/{event.slug}")
        assert page.status_code == 200
        return comments_of(page.text), sum("dispositions" in one for one in statements)

    assert look()[0] == 0
    assert look() == (0, 0)
    write_comment(indicator, person, CommentKind.CONTEXT, "Name the law.", by=person, client_key="first")
    db.session.commit()
    assert look() == (1, 1)
    assert look() == (1, 0)
    write_comment(indicator, person, CommentKind.CONTEXT, "And its year.", by=person, client_key="second")
    db.session.rollback()
    assert look() == (1, 0)
    in_another_process = """
import sys
from pathlib import Path
from consult_app import create_app
from consult_app.comments.actions import withdraw_comment
from consult_app.comments.models import Comment
from consult_app.db import db
from consult_app.policy import System
with create_app({"VAR": Path(sys.argv[1]), "DATABASE_URL": sys.argv[2]}).app_context():
    withdraw_comment(db.session.scalar(db.select(Comment)), by=System("other"))
    db.session.commit()
"""
    other = [sys.executable, "-c", in_another_process, str(app.config["VAR"]), app.config["DATABASE_URL"]]
    subprocess.run(other, cwd=Path(__file__).parents[2], check=True)
    assert look() == (0, 1)


def figures(page: str) -> dict[str, tuple[int, ...]]:
    """The numbers of the thread on a page: of those registered, and of those who arrived among them."""
    found = {}
    for name, words in (("registered", r"(\d+) registered"), ("arrived", r"(\d+) of (\d+) arrived")):
        numbers = re.search(words, page)
        assert numbers is not None, name
        found[name] = tuple(map(int, numbers.groups()))
    return found


def test_rule_9_registered_are_those_who_hold_a_place(app: Flask, browse: Any) -> None:
    event = factories.make_event(capacity=2)
    held = [factories.make_registration(event) for _n in range(3)]
    assert [one.is_confirmed for one in held] == [True, True, False]  # the third waits for a seat
    for state in (RegistrationState.REFUSED, RegistrationState.PENDING, RegistrationState.CANCELLED):
        one = factories.make_registration(event)
        one.state = state
        audit.record(BY, "registration.change", one)
    client = browse(factories.make_user(Role.ORGANISER, event.consultation))
    assert figures(client.get(f"/events/{event.slug}").text) == {"registered": (2,), "arrived": (0, 2)}


def test_rule_9_who_comes_on_both_days_of_a_workshop_has_arrived_once(app: Flask, browse: Any) -> None:
    day = dt.datetime.now(dt.timezone(dt.timedelta(hours=7))).date()
    event = factories.make_event(starts_on=day, ends_on=day + dt.timedelta(days=1), starts_at=dt.time(0))
    person, _other = factories.make_registration(event), factories.make_registration(event)
    desk = browse(factories.make_user(Role.CHECK_IN, event.consultation))
    for number in range(2):
        with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=number)):
            again = browse(factories.make_user(Role.CHECK_IN, event.consultation)) if number else desk
            answer = again.post(f"/events/{event.slug}/desk", data={"code": ticket_code(person.seed), "nonce": f"n{number}"})
            assert "Welcome" in answer.text
    client = browse(factories.make_user(Role.ORGANISER, event.consultation))
    assert figures(client.get(f"/events/{event.slug}").text) == {"registered": (2,), "arrived": (1, 2)}
