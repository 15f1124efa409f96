"""The log (rule 20): what was changed behind its back is found and named."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from consult_app import audit
from consult_app.accounts import actions as accounts
from consult_app.accounts.models import User
from consult_app.cli import cli
from consult_app.consultations import team
from consult_app.db import db
from consult_app.policy import Role
from tests import factories


@pytest.fixture
def registration(app: Any) -> Any:
    made = factories.make_registration()
    db.session.commit()
    return made


def faults() -> list[str]:
    db.session.commit()
    return [f"{fault.chain}/{fault.number}: {fault.what}" for fault in audit.verify()[1]]


def sql(words: str, **values: Any) -> None:
    assert db.session.execute(text(words), values).rowcount == 1


def newest(model: str) -> audit.AuditEntry:
    entry = audit.AuditEntry
    return db.session.scalars(db.select(entry).where(entry.object_type == model).order_by(entry.id.desc()).limit(1)).one()


def test_the_chain_verifies_and_its_entries_follow_one_another(registration: Any) -> None:
    assert faults() == []
    chain = str(registration.consultation_id)
    entries = db.session.scalars(db.select(audit.AuditEntry).where(audit.AuditEntry.chain == chain).order_by(audit.AuditEntry.number)).all()
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    assert all(later.previous == earlier.hash for earlier, later in itertools.pairwise(entries))


@pytest.mark.parametrize("column", ["actor", "action", "at", "note", "object_id", "commitment"])
def test_a_changed_entry_is_found(registration: Any, column: str) -> None:
    entry = newest("Registration")
    other = "2001-01-01 00:00:00.000000" if column == "at" else "other"
    sql(f"UPDATE audit_entries SET {column} = :other WHERE id = :id", other=other, id=entry.id)
    assert any(fault.startswith(f"{entry.chain}/{entry.number}: the entry itself was changed") for fault in faults())


def test_a_changed_state_is_found(registration: Any) -> None:
    entry = newest("Registration")
    sql("UPDATE audit_entries SET state = replace(state, 'female', 'male') WHERE id = :id", id=entry.id)
    assert any("the recorded state was changed" in fault for fault in faults())


def test_a_changed_entry_with_a_hash_to_fit_is_found_at_the_next_one(registration: Any) -> None:
    entry = newest("Person")
    entry.actor = "user:somebody-else"
    entry.hash = audit.sha256(audit.canonical([audit._plain(getattr(entry, name)) for name in audit.HASHED]))
    assert any("removed or rewritten" in fault for fault in faults())


def test_a_removed_entry_is_found(registration: Any) -> None:
    entry = newest("Person")
    sql("DELETE FROM audit_entries WHERE id = :id", id=entry.id)
    assert f"{entry.chain}/{entry.number}: an entry was removed or rewritten before this one" in faults()


def test_a_truncated_chain_is_found(registration: Any) -> None:
    entry = newest("Registration")
    sql("DELETE FROM audit_entries WHERE id = :id", id=entry.id)
    assert f"{entry.chain}/{entry.number}: entries are missing at the end" in faults()


def test_a_chain_truncated_with_its_head_is_found_by_the_row_it_spoke_of(registration: Any) -> None:
    entry = newest("Registration")
    sql("DELETE FROM audit_entries WHERE id = :id", id=entry.id)
    sql(
        "UPDATE audit_heads SET number = :number, hash = :hash WHERE chain = :chain",
        number=entry.number - 1,
        hash=entry.previous,
        chain=entry.chain,
    )
    assert faults() == [f"?/0: Registration {registration.public_id} stands in the database but was never recorded"]


def test_a_missing_head_is_found(registration: Any) -> None:
    sql("DELETE FROM audit_heads WHERE chain = :chain", chain=str(registration.consultation_id))
    assert f"{registration.consultation_id}/0: the chain's head is missing" in faults()


CHANGES: dict[str, tuple[Callable[[Any], None], str]] = {
    "changed row": (
        lambda r: sql("UPDATE registrations SET name = 'Somebody Else' WHERE id = :id", id=r.id),
        "Registration {0} is not as it was recorded: name",
    ),
    "deleted row": (lambda r: sql("DELETE FROM registrations WHERE id = :id", id=r.id), "Registration {0} was deleted"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_row_changed_past_the_log_is_found_and_named(registration: Any, change: str) -> None:
    act, words = CHANGES[change]
    public_id = registration.public_id
    act(registration)
    (fault,) = faults()
    assert words.format(public_id) in fault


def test_a_row_never_recorded_is_found(app: Any) -> None:
    user = User(email="x@example.org", name="X")
    db.session.add(user)
    db.session.flush()
    assert faults() == [f"?/0: User {user.public_id} stands in the database but was never recorded"]


def test_erasing_what_was_recorded_does_not_break_the_chain(registration: Any) -> None:
    """The salts and the states go, and with an entry that says so the log still verifies."""
    registration.name = ""
    audit.forget(factories.BY, "registration.erase", registration)
    assert faults() == []
    states = db.session.scalars(db.select(audit.AuditEntry.state).where(audit.AuditEntry.object_id == registration.public_id)).all()
    assert len(states) >= 2
    assert [state is None for state in states] == [True] * (len(states) - 1) + [False]


def test_secrets_are_not_in_the_log(app: Any) -> None:
    user = factories.make_user(administrator=True)
    accounts.set_password(user, "a secret that stays one", by=user)
    state = newest("User").state
    assert user.password_hash not in state
    assert user.totp_secret not in state


SECRETS = {
    "password_hash": "UPDATE users SET password_hash = 'of-somebody-else' WHERE id = :id",
    "totp_secret": "UPDATE users SET totp_secret = 'KRSXG5A' WHERE id = :id",
    "recovery_codes": "UPDATE users SET recovery_codes = '[\"planted\"]' WHERE id = :id",
}


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_changed_past_the_log_is_found_and_its_account_named(app: Any, secret: str) -> None:
    user = factories.make_user(administrator=True)
    accounts.renew_recovery_codes(user, by=user)
    assert faults() == []
    entry, public_id = newest("User"), user.public_id
    sql(SECRETS[secret], id=user.id)
    assert faults() == [f"site/{entry.number}: User {public_id} is not as it was recorded: {secret}"]


def test_the_same_secret_is_recorded_differently_each_time(app: Any) -> None:
    user, other = factories.make_user(), factories.make_user()
    assert user.password_hash == other.password_hash
    recorded = {json.loads(newest("User").state)["password_hash"]}
    for one in (user, other):
        audit.record(factories.BY, "user.profile", one)
        recorded.add(json.loads(newest("User").state)["password_hash"])
    assert len(recorded) == 3


def as_recorded_before(entry: audit.AuditEntry, *missing: str) -> None:
    """Let an entry be one of when these columns were not covered. It is the last of its chain."""
    state = {key: value for key, value in json.loads(entry.state or "").items() if key not in missing}
    entry.state = audit.canonical(state)
    entry.commitment = audit.sha256(f"{entry.salt}{entry.state}")
    entry.hash = audit.sha256(audit.canonical([audit._plain(getattr(entry, name)) for name in audit.HASHED]))
    db.session.get_one(audit.AuditHead, entry.chain).hash = entry.hash
    db.session.commit()


def test_what_was_recorded_before_says_nothing_of_a_secret_until_the_migration_records_it(app: Any) -> None:
    user = factories.make_user(administrator=True, name="Somebody")
    as_recorded_before(newest("User"), *User.audit_hashes)
    db.session.info.clear()  # of the chain's end, which was just rewritten
    assert faults() == []
    sql("UPDATE users SET name = 'Somebody Else' WHERE id = :id", id=user.id)
    assert audit.record_uncovered(factories.BY) == 0  # that row is for the verification to name
    assert "is not as it was recorded: name" in faults()[0]
    sql("UPDATE users SET name = :name WHERE id = :id", id=user.id, name="Somebody")
    db.session.commit()
    app.test_cli_runner().invoke(cli.commands["migrate"])
    assert (newest("User").action, newest("User").actor) == ("users.cover", "system:migrate")
    assert audit.record_uncovered(factories.BY) == 0
    assert faults() == []
    sql(SECRETS["totp_secret"], id=user.id)
    assert "is not as it was recorded: totp_secret" in faults()[0]


def test_the_command_says_so_and_fails(app: Any, registration: Any) -> None:
    run = app.test_cli_runner().invoke
    good = run(cli.commands["audit"].commands["verify"])
    assert (good.exit_code, "0 faults" in good.output) == (0, True)
    sql("UPDATE registrations SET name = 'Somebody Else' WHERE id = :id", id=registration.id)
    db.session.commit()
    bad = run(cli.commands["audit"].commands["verify"])
    assert bad.exit_code == 1
    assert "is not as it was recorded: name" in bad.output + bad.stderr


def test_only_what_is_committed_is_told(app: Any) -> None:
    event = factories.make_event()
    db.session.commit()
    told: list[tuple[str, int]] = []
    audit.on_commit(app, lambda chain, number: told.append((chain, number)))
    chain, before = str(event.consultation_id), audit.last_number(str(event.consultation_id))
    audit.record(factories.BY, "event.edit", event)
    with db.session.begin_nested():
        audit.record(factories.BY, "event.edit", event)
    assert told == []  # the inner one has ended, and nothing is durable
    db.session.rollback()
    assert told == []
    audit.record(factories.BY, "event.edit", event)
    with db.session.begin_nested():
        pass
    db.session.commit()
    assert told == [(chain, before + 1)]
    audit.record(factories.BY, "event.edit", event)
    inner = db.session.begin_nested()
    audit.record(factories.BY, "event.edit", event)
    inner.rollback()
    db.session.commit()
    assert audit.last_number(chain) == before + 2
    assert max(number for _chain, number in told) <= before + 2
    assert audit.verify()[1] == []


def put_back(table: str, public_id: str) -> Callable[[], None]:
    """Keep a row as it stands; what is returned writes it into the database again, past the log."""
    row = dict(db.session.execute(text(f"SELECT * FROM {table} WHERE public_id = :id"), {"id": public_id}).mappings().one())
    columns = ", ".join(f'"{name}"' for name in row)
    values = ", ".join(f":{name}" for name in row)
    return lambda: sql(f"INSERT INTO {table} ({columns}) VALUES ({values})", **row)


def test_a_focal_point_who_was_removed_and_put_back_by_sql_is_found(app: Any) -> None:
    consultation = factories.make_consultation()
    user = factories.make_user(Role.FOCAL_POINT, consultation)
    named = factories.name_focal_point(consultation.sections[0], user)
    db.session.commit()
    again, public_id = put_back("focal_points", named.public_id), named.public_id
    team.unname_focal_point(named, by=factories.BY)
    assert faults() == []
    again()
    (fault,) = faults()
    assert f"FocalPoint {public_id} was deleted, and stands in the database again" in fault
