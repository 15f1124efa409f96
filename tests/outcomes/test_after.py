"""After validation: separate recorded steps (product.md rule 19), and who owes what."""

from __future__ import annotations

import csv
import datetime as dt
from typing import Any

import pytest

from consult_app.accounts.models import User
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Consultation
from consult_app.db import clock_at, db, now
from consult_app.outcomes import actions, queries
from consult_app.outcomes.mails import remind_follow_ups
from consult_app.outcomes.models import FollowUp, FollowUpStatus, OutcomeStep, StepKind
from consult_app.policy import Role
from consult_app.registrations.queries import institutions
from consult_app.reports import actions as reports
from tests import factories
from tests.signoff.steps import freeze, rewrite, sign

BY = factories.BY
STEP = {"happened_on": "2026-01-15", "decided_by": "Ministry of Foreign Affairs, Director", "note": "Letter 12"}


@pytest.fixture
def validated(consultation: Consultation, focal_point: User) -> Consultation:
    for section in consultation.sections:
        consultations.reopen_section(section, by=BY)
        words = {"en": f"Write a law on {section.number}.\nCount again.", "id": f"Tulis undang-undang {section.number}.\nHitung lagi."}
        consultations.edit_section(section, {"recommendations": words}, section.edit_number, by=BY)
        freeze(section)
        sign(section, focal_point)
    db.session.commit()
    return consultation


def step_url(of: Consultation, kind: str) -> str:
    return f"/consultations/{of.slug}/after/{kind}"


def record(of: Consultation, *kinds: StepKind) -> None:
    for kind in kinds:
        actions.record_step(of, kind, dt.date(2026, 1, 15), "Ministry", "", by=BY)
    db.session.commit()


def test_rule_19_the_steps_are_separate_and_in_order(
    browse: Any,
    validated: Consultation,
    organiser: User,
    sent: Any,
    last_entry: Any,
    audit_ok: None,
) -> None:
    client = browse(organiser)
    early = client.post(step_url(validated, "consent_given"), data=STEP)
    assert early.status_code == 409
    assert "the counterpart has accepted" in early.text
    for kind in ("comments_closed", "counterpart_accepted", "consent_given"):
        assert client.post(step_url(validated, kind), data=STEP).status_code == 303, kind
        assert last_entry(f"outcome.{kind}").actor == organiser.actor_key
    unsealed = client.post(step_url(validated, "published"), data=STEP)
    assert (unsealed.status_code, "No report is sealed yet." in unsealed.text) == (409, True)
    reports.request_report(validated, "en", by=organiser)
    sent()
    title = validated.title["en"]
    assert title not in browse().get("/").text  # sealed is not published
    assert client.post(step_url(validated, "published"), data=STEP).status_code == 303
    assert title in browse().get("/").text
    assert client.post(step_url(validated, "published"), data=STEP).status_code == 409  # the second click
    page = client.get(f"/consultations/{validated.slug}/after").text
    assert page.count("Recorded by") == 4


def test_rule_27_a_withdrawn_report_is_not_published_any_more(
    browse: Any, validated: Consultation, organiser: User, sent: Any, audit_ok: None
) -> None:
    report = reports.request_report(validated, "en", by=organiser)
    sent()
    record(validated, *StepKind)
    title, client = validated.title["en"], browse(organiser)
    assert title in browse().get("/").text
    reports.withdraw_report(report, "Wrong numbers.", by=organiser)
    db.session.commit()
    assert title not in browse().get("/").text
    page = client.get(f"/consultations/{validated.slug}/after").text
    assert page.count("was withdrawn: Wrong numbers.") == 2  # accepted and consented of it; published is taken back
    assert StepKind.PUBLISHED not in queries.standing_steps(validated)
    answer = client.post(step_url(validated, "published"), data=STEP)
    assert (answer.status_code, "No report is sealed yet." in answer.text) == (409, True)


