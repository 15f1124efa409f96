"""Asking for the sealed report, and the job that seals it (product.md rules 19 and 21)."""

from __future__ import annotations

import contextvars
import subprocess
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from consult_app import audit, jobs
from consult_app.accounts.models import User
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.errors import Conflict
from consult_app.overview.thread import figures_of
from consult_app.policy import Role
from consult_app.reports import actions, files, seal
from consult_app.reports import jobs as sealing
from consult_app.reports.facts import gather
from consult_app.reports.models import Report, ReportState
from consult_app.signoff.actions import withdraw
from consult_app.signoff.models import SignOff
from tests import factories
from tests.reports.steps import ask, look
from tests.signoff.steps import rewrite, sign


def url(consultation: Consultation) -> str:
    return f"/consultations/{consultation.slug}/report/request"


def reports(consultation: Consultation) -> list[Report]:
    return list(db.session.scalars(db.select(Report).where(Report.consultation_id == consultation.id).order_by(Report.number)))


def run_again(app: Flask, report: Report) -> None:
    db.session.commit()
    contextvars.Context().run(jobs.run, app, "reports.seal", report.id)
    db.session.expire_all()


def test_rule_21_the_report_is_sealed_and_told(
    browse: Any, validated: Consultation, organiser: User, sent: Any, audit_ok: None, last_entry: Any
) -> None:
    client = browse(organiser)
    answer = ask(client, validated)
    assert (answer.status_code, answer.location) == (303, f"/consultations/{validated.slug}/report")
    page = client.get(f"/consultations/{validated.slug}/report").text
    assert 'hx-trigger="every 2s"' in page
    (mail,) = [one for one in sent() if one["To"] == organiser.email]  # the others are checkpoints to who signed
    (report,) = reports(validated)
    assert (report.state, report.failure, report.number) == (ReportState.SEALED, "", 1)
    document = (files.folder() / report.filename).read_bytes()
    assert (seal.sha256(document), len(document)) == (report.sha256, report.size)
    assert seal.check(document, report.manifest["seal"]["certificate"]).is_valid
    assert last_entry("report.request").actor == organiser.actor_key
    assert last_entry("report.seal").actor == "system:worker"
    assert mail["To"] == organiser.email
    assert f"/reports/{report.public_id}" in mail.get_body(("plain",)).get_content()
    fragment = client.get(f"/consultations/{validated.slug}/report", headers={"HX-Request": "true"}).text
    assert "every 2s" not in fragment
    assert "<html" not in fragment


