"""The PDF itself: what it says, in both languages, whatever people wrote."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import Any

import pypdf
import pytest

from consult_app.accounts.models import User
from consult_app.attendance.actions import check_in
from consult_app.comments import answers
from consult_app.comments.models import DispositionKind
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import SECTION_PARTS, Attribution, Consultation
from consult_app.db import clock_at, db
from consult_app.policy import Role
from consult_app.registrations.models import Sex
from consult_app.reports import actions
from consult_app.signoff.models import Decision
from tests import factories
from tests.signoff.steps import BY, comment_on, freeze, name, rewrite, sign

HOSTILE = (
    '<img src="/etc/passwd"/> <b>unclosed <font color="nowhere"> & &bogus; </para>',
    "مرحبا بالعالم 2023 \U0001f600 \uffff \u202e \ud7ff words",
    "A" * 20_000,
    "word " * 4_000,
    "{{ 7*7 }} %(name)s %s \\n \t\n\n\n",
    "\x00\x0b\x1f",
)


def words_of(document: bytes) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(document)).pages)


def test_the_draft_is_shown_to_staff(browse: Any, consultation: Consultation, organiser: User) -> None:
    answer = browse(organiser).get(f"/consultations/{consultation.slug}/report/draft.pdf?language=id")
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF")
    reader = pypdf.PdfReader(io.BytesIO(answer.data))
    assert reader.trailer["/Root"]["/Lang"] == "id"  # type: ignore[index]
    assert "Konsultasi" in reader.pages[0].extract_text()
    pages = pypdf.PdfReader(io.BytesIO(actions.draft(consultation, "pdf", "en"))).pages
    assert all("DRAFT" in page.extract_text() for page in pages)


def test_roles_and_languages(browse: Any, consultation: Consultation, organiser: User) -> None:
    url = f"/consultations/{consultation.slug}/report/draft.pdf"
    assert browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).get(url).status_code == 404
    participant = factories.make_registration(factories.make_event(consultation))
    assert browse(participant).get(url).status_code == 403
    assert browse(organiser).get(url + "?language=fr").status_code == 404


def test_sections_signatures_reservations_and_pages(app: Any, consultation: Consultation) -> None:
    user = factories.make_user(Role.FOCAL_POINT, consultation, name="Retno Wulandari")
    first, second = consultation.sections
    for section in (first, second):
        name(section, user)
        freeze(section)
    sign(first, user, Decision.RESERVATION, "Not for seafarers.")
    document = actions.draft(consultation, "pdf", "en")
    words = words_of(document)
    assert "Text of section 1." in words
    assert words.count("Not for seafarers.") == 2  # beside the signature, and annexed
    assert "uncertified electronic signature" in words
    assert first.revision is not None
    assert first.revision.sha256[:4] + " " + first.revision.sha256[4:8] in words
    assert "Retno Wulandari: Waiting for signature" in words
    reader = pypdf.PdfReader(io.BytesIO(document))
    assert f"1 / {len(reader.pages)}" in " ".join(reader.pages[0].extract_text().split())
    titles = [item.title for item in reader.outline if not isinstance(item, list)]
    assert titles == [
        "Participation", "Comments and positions in numbers", "1 Dimension 1", "2 Dimension 2", "Annex A: Comments and their dispositions",
        "Annex B: Reservations", "Annex C: Positions by indicator", "Signatures", "Verification",
    ]  # fmt: skip


def test_rule_9_and_23_participation_is_of_those_who_arrived(app: Any, consultation: Consultation) -> None:
    event = factories.make_event(consultation)
    people = [factories.make_registration(event, sex=Sex.FEMALE if n < 4 else Sex.MALE) for n in range(7)]
    for person in people[:5]:
        with clock_at(event.starts):
            check_in(event, person, by=BY, nonce=person.public_id)
    words = words_of(actions.draft(consultation, "pdf", "en"))
    assert "Government 7 4 1 0 5 80 % 1" in words
    assert "Total 7 4 1 0 5 80 % 1" in words


def test_rule_11_under_the_chatham_house_rule_nobody_is_named_and_small_cells_are_suppressed(app: Any) -> None:
    consultation = factories.make_consultation(attribution=Attribution.BY_STAKEHOLDER_TYPE)
    event = factories.make_event(consultation)
    author = factories.make_registration(event, name="Siti Aminah", institution="Office of Secrets", kind="ngo")
    with clock_at(event.starts):
        check_in(event, author, by=BY, nonce="n")
    section = consultation.sections[0]
    consultations.open_section(section, by=BY)
    db.session.commit()
    db.session.expire_all()
    comment_on(section, author, "The text leaves out seafarers.")
    words = words_of(actions.draft(consultation, "pdf", "en"))
    assert "The text leaves out seafarers." in words
    assert "NGO" not in words  # one person: neither as an author nor in a table
    assert "Siti Aminah" not in words
    assert "Office of Secrets" not in words
    assert "Total 1 – – – 1 – –" in words


def test_rule_11_by_institution_names_the_institution(app: Any, consultation: Consultation) -> None:
    author = factories.make_registration(factories.make_event(consultation), name="Siti Aminah", institution="Office of Seafarers")
    consultations.open_section(consultation.sections[0], by=BY)
    db.session.commit()
    db.session.expire_all()
    comment_on(consultation.sections[0], author)
    words = words_of(actions.draft(consultation, "pdf", "en"))
    assert "Office of Seafarers" in words
    assert "Siti Aminah" not in words


def test_rule_14_the_change_of_an_accepted_comment_is_shown_as_words(app: Any, consultation: Consultation) -> None:
    decider = factories.make_user(Role.FOCAL_POINT, consultation)
    section = consultation.sections[0]
    name(section, decider)
    consultations.open_section(section, by=BY)
    db.session.commit()
    db.session.expire_all()
    comment = comment_on(section, factories.make_registration(factories.make_event(consultation)))
    indicator = comment.indicator
    indicator.finding = {"en": "Finding of 2017."}
    factories.audit.record(BY, "indicator.edit", indicator)
    consultations.start_review(section, by=BY)
    answers.decide(comment, DispositionKind.ACCEPTED, "Thank you.", by=decider)
    answers.carry([comment], freeze(section), by=BY)
    db.session.commit()
    words = words_of(actions.draft(consultation, "pdf", "en"))
    assert "The finding was changed:" in words
    assert "Accepted Thank you." in words


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_never_breaks_the_report(app: Any, hostile: str) -> None:
    title = {"en": hostile[:200] or "x"}
    consultation = factories.make_consultation(title=title, partners=[hostile[:300]], summary={"en": hostile})
    user = factories.make_user(Role.FOCAL_POINT, consultation, name=hostile[:100] or "x", title=hostile[:200])
    event = factories.make_event(consultation, title=title, venue=hostile[:200])
    author = factories.make_registration(event, name=hostile[:100], institution=hostile[:200])
    section = consultation.sections[0]
    for row in section.dimension.indicators:
        row.question, row.finding, row.evidence = {"en": hostile}, {"en": hostile}, hostile
        factories.audit.record(BY, "indicator.edit", row)
    consultations.open_section(section, by=BY)
    db.session.commit()
    db.session.expire_all()
    if hostile.strip("\x00\x0b\x1f"):
        comment = comment_on(section, author, hostile, proposed=hostile)
        consultations.start_review(section, by=BY)
        answers.decide(comment, DispositionKind.NOT_ACCEPTED, hostile, by=user)
    name(section, user)
    parts = {part: {"en": hostile} for part in SECTION_PARTS}
    if section.is_open:
        consultations.start_review(section, by=BY)
    consultations.edit_section(section, parts, section.edit_number, by=BY)
    freeze(section)
    document = actions.draft(consultation, "pdf", "en")
    assert b"root:x:0" not in document
    assert "/etc/passwd" not in words_of(document).replace('<img src="/etc/passwd"/>', "")


def test_rule_1_a_large_report_counts_what_is_there(app: Any) -> None:
    consultation = factories.make_consultation(indicators=98, dimensions=6)
    author = factories.make_registration(factories.make_event(consultation))
    for section in consultation.sections:
        rewrite_open(section)
    db.session.commit()
    db.session.expire_all()
    for n in range(60):
        comment_on(consultation.sections[n % 6], author, f"{n:02d} is a comment of some length " + "with words " * 40)
    db.session.commit()
    document = actions.draft(consultation, "pdf", "en")
    assert "98 indicators in 6 dimensions" in words_of(document)
    assert "60 comments, 0 with a disposition." in words_of(document)


def rewrite_open(section: Any) -> None:
    consultations.open_section(section, by=BY)


def test_a_draft_after_a_return_says_so(app: Any, consultation: Consultation) -> None:
    user = factories.make_user(Role.FOCAL_POINT, consultation, name="Retno")
    section = consultation.sections[0]
    name(section, user)
    rewrite(section, "New.")
    sign(section, user, Decision.RETURN, "Not yet.")
    assert "Retno: Returned" in words_of(actions.draft(consultation, "pdf", "en"))


def test_a_command_writes_the_draft(app: Any, consultation: Consultation) -> None:
    def run(*words: str) -> Any:
        environment = {**os.environ, "CONSULT_VAR": str(app.config["VAR"]), "DATABASE_URL": app.config["DATABASE_URL"]}
        return subprocess.run([sys.executable, "-m", "consult_app.cli", "draft", *words], env=environment, capture_output=True, check=False)

    db.session.commit()
    done = run(consultation.slug, "--language", "id")
    assert done.returncode == 0, done.stderr
    assert "Konsultasi" in words_of(done.stdout)
    assert json.loads(run(consultation.slug, "--kind", "json").stdout)["consultation"]["slug"] == consultation.slug
    for wrong in (("nothing",), (consultation.slug, "--language", "fr"), (consultation.slug, "--kind", "exe")):
        refused = run(*wrong)
        assert (refused.returncode != 0, refused.stdout) == (True, b"")


def test_a_draft_that_cannot_be_made_is_told(
    browse: Any, consultation: Consultation, organiser: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a server asks, another process makes it: here one that finds no such consultation in its database."""
    client = browse(organiser)
    monkeypatch.setattr("consult_app.reports.drafts.is_module_patched", lambda _name: True)
    monkeypatch.setenv("DATABASE_URL", "sqlite:////nowhere/at/all.db")
    answer = client.get(f"/consultations/{consultation.slug}/report/draft.pdf?language=en")
    assert answer.status_code == 503
    assert "could not be made" in answer.text
    assert b"%PDF" not in answer.data
