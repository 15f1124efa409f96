"""Certificates: only against attendance, one number each for good, and a public page that says little."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Any

import pypdf
import pytest
import zxingcpp
from PIL import Image

from consult_app.attendance import actions as attendance
from consult_app.db import clock_at, db
from consult_app.documents import actions, queries
from consult_app.documents.models import Certificate
from consult_app.errors import Invalid
from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.registrations.models import Registration
from tests import factories

LETTERHEAD = {
    "heading-en": "IOM Indonesia\nMinistry of Foreign Affairs",
    "heading-id": "IOM Indonesia\nKementerian Luar Negeri",
    "place": "Jakarta",
    "signatory_name": "Dr. Wulan Sari",
    "signatory_position-en": "Head of Office",
    "signatory_position-id": "Kepala Kantor",
    "hours": "8",
    "number_pattern": "{001}/IOM/MGI/{month}/{year}",
}


@pytest.fixture
def event(app: Any) -> Event:
    return factories.make_event()


@pytest.fixture
def organiser(event: Event, browse: Any) -> Any:
    return browse(factories.make_user(Role.ORGANISER, event.consultation))


@pytest.fixture
def lettered(event: Event, organiser: Any) -> Any:
    assert organiser.post(f"/events/{event.slug}/documents/letterhead", data=LETTERHEAD).status_code == 303
    return organiser


def arrive(event: Event, **details: Any) -> Registration:
    person = factories.make_registration(event, **details)
    with clock_at(event.starts):
        attendance.check_in(event, person, by=factories.BY, nonce=person.public_id)
    return person


def words(data: bytes) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def issue(client: Any, event: Event, **data: Any) -> Any:
    return client.post(f"/events/{event.slug}/documents/certificates", data=data)


def test_the_letterhead_is_kept_and_its_pattern_judged(event: Event, organiser: Any, last_entry: Any, audit_ok: None) -> None:
    url = f"/events/{event.slug}/documents/letterhead"
    assert organiser.post(url, data=LETTERHEAD).status_code == 303
    assert last_entry("letterhead.save") is not None
    assert "Kementerian Luar Negeri" in organiser.get(url).text
    for pattern in ("no number", "{number}/{x}", "{number", "{}", ""):
        answer = organiser.post(url, data={**LETTERHEAD, "number_pattern": pattern})
        assert answer.status_code == 422, pattern
    assert organiser.post(url, data={**LETTERHEAD, "hours": "-1"}).status_code == 422
    roman = actions.ROMAN[event.ends_on.month - 1]
    shown = organiser.get(f"/events/{event.slug}/documents/number?number_pattern={{001}}/{{month}}/<b>").text
    assert f"001/{roman}/&lt;b&gt;, 002/{roman}" in shown
    assert actions.number_text("{0001}-{year}", 7, event) == f"0007-{event.ends_on.year}"
    with pytest.raises(Invalid):
        actions.number_text("{year}", 7, event)


def test_only_for_those_who_arrived_and_the_number_stays(event: Event, lettered: Any, last_entry: Any, audit_ok: None) -> None:
    wati, budi = arrive(event, name="Wati <img src=x>"), arrive(event, name="Budi")
    absent = factories.make_registration(event, name="Agus")
    refused = issue(lettered, event, registration=[wati.public_id, absent.public_id])
    assert refused.status_code == 409
    assert "Agus" in refused.text
    assert last_entry("certificate.issue") is None
    first = issue(lettered, event)
    assert first.status_code == 200
    assert last_entry("certificate.issue") is not None
    year, roman = event.ends_on.year, actions.ROMAN[event.ends_on.month - 1]
    text = words(first.data)
    assert "Agus" not in text
    assert all(
        part in text for part in ("Wati <img src=x>", f"001/IOM/MGI/{roman}/{year}", f"002/IOM/MGI/{roman}/{year}", "Dr. Wulan Sari")
    )
    numbers = {c.registration_id: c.number for c in db.session.scalars(queries.certificates(event))}
    third = arrive(event, name="Citra")
    assert issue(lettered, event).status_code == 200
    later = {c.registration_id: c.number for c in db.session.scalars(queries.certificates(event))}
    assert later == {**numbers, third.id: 3}
    assert set(numbers) == {wati.id, budi.id}
    again = issue(lettered, event, registration=[budi.public_id], language="id")
    assert f"00{numbers[budi.id]}/IOM" in words(again.data)
    assert "Kementerian Luar Negeri" in words(again.data)
    assert "Kepala Kantor" in words(again.data)


def test_nobody_signs_nothing_is_issued(event: Event, organiser: Any) -> None:
    arrive(event)
    answer = issue(organiser, event)
    assert answer.status_code == 409
    assert "Letterhead" in answer.text


def test_the_code_opens_a_public_page_that_says_little(event: Event, lettered: Any, browse: Any, tmp_path: Path) -> None:
    person = arrive(event, name="Budi", institution="Secret Institution", phone="+6281234567890")
    (tmp_path / "c.pdf").write_bytes(issue(lettered, event, paper="letter").data)
    subprocess.run(["pdftoppm", "-r", "110", "-png", "-singlefile", tmp_path / "c.pdf", tmp_path / "c"], check=True)
    (code,) = zxingcpp.read_barcodes(Image.open(tmp_path / "c.png"))
    certificate = queries.certificate_of(person)
    assert certificate is not None
    assert code.text == f"http://127.0.0.1:8000/certificates/{certificate.public_id}"
    page = browse().get(f"/certificates/{certificate.public_id}").text
    assert all(part in page for part in ("Valid", "Budi", event.title["en"]))
    assert not any(part in page for part in ("Secret", "8123", person.email, certificate.number_text))
    assert browse().get("/certificates/nothing").status_code == 404


def test_revoked_with_a_reason(event: Event, lettered: Any, browse: Any, last_entry: Any, audit_ok: None) -> None:
    person = arrive(event)
    issue(lettered, event)
    code = db.session.scalars(db.select(Certificate.public_id)).one()
    base = f"/events/{event.slug}/documents/certificates/{code}"
    assert browse(person).get("/my/certificate.pdf").status_code == 200
    assert lettered.get(f"{base}.pdf").status_code == 200
    assert lettered.post(f"{base}/revoke", data={"reason": " "}).status_code == 422
    assert lettered.post(f"{base}/revoke", data={"reason": "left at once"}).status_code == 303
    assert last_entry("certificate.revoke").note == "left at once"
    assert [lettered.post(f"{base}/{verb}", data={"reason": "x"}).status_code for verb in ("revoke", "correct")] == [409, 409]
    assert lettered.get(f"{base}.pdf").status_code == 409
    assert browse(person).get("/my/certificate.pdf").status_code == 409
    assert "/my/certificate.pdf" not in browse(person).get("/my/registration").text
    page = browse().get(f"/certificates/{code}").text
    assert "Revoked" in page
    assert "left at once" not in page
    assert issue(lettered, event).status_code == 409


def give(client: Any, data: bytes) -> str:
    """What the page that verifies files says of this one."""
    file = (io.BytesIO(data), "certificate.pdf")
    text: str = client.post("/verify", data={"file": file}, content_type="multipart/form-data").text
    return text


def test_the_file_is_known_where_files_are_verified(event: Event, lettered: Any, browse: Any) -> None:
    person = arrive(event, name="Siti Rahayu")
    issue(lettered, event)
    certificate = db.session.scalars(db.select(Certificate)).one()
    own = browse(person).get("/my/certificate.pdf").data
    anybody = browse()
    told = give(anybody, own)
    assert "Yes, this is a certificate of attendance as it is issued here" in told
    assert f"/certificates/{certificate.public_id}" in told
    assert "Siti Rahayu" not in told
    assert "certificate of attendance as it is issued" in give(anybody, browse(person).get("/my/certificate.pdf?lang=id").data)
    changed = give(anybody, own + b" ")
    assert "Yes" not in changed.split("<h1")[1].split("</h1>")[0]
    assert "It names a certificate of attendance" in changed
    actions.revoke(certificate, "Another person", by=factories.BY)
    db.session.commit()
    assert "This certificate of attendance was revoked" in give(anybody, own)


def test_a_name_is_corrected_under_the_same_number(event: Event, lettered: Any, last_entry: Any, audit_ok: None) -> None:
    person = arrive(event, name="Budy")
    issue(lettered, event)
    certificate = queries.certificate_of(person)
    assert certificate is not None
    details = factories.registrations.details_of(person)
    details.name = "Budi"
    factories.registrations.change(person, details, by=factories.BY)
    base = f"/events/{event.slug}/documents/certificates/{certificate.public_id}"
    assert "Budy" in words(lettered.get(f"{base}.pdf").data)
    assert "Correct from the register" in lettered.get(f"/events/{event.slug}/documents/certificates").text
    assert lettered.post(f"{base}/correct").status_code == 303
    assert last_entry("certificate.correct") is not None
    text = words(lettered.get(f"{base}.pdf").data)
    assert "Budi" in text
    assert certificate.number_text in text


def test_a_participant_gets_only_their_own_and_only_once_issued(event: Event, lettered: Any, browse: Any) -> None:
    budi, wati = arrive(event, name="Budi"), factories.make_registration(event, name="Wati")
    mine = browse(budi)
    assert mine.get("/my/certificate.pdf").status_code == 404
    issue(lettered, event)
    assert "/my/certificate.pdf" in mine.get("/my/registration").text
    assert "Budi" in words(mine.get("/my/certificate.pdf").data)
    assert browse(wati).get("/my/certificate.pdf").status_code == 404
    assert browse().get("/my/certificate.pdf").status_code in (302, 303, 401)


def test_roles_and_strangers(event: Event, lettered: Any, browse: Any) -> None:
    arrive(event)
    issue(lettered, event)
    code = db.session.scalars(db.select(Certificate.public_id)).one()
    base = f"/events/{event.slug}/documents/certificates"
    other = factories.make_event()
    theirs = browse(factories.make_user(Role.ORGANISER, other.consultation))
    observer = browse(factories.make_user(Role.OBSERVER, event.consultation))
    gets, posts = (base, f"{base}/{code}.pdf"), (base, f"{base}/{code}/revoke", f"{base}/{code}/correct")
    assert {observer.get(url).status_code for url in gets} | {observer.post(url).status_code for url in posts} == {403}
    assert theirs.post(f"/events/{other.slug}/documents/certificates/{code}/revoke", data={"reason": "x"}).status_code == 404
    event.state = "draft"
    assert {theirs.get(url).status_code for url in gets} | {theirs.post(url).status_code for url in posts} == {404}


def test_the_list_of_certificates_takes_a_constant_number_of_queries(event: Event, lettered: Any, count_queries: Any) -> None:
    def ask() -> int:
        with count_queries() as statements:
            assert lettered.get(f"/events/{event.slug}/documents/certificates").status_code == 200
        return len(statements)

    arrive(event, institution="One")
    issue(lettered, event)
    few = ask()
    for n in range(8):
        arrive(event, institution=f"Institution {n}")
    issue(lettered, event)
    assert ask() == few