def test_rule_21_an_independent_verifier_finds_the_seal_valid(
    browse: Any, validated: Consultation, organiser: User, sent: Any, tmp_path: Path
) -> None:
    actions.request_report(validated, "id", by=organiser)
    sent()
    (report,) = reports(validated)
    file = files.folder() / report.filename
    told = subprocess.run(["pdfsig", str(file)], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid." in told
    assert "Total document signed" in told
    assert "ETSI.CAdES.detached" in told
    assert told.count("Signature #") == 1
    flipped = bytearray(file.read_bytes())
    flipped[len(flipped) // 3] ^= 1
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(bytes(flipped))
    told = subprocess.run(["pdfsig", str(changed)], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid." not in told


def test_rule_19_not_validated_is_409_with_what_is_missing(
    browse: Any, consultation: Consultation, focal_point: User, organiser: User
) -> None:
    answer = browse(organiser).post(url(consultation), data={"language": "en"})
    assert answer.status_code == 409
    assert "Section 2, Dimension 2: Retno Wulandari (Ministry of Tests) has not signed." in answer.text
    assert reports(consultation) == []


def test_rule_19_a_signature_withdrawn_meanwhile_stops_the_seal(
    app: Flask, validated: Consultation, focal_point: User, organiser: User, sent: Any, audit_ok: None
) -> None:
    report = actions.request_report(validated, "en", by=organiser)
    sign_off = db.session.scalars(db.select(SignOff)).first()
    assert sign_off is not None
    withdraw(sign_off, "Wait.", by=focal_point)
    (mail,) = [one for one in sent() if one["To"] == organiser.email]
    assert (report.state, report.failure) == (ReportState.FAILED, "The report is not validated any more.")
    assert mail["Subject"].startswith("Not sealed")


def test_what_changed_between_composing_and_keeping_is_refused(
    app: Flask, validated: Consultation, focal_point: User, organiser: User
) -> None:
    report = actions.request_report(validated, "en", by=organiser)
    document, copies, manifest = sealing._make(report)
    sign_off = withdraw(db.session.scalars(db.select(SignOff)).all()[0], "Wait.", by=focal_point).sign_off
    with pytest.raises(Conflict):
        actions.keep_sealed(report, document, copies, manifest, by=factories.BY)
    sign(sign_off.section, focal_point)  # again, which is another signature than the one in the file
    with pytest.raises(Conflict):
        actions.keep_sealed(report, document, copies, manifest, by=factories.BY)


def test_rule_27_a_section_opened_again_while_it_is_made_stops_the_seal(
    app: Flask, validated: Consultation, organiser: User, audit_ok: None
) -> None:
    report = actions.request_report(validated, "en", by=organiser)
    made = sealing._make(report)
    consultations.reopen_section(validated.sections[0], by=organiser)
    db.session.commit()
    with pytest.raises(Conflict):
        actions.keep_sealed(report, *made, by=factories.BY)
    db.session.rollback()


def test_rule_27_a_section_that_is_open_again_blocks_the_seal_in_words(
    browse: Any, validated: Consultation, organiser: User, audit_ok: None
) -> None:
    """Its signatures stand, on a revision that may be replaced in a minute: no number says that the report is validated."""
    consultations.reopen_section(validated.sections[0], by=organiser)
    db.session.commit()
    client, words = browse(organiser), "Section 1, Dimension 1: it is open again"
    assert words in client.get(f"/consultations/{validated.slug}/report").text
    assert words in client.get(f"/consultations/{validated.slug}/report/seal").text
    answer = client.post(url(validated), data={"language": "en", "seen": actions.plan(validated, "en").seen})
    assert (answer.status_code, words in answer.text) == (409, True)
    known = figures_of([validated])[validated.id]
    assert (known.signed, known.sections) == (1, 2)
    facts = gather(validated)
    assert (facts.is_validated, [chapter.is_signed for chapter in facts.chapters]) == (False, [False, True])
    assert client.get(f"/consultations/{validated.slug}/report/draft.json").json["validated_at"] is None
    consultations.freeze_section(validated.sections[0], by=organiser)  # unchanged: the same revision, signed
    db.session.commit()
    assert ask(client, validated).status_code == 303


def test_rule_27_what_a_report_supersedes_is_said_before_it_is_sealed(
    browse: Any, validated: Consultation, organiser: User, focal_point: User, sent: Any
) -> None:
    client = browse(organiser)
    assert "it takes the place of none" in client.get(f"/consultations/{validated.slug}/report/seal").text
    assert ask(client, validated).status_code == 303
    sent()
    (first,) = reports(validated)
    rewrite(validated.sections[0], "A better text.")
    sign(validated.sections[0], focal_point)
    db.session.commit()
    page = client.get(f"/consultations/{validated.slug}/report/seal").text
    assert f"/reports/{first.public_id}" in page
    assert "a later one has taken their place" in page
    assert client.post(url(validated), data={"language": "en"}).status_code == 409  # nobody looked
    seen = look(client, validated)
    rewrite(validated.sections[0], "Another text again.")
    sign(validated.sections[0], focal_point)
    db.session.commit()
    answer = client.post(url(validated), data=seen)
    assert (answer.status_code, "is not what the page showed" in answer.text) == (409, True)
    assert len(reports(validated)) == 1


def test_rule_27_the_same_revisions_are_not_sealed_twice(
    browse: Any, validated: Consultation, organiser: User, sent: Any, audit_ok: None
) -> None:
    client = browse(organiser)
    seen = look(client, validated)
    assert ask(client, validated).status_code == 303
    sent()
    assert "Sealed already" in client.get(f"/consultations/{validated.slug}/report/seal").text
    answer = client.post(url(validated), data=seen)
    assert (answer.status_code, "Report 1 has the same revisions" in answer.text) == (409, True)
    assert ask(client, validated, "id").status_code == 303  # another language is another report


def test_one_at_a_time(app: Flask, validated: Consultation, organiser: User) -> None:
    actions.request_report(validated, "en", by=organiser)
    with pytest.raises(Conflict):
        actions.request_report(validated, "id", by=organiser)


def test_the_job_can_run_twice(app: Flask, validated: Consultation, organiser: User, sent: Any, audit_ok: None) -> None:
    report = actions.request_report(validated, "en", by=organiser)
    sent()
    first = (report.sha256, report.sealed_at)
    run_again(app, report)
    assert (report.sha256, report.sealed_at) == first
    assert len([one for one in sent() if one["To"] == organiser.email]) == 1


def test_a_failure_is_kept_in_words(
    app: Flask, validated: Consultation, organiser: User, sent: Any, monkeypatch: pytest.MonkeyPatch, browse: Any, audit_ok: None
) -> None:
    def broken(*_given: Any) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(sealing, "compose", broken)
    report = actions.request_report(validated, "en", by=organiser)
    sent()
    assert report.has_failed
    assert "ZeroDivisionError" in report.failure
    assert report.failure in browse(organiser).get(f"/consultations/{validated.slug}/report").text
    monkeypatch.undo()
    again = actions.request_report(validated, "en", by=organiser)
    sent()
    assert (again.number, again.is_sealed) == (2, True)


def test_what_a_crash_left_behind_is_sealed_later(
    app: Flask, validated: Consultation, organiser: User, sent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = actions.request_report(validated, "en", by=organiser)
    db.session().info.pop("jobs")
    db.session.commit()
    monkeypatch.setattr(sealing, "now", lambda: report.created_at.replace(year=report.created_at.year + 1))
    sealing.seal_again()
    monkeypatch.undo()
    sent()
    assert report.is_sealed


def test_roles(browse: Any, validated: Consultation, focal_point: User) -> None:
    stranger = factories.make_user(Role.ORGANISER, factories.make_consultation())
    assert browse(stranger).post(url(validated), data={"language": "en"}).status_code == 404
    for user in (focal_point, factories.make_user(Role.OBSERVER, validated)):
        assert browse(user).post(url(validated), data={"language": "en"}).status_code == 403
    assert reports(validated) == []


def test_a_language_it_does_not_have_is_422(browse: Any, validated: Consultation, organiser: User) -> None:
    assert browse(organiser).post(url(validated), data={"language": "fr"}).status_code == 422


def test_rule_20_a_changed_row_is_found(app: Flask, validated: Consultation, organiser: User, sent: Any) -> None:
    actions.request_report(validated, "en", by=organiser)
    sent()
    assert audit.verify()[1] == []
    db.session.execute(db.text("UPDATE sign_offs SET signer_name = 'Somebody Else' WHERE id = 1"))
    db.session.execute(db.text("UPDATE reports SET sha256 = 'forged'"))
    db.session.commit()
    words = " ".join(fault.what for fault in audit.verify()[1])
    assert "signer_name" in words
    assert "sha256" in words
