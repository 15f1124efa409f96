"""What is too large for any column, what a spreadsheet would run, and addresses in every notation."""

from __future__ import annotations

import csv
import io
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from consult_app.addresses import address_key
from consult_app.db import db
from consult_app.policy import Role
from consult_app.registrations import actions as registrations
from consult_app.registrations.actions import find_live
from consult_app.registrations.mails import _parts
from consult_app.registrations.models import Source
from consult_app.sheets import harmless, unquoted, write_csv
from tests import factories
from tests.conftest import Client
from tests.journeys.conftest import wait_for
from tests.test_postgresql import app, postgresql

__all__ = ["app", "postgresql"]
pytestmark = pytest.mark.xdist_group("postgresql")
HUGE = "9" * 20
SAME = [
    "Organiser@Example.org", "organiser@example.org\x01", "organiser\u200b@example.org", "ｏｒｇａｎｉｓｅｒ＠ｅｘａｍｐｌｅ．ｏｒｇ",
    "organiser@example。org", " organiser@example.org. ",
]  # fmt: skip


@pytest.mark.parametrize("typed", SAME)
def test_rule_5_an_address_has_one_form(typed: str) -> None:
    assert address_key(typed) == "organiser@example.org"


def test_rule_5_an_address_in_letters_of_its_own_is_that_of_its_punycode() -> None:
    assert address_key("budi@Bücher.example") == address_key("budi@xn--bcher-kva.example") == "budi@xn--bcher-kva.example"
    assert address_key("nothing at all") == "nothing at all"


def test_rule_5_every_notation_holds_one_seat(app: Any) -> None:
    event = factories.make_event()
    first = factories.make_registration(event, email="organiser@example.org")
    for typed in SAME:
        assert factories.make_registration(event, email=typed) is first
        assert find_live(event, typed) is first


@pytest.fixture
def organiser(app: Any) -> Any:
    client, consultation = app.test_client(), factories.make_consultation()
    event = factories.make_event(consultation)
    user = factories.make_user(Role.ORGANISER, consultation)
    client.consultation, client.event = consultation.slug, event.slug
    db.session.commit()
    return client.sign_in(user)


def test_numbers_of_twenty_digits_in_every_address_are_not_found(app: Any, organiser: Client) -> None:
    given: Any = organiser
    values = {"slug": given.consultation, "number": HUGE, "revision_number": HUGE, "public_id": "x", "kind": "pdf", "decision": "approve"}
    asked = 0
    for rule in app.url_map.iter_rules():
        if not any(type(c).__name__ == "Number" for c in rule._converters.values()):
            continue
        url = rule.rule
        for name in rule.arguments:
            start = url.index("<", 0)
            url = url[:start] + str(values.get(name, "x")) + url[url.index(">", start) + 1 :]
        for method in rule.methods & {"GET", "POST"}:
            assert 400 <= organiser.open(url, method=method).status_code < 500, (method, url)
            asked += 1
    assert asked > 10


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("/events/{event}/settings", {"capacity": HUGE}),
        ("/consultations/{consultation}/sections/1/edit", {"edit_number": HUGE, "narrative-en": "Words."}),
        ("/events/{event}/invitations/add", {"kind": "institution", "institution": "x", "seats": HUGE}),
    ],
)
def test_numbers_of_twenty_digits_in_forms_are_refused_in_words(organiser: Any, url: str, form: dict[str, str]) -> None:
    answer = organiser.post(url.format(event=organiser.event, consultation=organiser.consultation), data=form)
    assert 400 <= answer.status_code < 500
    for address in ("/events/{event}/registrations?page=", "/consultations/{consultation}/comments?page="):
        assert organiser.get(address.format(event=organiser.event, consultation=organiser.consultation) + HUGE).status_code < 500


@pytest.mark.parametrize("words", ["a;=1+1", "a; =1+1", "a\t@x", "a\n=cmd|x", "a\n-1+1", "=1+1", "x;+cmd"])
def test_rule_22_a_cell_is_no_formula_at_any_separator(words: str) -> None:
    text = write_csv(["A", "B"], [[words, "b"]]).decode("utf-8-sig")
    for separator in (",", ";", "\t"):
        for row in csv.reader(io.StringIO(text), delimiter=separator):
            assert not [cell for cell in row if cell.lstrip(" ").startswith(("=", "+", "-", "@"))], row
        for line in text.splitlines():  # a program that takes no quotes
            assert not [cell for cell in line.split(separator) if cell.lstrip(' "').startswith(("=", "+", "-", "@"))], line
    assert unquoted(harmless(words), words) == words
    assert unquoted(harmless(words), "something else") == words.strip()
    assert harmless("first\n- second") == "first\n- second"


def test_a_strangers_words_are_mailed_to_nobody(app: Any) -> None:
    event = factories.make_event()
    details = registrations.Details(
        name="You won https://evil.example", institution="evil.example", email="victim@example.org", sex=factories.Sex.FEMALE,
        stakeholder_type=factories.stakeholder_type(event.consultation_id),
    )  # fmt: skip
    person, _new = registrations.register(event, details, by=factories.BY, source=Source.PUBLIC)
    with app.test_request_context():
        for opened in (False, True):
            parts = _parts("ticket", person.id)
            assert (parts.names["name"] == person.full_name) is opened
            page = app.jinja_env.get_template(f"{parts.template}.txt").render(**parts.names)
            assert ("evil.example" in page) is opened
            registrations.opened(person)


def test_a_command_that_is_killed_leaves_nothing_at_its_port(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    environment = {**os.environ, "CONSULT_VAR": str(tmp_path), "CONSULT_DEMO": "0"}
    environment.pop("DATABASE_URL", None)
    command = [sys.executable, "-m", "consult_app.cli", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: answers() or None)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    wait_for(lambda: (not answers()) or None)
