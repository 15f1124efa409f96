"""A finding is revised as the text of its section is: with an edit number, while the section is not frozen, and audited."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app import audit
from consult_app.consultations import actions, findings
from consult_app.consultations.framework import apply_framework, read_framework
from consult_app.consultations.models import Indicator, SectionState
from consult_app.policy import Role
from tests.factories import BY, make_consultation, make_event, make_registration, make_user

pytestmark = pytest.mark.usefixtures("audit_ok")
FORM = {"edit_number": "0", "answer": "partial", "finding-en": "A new finding.", "finding-id": "Temuan baru.", "evidence": "Law 18"}


@pytest.fixture
def indicator(app: Any) -> Indicator:
    return make_consultation().sections[0].dimension.indicators[0]


def _path(indicator: Indicator) -> str:
    return f"/consultations/{indicator.consultation.slug}/indicators/{indicator.code}/edit"


def _rapporteur(indicator: Indicator) -> Any:
    return make_user(Role.RAPPORTEUR, indicator.consultation)


def test_edit(indicator: Indicator, browse: Any, last_entry: Any) -> None:
    section = indicator.dimension.section
    actions.open_section(section, by=BY)
    rapporteur = _rapporteur(indicator)
    client = browse(rapporteur)
    assert "Finding 0." in client.get(_path(indicator)).text
    assert _path(indicator) in client.get(f"/consultations/{indicator.consultation.slug}/sections/1").text
    answer = client.post(_path(indicator), data={**FORM, "link": "https://example.org/law"})
    assert (answer.status_code, answer.location.split("#")[1]) == (303, "indicator-1.1")
    assert indicator.finding == {"en": "A new finding.", "id": "Temuan baru."}
    assert (indicator.answer, indicator.evidence, indicator.link) == ("partial", "Law 18", "https://example.org/law")
    assert (indicator.edit_number, indicator.edited_by) == (1, rapporteur)
    assert last_entry("indicator.edit").actor == rapporteur.actor_key
    # the difference to the revision is shown, and becomes the next one
    page = client.get(_path(indicator)).text
    assert "Changed since revision 1" in page
    assert "<del>" in page
    assert actions.make_revision(section, by=BY).content["indicators"][0]["finding"]["en"] == "A new finding."
    assert "Changed since revision" not in client.get(_path(indicator)).text


def test_the_second_editor_is_told_and_shown_both_texts(indicator: Indicator, browse: Any) -> None:
    client = browse(_rapporteur(indicator))
    findings.edit_finding(indicator, {"finding": {"en": "Finding of somebody else."}, "answer": "complete"}, 0, by=BY)
    answer = client.post(_path(indicator), data=FORM)
    assert answer.status_code == 409
    assert "A new finding." in answer.text
    assert "Finding of somebody else." in answer.text
    assert "Temuan baru." in answer.text
    assert 'name="edit_number" type="hidden" value="1"' in answer.text
    assert indicator.finding == {"en": "Finding of somebody else."}
    assert client.post(_path(indicator), data={**FORM, "edit_number": "1"}).status_code == 303
    assert indicator.finding["en"] == "A new finding."


def test_an_import_of_the_framework_counts_as_an_edit(indicator: Indicator, browse: Any) -> None:
    consultation = indicator.consultation
    file = b"Code,Indicator,Finding (en)\n1.1,Is there a policy number 0?,Imported finding."
    apply_framework(consultation, read_framework("f.csv", file, consultation).plain()["rows"], by=BY, version="")
    answer = browse(_rapporteur(indicator)).post(_path(indicator), data=FORM)
    assert answer.status_code == 409
    assert "Imported finding." in answer.text


def test_while_frozen_nothing_typed_is_lost(indicator: Indicator, browse: Any) -> None:
    client = browse(_rapporteur(indicator))
    section = indicator.dimension.section
    section.state = SectionState.FROZEN
    audit.record(BY, "section.test", section)
    answer = client.post(_path(indicator), data=FORM)
    assert answer.status_code == 409
    assert "A new finding." in answer.text
    assert indicator.finding["en"] == "Finding 0."
    assert client.get(_path(indicator)).status_code == 303
    assert _path(indicator) not in client.get(f"/consultations/{indicator.consultation.slug}/sections/1").text


WRONG = (
    {"edit_number": "x"},
    {"link": "javascript:alert(1)"},
    {"link": "https://a b"},
    {"answer": "perhaps"},
    {"finding-en": "a" * 20_001},
)


@pytest.mark.parametrize("wrong", WRONG)
def test_invalid(indicator: Indicator, browse: Any, wrong: dict[str, str]) -> None:
    answer = browse(_rapporteur(indicator)).post(_path(indicator), data={**FORM, **wrong})
    assert answer.status_code == 422
    assert "Temuan baru." in answer.text
    assert indicator.edit_number == 0


def test_hostile_text_is_kept_and_escaped(indicator: Indicator, browse: Any) -> None:
    client = browse(_rapporteur(indicator))
    words = "<b>x</b> <img src=x onerror=alert(1)> =1+1 \"' \x00\x1b مرحبا \ud800"
    body = {key: value.encode("utf-8", "surrogatepass") for key, value in {**FORM, "finding-en": words, "evidence": words}.items()}
    assert client.post(_path(indicator), data=body).status_code in (303, 422)
    assert (
        client.post(_path(indicator), data={**FORM, "edit_number": str(indicator.edit_number), "finding-en": "<img src=x>"}).status_code
        == 303
    )
    page = client.get(_path(indicator)).text
    assert "<img src=x>" not in page
    assert "&lt;img src=x&gt;" in page


def test_a_scale_of_its_own_and_one_language(app: Any, browse: Any) -> None:
    indicator = make_consultation(languages=["id"]).sections[0].dimension.indicators[0]
    indicator.answer = "advanced"
    audit.record(BY, "indicator.test", indicator)
    client = browse(_rapporteur(indicator))
    page = client.get(_path(indicator)).text
    assert 'selected value="advanced"' in page
    assert "finding-en" not in page
    form = {"edit_number": "0", "answer": "advanced", "finding-id": "Baru."}
    assert client.post(_path(indicator), data=form).status_code == 303
    assert indicator.finding == {"en": "Finding 0.", "id": "Baru."}


@pytest.mark.parametrize("deed", ["get", "post"])
def test_who_may(indicator: Indicator, browse: Any, deed: str) -> None:
    consultation = indicator.consultation

    def status(who: Any) -> int:
        return int(getattr(browse(who), deed)(_path(indicator), data=FORM if deed == "post" else None).status_code)

    assert status(make_user(Role.ORGANISER, make_consultation())) == 404
    for role in (Role.FACILITATOR, Role.FOCAL_POINT, Role.OBSERVER, Role.CHECK_IN):
        assert status(make_user(role, consultation)) == 403
    assert status(make_registration(make_event(consultation))) == 403
    assert indicator.edit_number == 0
    assert status(make_user(Role.ORGANISER, consultation)) == (200 if deed == "get" else 303)
    assert browse(make_user(Role.ORGANISER, consultation)).get(_path(indicator).replace("1.1", "9.9")).status_code == 404
