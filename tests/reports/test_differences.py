"""Any two revisions of a section compared, on the page, as PDF and as DOCX (product.md rule 14)."""

from __future__ import annotations

import io
from typing import Any

import docx
import pytest

from consult_app.accounts.models import User
from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.policy import Role
from tests import factories
from tests.reports.test_draft import words_of
from tests.signoff.steps import rewrite


@pytest.fixture
def rewritten(consultation: Consultation, focal_point: User) -> Consultation:
    """Section 1 with the revisions "Text of section 1.", "Two laws of 2017." and "Two acts of 2020."."""
    for words in ("Two laws of 2017.", "Two acts of 2020. <b>x & y"):
        rewrite(consultation.sections[0], words)
    db.session.commit()
    return consultation


def url(of: Consultation, ending: str = "") -> str:
    return f"/consultations/{of.slug}/sections/1/differences{ending}"


def test_rule_14_any_two_revisions_as_words(browse: Any, rewritten: Consultation, organiser: User) -> None:
    client = browse(organiser)
    page = client.get(url(rewritten)).text
    assert "revision 2 to 3" in page
    assert "laws" in page.split("<del>")[1]
    assert "Text" in client.get(url(rewritten, "?from=3&to=1")).text.split("<del>")[1]  # in whatever order they are named
    assert "Nothing differs" in client.get(url(rewritten, "?from=2&to=2")).text
    for wrong in ("?from=1&to=9", "?from=-1", "?from=9999999999999"):
        assert client.get(url(rewritten, wrong)).status_code == 404


def test_the_same_on_paper(browse: Any, rewritten: Consultation, organiser: User) -> None:
    client = browse(organiser)
    words = words_of(client.get(url(rewritten, ".pdf?from=2&to=3")).data)
    assert "Twolawsactsof20172020" in words.replace(" ", "")
    assert "1 / 1" in words
    document = docx.Document(io.BytesIO(client.get(url(rewritten, ".docx?from=2&to=3")).data))
    runs = [run for line in document.paragraphs for run in line.runs]
    assert [run.text for run in runs if run.font.strike] == ["laws", "2017"]
    assert [run.text for run in runs if run.font.underline] == ["acts", "2020", " <b>x & y"]


def test_who_may(browse: Any, rewritten: Consultation) -> None:
    stranger = browse(factories.make_user(Role.ORGANISER, factories.make_consultation()))
    participant = browse(factories.make_registration(factories.make_event(rewritten)))
    desk = browse(factories.make_user(Role.CHECK_IN, rewritten))
    for ending in ("", ".pdf", ".docx"):
        assert stranger.get(url(rewritten, ending)).status_code == 404
        assert participant.get(url(rewritten, ending)).status_code == 200
        assert desk.get(url(rewritten, ending)).status_code == 200


def test_a_section_without_a_revision_has_nothing_to_compare(browse: Any, app: Any) -> None:
    consultation = factories.make_consultation()
    organiser = factories.make_user(Role.ORGANISER, consultation)
    assert browse(organiser).get(url(consultation)).status_code == 404
