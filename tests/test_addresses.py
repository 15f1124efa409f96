"""One address, one person, in whatever notation it was kept (rule 5)."""

from __future__ import annotations

from typing import Any

from consult_app import audit
from consult_app.cli import cli
from consult_app.db import db
from tests import factories


def migrate(app: Any) -> None:
    db.session.commit()
    done = app.test_cli_runner().invoke(cli.commands["migrate"])
    assert done.exit_code == 0, done.output
    db.session.expire_all()


def keep_as(row: Any, email: str) -> None:
    """As it was kept before there was one form."""
    row.email = email
    audit.record(factories.BY, "test.address", row)


def test_rule_5_addresses_kept_in_another_notation_are_brought_to_the_one_form(app: Any, audit_ok: None) -> None:
    user, registration = factories.make_user(), factories.make_registration(email="rina@xn--mnchen-3ya.example")
    keep_as(user, "Rina@M\u00dcNCHEN.example")
    keep_as(registration.person, "rina@m\u00fcnchen.example")
    keep_as(registration, "\uff52ina@m\u00fcnchen.example.")
    migrate(app)
    assert {user.email, registration.person.email, registration.email} == {"rina@xn--mnchen-3ya.example"}
    entries = db.session.scalar(
        db.select(db.func.count()).where(audit.AuditEntry.action.like("%.address"), audit.AuditEntry.actor != factories.BY.actor_key)
    )
    migrate(app)
    again = db.session.scalar(
        db.select(db.func.count()).where(audit.AuditEntry.action.like("%.address"), audit.AuditEntry.actor != factories.BY.actor_key)
    )
    assert (entries, again) == (3, 3)


def test_rule_5_an_address_that_somebody_has_in_its_one_form_already_stays(app: Any, audit_ok: None) -> None:
    first = factories.make_registration(email="rina@xn--mnchen-3ya.example")
    second = factories.make_registration(first.event, email="other@example.org")
    elsewhere = factories.make_registration(email="third@example.org")
    for one in (second, elsewhere):
        keep_as(one.person, "rina@m\u00fcnchen.example")
    migrate(app)
    assert second.person.email == "rina@m\u00fcnchen.example"  # a person has to say whether they are the same
    assert elsewhere.person.email == "rina@xn--mnchen-3ya.example"  # of another consultation, so another person