def test_rule_19_comments_have_to_be_closed_and_the_report_validated(browse: Any, validated: Consultation, organiser: User) -> None:
    record(validated, StepKind.COMMENTS_CLOSED)
    first = validated.sections[0]
    rewrite(first, "Another text, which nobody has signed.")
    db.session.commit()
    answer = browse(organiser).post(step_url(validated, "counterpart_accepted"), data=STEP)
    assert (answer.status_code, "sign-offs are missing" in answer.text) == (409, True)
    consultations.reopen_section(first, by=BY)
    consultations.open_section(first, by=BY)
    actions.undo_step(validated, queries.standing_steps(validated)[StepKind.COMMENTS_CLOSED], "Open again", by=BY)
    db.session.commit()
    answer = browse(organiser).post(step_url(validated, "comments_closed"), data=STEP)
    assert (answer.status_code, "Comments on section 1 are not closed." in answer.text) == (409, True)


@pytest.mark.parametrize("wrong", [{"happened_on": "2999-01-01"}, {"decided_by": "  "}, {"happened_on": "soon"}])
def test_an_invalid_step_is_422_and_what_was_typed_is_kept(
    browse: Any,
    validated: Consultation,
    organiser: User,
    wrong: dict[str, str],
) -> None:
    answer = browse(organiser).post(step_url(validated, "comments_closed"), data={**STEP, **wrong})
    assert answer.status_code == 422
    assert "Letter 12" in answer.text
    assert db.session.query(OutcomeStep).count() == 0


def test_a_step_is_taken_back_with_a_reason_and_stays(
    browse: Any,
    validated: Consultation,
    organiser: User,
    last_entry: Any,
    audit_ok: None,
) -> None:
    record(validated, StepKind.COMMENTS_CLOSED, StepKind.COUNTERPART_ACCEPTED)
    client, standing = browse(organiser), queries.standing_steps(validated)
    below = f"/consultations/{validated.slug}/steps/{standing[StepKind.COMMENTS_CLOSED].public_id}/undo"
    assert client.post(below, data={"reason": "Why"}).status_code == 409  # a later one stands on it
    here = f"/consultations/{validated.slug}/steps/{standing[StepKind.COUNTERPART_ACCEPTED].public_id}/undo"
    assert client.get(here).status_code == 200
    assert client.post(here, data={"reason": " "}).status_code == 422
    assert client.post(here, data={"reason": "The letter was a draft"}).status_code == 303
    assert client.post(here, data={"reason": "again"}).status_code == 409
    assert last_entry("outcome.undo").actor == organiser.actor_key
    assert "The letter was a draft" in client.get(f"/consultations/{validated.slug}/after").text
    assert client.post(step_url(validated, "counterpart_accepted"), data=STEP).status_code == 303  # and once more


def test_a_report_whose_publication_was_taken_back_is_on_the_first_page_no_more(
    browse: Any, validated: Consultation, organiser: User, sent: Any
) -> None:
    reports.request_report(validated, "en", by=organiser)
    sent()
    record(validated, StepKind.COMMENTS_CLOSED, StepKind.COUNTERPART_ACCEPTED, StepKind.CONSENT_GIVEN, StepKind.PUBLISHED)
    title = validated.title["en"]
    assert title in browse().get("/").text
    step = queries.standing_steps(validated)[StepKind.PUBLISHED]
    here = f"/consultations/{validated.slug}/steps/{step.public_id}/undo"
    assert browse(organiser).post(here, data={"reason": "Too early"}).status_code == 303
    assert title not in browse().get("/").text
    record(validated, StepKind.PUBLISHED)
    assert title in browse().get("/").text


def test_recommendations_become_follow_ups_once_in_every_language(
    browse: Any,
    validated: Consultation,
    organiser: User,
    last_entry: Any,
    audit_ok: None,
) -> None:
    client = browse(organiser)
    url = f"/consultations/{validated.slug}/follow-up/recommendations"
    assert client.post(url).status_code == 303
    assert client.post(url).status_code == 303
    rows = db.session.scalars(db.select(FollowUp).order_by(FollowUp.number)).all()
    assert [row.text["id"] for row in rows] == ["Tulis undang-undang 1.", "Hitung lagi.", "Tulis undang-undang 2.", "Hitung lagi."]
    assert last_entry("follow_up.add").object_id == rows[-1].public_id


def one(of: Consultation, **more: Any) -> FollowUp:
    values = {"text": {"en": "=1+1 <b>law</b>"}, "institution": None, "contact": "", "due_on": None, **more}
    row = actions.add_follow_up(of, *values.values(), by=BY)
    db.session.commit()
    return row


