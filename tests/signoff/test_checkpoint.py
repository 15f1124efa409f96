"""Checkpoints of the log: mailed at each sign-off, downloaded, and what they find in a chain that was cut off or rewritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from consult_app import audit, checkpoints
from consult_app.accounts.models import User
from consult_app.cli import verify_command
from consult_app.consultations.models import Consultation, Section
from consult_app.db import db
from consult_app.mail import Mail, MailState, deliver
from consult_app.policy import Role
from consult_app.signoff.models import Decision
from tests import factories
from tests.signoff.steps import name, sign
from tests.signoff.test_sign import form, sign_offs, url

HOSTILE = ["", "{", "[]", "null", '{"type": "consult-checkpoint-1"}', "[" * 9000, "<b>x", "\x00", "9" * 20_000]


def attached(mail: Any) -> str:
    (file,) = mail.iter_attachments()
    assert file.get_content_type() == "application/json"
    return file.get_content().decode()


def verify(app: Flask, *arguments: str) -> tuple[int, str]:
    """What `consult audit verify` says, and its exit code."""
    db.session.commit()
    done = CliRunner().invoke(verify_command, list(arguments), obj=None)
    return done.exit_code, done.output


def kept(tmp_path: Path, text: str, file: str = "kept.json") -> str:
    path = tmp_path / file
    path.write_text(text)
    return str(path)


def test_everybody_who_signs_the_section_gets_one_at_each_sign_off(section: Section, focal_point: User, sent: Any, audit_ok: None) -> None:
    other = factories.make_user(Role.FOCAL_POINT, section.consultation, language="id")
    name(section, other)
    signed = sign(section, focal_point, Decision.RESERVATION, "Not for <b>seafarers</b>.")
    mails = sent()
    assert {mail["To"] for mail in mails} == {focal_point.email, other.email}
    entry = db.session.scalars(db.select(audit.AuditEntry).where(audit.AuditEntry.action == "signoff.sign")).one()
    for mail in mails:
        found = checkpoints.check(attached(mail), checkpoints.public_key())
        assert (found.chain, found.number, found.hash) == (str(section.consultation_id), entry.number, entry.hash)
        assert checkpoints.public_key() in mail.get_body(("plain",)).get_content()
        assert signed.revision_sha256 in mail.get_body(("html",)).get_content()
        assert "<b>seafarers" not in mail.get_body(("html",)).get_content()
    assert len(sent()) == 2


def test_it_is_downloaded_by_the_staff(browse: Any, section: Section, focal_point: User) -> None:
    sign(section, focal_point)
    page = f"/consultations/{section.consultation.slug}/sign-off"
    for role in (Role.ORGANISER, Role.OBSERVER, Role.RAPPORTEUR):
        client = browse(factories.make_user(role, section.consultation))
        assert "Download a checkpoint" in client.get(page).text
        answer = client.get(f"{page}/checkpoint.json")
        assert answer.status_code == 200
        assert "attachment" in answer.headers["Content-Disposition"]
        found = checkpoints.check(answer.text, checkpoints.public_key())
        assert found.number == audit.last_number(str(section.consultation_id))
        assert list(checkpoints.faults(found)) == []


def test_strangers_404_participants_403(browse: Any, section: Section) -> None:
    address = f"/consultations/{section.consultation.slug}/sign-off/checkpoint.json"
    stranger = factories.make_user(Role.ORGANISER, factories.make_consultation())
    participant = factories.make_registration(factories.make_event(section.consultation))
    for who, status in ((stranger, 404), (participant, 403), (None, 303)):
        assert browse(who).get(address).status_code == status


def test_a_chain_that_holds(app: Flask, section: Section, focal_point: User, tmp_path: Path) -> None:
    file = kept(tmp_path, checkpoints.make(str(section.consultation_id)))
    sign(section, focal_point)  # the chain goes on, and still contains the entry
    code, words = verify(app, "--checkpoint", file)
    assert code == 0, words
    assert "1 checkpoints compared" in words
    assert "0 faults" in words


def test_a_chain_that_was_cut_off_is_found_though_it_fits_in_itself(
    app: Flask, section: Section, focal_point: User, tmp_path: Path
) -> None:
    sign(section, focal_point)
    chain = str(section.consultation_id)
    file, number = kept(tmp_path, checkpoints.make(chain)), audit.last_number(chain)
    db.session.execute(db.delete(audit.AuditEntry).where(audit.AuditEntry.chain == chain, audit.AuditEntry.number == number))
    before = db.session.scalars(
        db.select(audit.AuditEntry).where(audit.AuditEntry.chain == chain, audit.AuditEntry.number == number - 1)
    ).one()
    db.session.execute(db.update(audit.AuditHead).where(audit.AuditHead.chain == chain).values(number=before.number, hash=before.hash))
    code, words = verify(app, "--checkpoint", file)
    assert code == 1
    assert f"chain {chain}, entry {number}: the chain was cut off" in words


def test_a_chain_that_was_rewritten_is_found_though_it_fits_in_itself(app: Flask, consultation: Consultation, tmp_path: Path) -> None:
    chain = str(consultation.id)
    file, number = kept(tmp_path, checkpoints.make(chain)), audit.last_number(chain)
    last = db.session.scalars(db.select(audit.AuditEntry).where(audit.AuditEntry.chain == chain, audit.AuditEntry.number == number)).one()
    last.actor = "user:somebody-else"
    forged = audit.sha256(audit.canonical([audit._plain(getattr(last, field)) for field in audit.HASHED]))
    last.hash = forged
    db.session.execute(db.update(audit.AuditHead).where(audit.AuditHead.chain == chain).values(hash=forged))
    db.session.commit()
    assert verify(app)[0] == 0  # in itself it fits
    code, words = verify(app, "--checkpoint", file)
    assert code == 1
    assert f"chain {chain}, entry {number}: the chain was rewritten" in words


@pytest.mark.parametrize("field", ["number", "hash", "chain", "site", "made_at", "recorded_at", "address"])
def test_a_checkpoint_that_was_changed_is_refused(app: Flask, consultation: Consultation, tmp_path: Path, field: str) -> None:
    said = json.loads(checkpoints.make(str(consultation.id)))
    said[field] = said[field] - 1 if field == "number" else said[field] + "0"
    code, words = verify(app, "--checkpoint", kept(tmp_path, json.dumps(said)))
    assert code == 1
    assert "its signature does not fit" in words


def test_a_checkpoint_of_another_site_is_refused(app: Flask, consultation: Consultation, tmp_path: Path) -> None:
    text, ours = checkpoints.make(str(consultation.id)), checkpoints.public_key()
    folder = app.config["VAR"] / "keys"
    for file in ("checkpoint.key", "checkpoint.pub"):
        (folder / file).unlink()
    checkpoints.init_app(app)
    file = kept(tmp_path, text)
    code, words = verify(app, "--checkpoint", file)
    assert code == 1
    assert "signed with another key" in words
    assert verify(app, "--checkpoint", file, "--public-key", ours.upper())[0] == 0


@pytest.mark.parametrize("words", HOSTILE)
def test_whatever_is_given_is_answered(app: Flask, consultation: Consultation, tmp_path: Path, words: str) -> None:
    with pytest.raises(checkpoints.NotGenuine):
        checkpoints.check(words, checkpoints.public_key())
    code, said = verify(app, "--checkpoint", kept(tmp_path, words))
    assert code == 1
    assert "not a checkpoint" in said
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\xfd")
    assert verify(app, "--checkpoint", str(tmp_path / "bytes"))[0] == 1
    with pytest.raises(checkpoints.NotGenuine):
        checkpoints.check(checkpoints.make(str(consultation.id)), words)


def test_an_empty_chain_has_a_checkpoint_too(app: Flask) -> None:
    found = checkpoints.check(checkpoints.make("nothing"), checkpoints.public_key())
    assert (found.number, list(checkpoints.faults(found))) == (0, [])


def test_the_key_is_made_once_and_for_its_owner_only(app: Flask) -> None:
    file, public = app.config["VAR"] / "keys" / "checkpoint.key", checkpoints.public_key()
    assert file.stat().st_mode & 0o077 == 0
    assert len(bytes.fromhex(public)) == 32
    checkpoints.init_app(app)
    assert checkpoints.public_key() == public


@pytest.mark.parametrize("fault", ["gone", "broken", "another"])
def test_a_key_that_cannot_be_used_never_loses_a_signature(
    app: Flask, browse: Any, section: Section, focal_point: User, sent: Any, fault: str, audit_ok: None
) -> None:
    file = app.config["VAR"] / "keys" / "checkpoint.key"
    key, public = file.read_bytes(), checkpoints.public_key()
    if fault == "gone":
        file.unlink()
    else:
        file.write_bytes(b"not a key" if fault == "broken" else checkpoints._new_key())
    checkpoints.init_app(app)
    assert checkpoints.public_key() == public  # nothing is made anew in silence
    client = browse(focal_point)
    assert client.post(url(section), data=form(section, focal_point)).status_code == 303
    assert section.is_signed
    assert len(sign_offs(section)) == 1
    assert sent() == []
    (waiting,) = db.session.scalars(db.select(Mail).where(Mail.kind == "signoff.signed"))
    assert (waiting.state, "checkpoint.key" in waiting.error or "var/keys" in waiting.error) == (MailState.QUEUED, True)
    page = f"/consultations/{section.consultation.slug}/sign-off"
    answer = client.get(f"{page}/checkpoint.json")
    assert answer.status_code == 409
    assert "A checkpoint cannot be made now" in answer.text
    organiser = browse(factories.make_user(Role.ORGANISER, section.consultation))
    assert "No checkpoints of the log" in organiser.get(page).text
    file.write_bytes(key)  # out of the backup
    deliver(waiting.id)
    (mail,) = sent()
    assert list(checkpoints.faults(checkpoints.check(attached(mail), public))) == []