def test_it_is_assigned_reported_on_and_exported(
    browse: Any,
    consultation: Consultation,
    organiser: User,
    focal_point: User,
    last_entry: Any,
    audit_ok: None,
) -> None:
    factories.make_registration(factories.make_event(consultation), institution="Ministry of Law")
    row = one(consultation)
    owner = next(i for i in institutions(consultation) if i.name["en"] == "Ministry of Law")
    client = browse(organiser)
    here = f"/consultations/{consultation.slug}/follow-up/{row.public_id}"
    given = {"text-en": "=1+1 <b>law</b>", "institution": owner.public_id, "contact": "law@example.org", "due_on": "2026-02-01"}
    assert client.post(f"{here}/change", data={**given, "contact": "nobody"}).status_code == 422
    assert client.post(f"{here}/change", data={**given, "institution": "another"}).status_code == 422
    assert client.post(f"{here}/change", data=given).status_code == 303
    assert last_entry("follow_up.change").actor == organiser.actor_key
    page = client.get(f"/consultations/{consultation.slug}/after?state=late").text
    assert "Ministry of Law" in page
    assert "&lt;b&gt;law" in page
    named = browse(focal_point)
    done = {"status": "done", "text": "", "link": ""}
    assert named.post(f"{here}/progress", data=done).status_code == 422  # what is done names its evidence
    assert named.post(f"{here}/progress", data={**done, "link": "javascript:alert(1)"}).status_code == 422
    assert named.post(f"{here}/progress", data={**done, "link": "https://law.example.org/1"}).status_code == 303
    assert last_entry("follow_up.report").actor == focal_point.actor_key
    assert row.status is FollowUpStatus.DONE
    table = list(csv.reader(client.get(f"/consultations/{consultation.slug}/follow-up.csv").text.lstrip("\ufeff").splitlines()))
    assert table[1][2:] == ["'=1+1 <b>law</b>", "Ministry of Law", "2026-02-01", "Done", "", "https://law.example.org/1"]
    assert client.get(f"/consultations/{consultation.slug}/follow-up.xlsx").data.startswith(b"PK")


def test_one_reminder_a_week_with_all_that_is_due(app: Any, consultation: Consultation, sent: Any) -> None:
    today, day = now().date(), dt.timedelta(days=1)
    monday = now() - now().weekday() * day
    for due_on in (today + 3 * day, today - 30 * day, today + 200 * day):  # the last one not yet
        one(consultation, contact="law@example.org", due_on=due_on)
    one(consultation, due_on=today)  # nobody to remind
    for days, mails in ((0, 1), (2, 1), (7, 2)):
        with clock_at(monday + days * day):
            remind_follow_ups()
            remind_follow_ups()
        assert len(sent()) == mails, days
    assert sent()[0].get_body(("plain",)).get_content().count("law</b>") == 2


def test_roles(browse: Any, validated: Consultation, organiser: User, focal_point: User) -> None:
    row = one(validated)
    stranger = browse(factories.make_user(Role.ORGANISER, factories.make_consultation()))
    observer = browse(factories.make_user(Role.OBSERVER, validated))
    participant = browse(factories.make_registration(factories.make_event(validated)))
    base = f"/consultations/{validated.slug}"
    record(validated, StepKind.COMMENTS_CLOSED)
    step = queries.standing_steps(validated)[StepKind.COMMENTS_CLOSED]
    writes = [
        step_url(validated, "counterpart_accepted"), f"{base}/steps/{step.public_id}/undo", f"{base}/follow-up/recommendations",
        f"{base}/follow-up/add", f"{base}/follow-up/{row.public_id}/change", f"{base}/follow-up/{row.public_id}/progress",
    ]  # fmt: skip
    for url in writes:
        assert (stranger.post(url).status_code, observer.post(url).status_code, participant.post(url).status_code) == (404, 403, 403), url
    for url in (f"{base}/after", f"{base}/follow-up/{row.public_id}", f"{base}/follow-up.csv"):
        assert (stranger.get(url).status_code, participant.get(url).status_code, observer.get(url).status_code) == (404, 403, 200), url
    other = factories.make_consultation()
    administrator_of_both = factories.make_user(Role.ORGANISER, other)
    db.session.commit()
    swapped = f"/consultations/{other.slug}/follow-up/{row.public_id}"
    assert browse(administrator_of_both).get(swapped).status_code == 404
    assert now() > row.created_at
